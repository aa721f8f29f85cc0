#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""scand and clamd: played by two servers that are told what to do, and the
real one where it is installed.

regress: timeout=120
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import scand_test  # noqa: E402
from clamd import Clamd  # noqa: E402
from scand_test import LETTER, Names, Scand, ask, judge  # noqa: E402
from frames import Verdict, policy  # noqa: E402

EVIL = LETTER + b"evil-%d\r\n" % 12345


def test_verdicts(d, one, two):
    c = d.front()
    v = judge(c, LETTER)
    assert v.actions == ["accept"] and v.hits == [], v.hits
    v = judge(c, EVIL, policies=[policy(), policy(role=1), policy(role=2)])
    assert v.actions == ["reject"] * 3, v.actions
    assert v.reply == "5.7.1 Message rejected: VIRUS found (Test.Evil).", \
        v.reply
    for i in range(200):
        ask(c, LETTER if i % 2 else EVIL, job=i)
        if i >= 60:
            check(c)
    for i in range(60):
        check(c)
    assert one.asked > 50 and two.asked > 50, (one.asked, two.asked)
    c.close()


def check(c):
    _, job, payload = c.recv()
    want = ["accept"] if job % 2 else ["reject"]
    assert Verdict(payload).actions == want, job


def test_failover(d, one, two):
    """Whatever one does, the other answers, and the message is judged."""
    c = d.front()
    for mode in ("error", "silent", "odd"):
        one.mode = mode
        for _ in range(4):
            assert judge(c, EVIL).actions == ["reject"], mode
            assert judge(c, LETTER).actions == ["accept"], mode
    # Both: nobody can say, so it is to come again; nothing is accepted.
    two.mode = "error"
    v = judge(c, LETTER)
    assert v.actions == ["tempfail"], v.actions
    assert "ANTIVIRUS_DOWN" in v.symbols()
    # What is refused anyway is refused all the same.
    assert judge(c, scand_test.GTUBE).actions == ["reject"]
    # Hanging ones cost time, within the deadline of the message.
    one.mode = two.mode = "hang"
    t = time.time()
    v = judge(c, LETTER, deadline=2000)
    assert v.actions == ["tempfail"], v.actions
    assert time.time() - t < 5, time.time() - t
    one.mode = two.mode = "good"
    assert judge(c, EVIL).actions == ["reject"]
    c.close()


def test_killed(d, one, _two):
    """A process that dies takes no message with it."""
    one.mode = "hang"
    c = d.front(patience=20)
    for i in range(6):
        ask(c, EVIL, job=2 * i)
    time.sleep(0.3)
    for pid in d.children("antivirus"):
        os.kill(pid, 9)
    answers = [Verdict(c.recv()[2]).actions for _ in range(6)]
    assert all(a in (["reject"], ["tempfail"]) for a in answers), answers
    one.mode = "good"
    end = time.time() + 10
    while judge(c, EVIL).actions != ["reject"] and time.time() < end:
        time.sleep(0.1)
    assert judge(c, EVIL).actions == ["reject"]
    c.close()


def test_status(d):
    c = d.control()
    c.send(scand_test.frames.CTL_STATUS, 1)
    text = ""
    while True:
        kind, _, payload = c.recv()
        if kind == scand_test.frames.CTL_END:
            break
        text += scand_test.frames.Reader(payload).text()
    assert re.search(r"^clamd\[0\] ClamAV 1\.0\.7/27000", text, re.M), text
    assert re.search(r"^clamd\[1\]\.database-age [1-9]\d{7}", text, re.M)


def test_accept(d):
    """on failure accept: an operator's own choice."""
    c = d.front()
    v = judge(c, LETTER)
    assert v.actions == ["accept"] and "ANTIVIRUS_DOWN" in v.symbols(), v.hits
    c.close()


def test_real(d):
    c = d.front()
    end = time.time() + 60
    while judge(c, LETTER).actions != ["accept"]:
        assert time.time() < end, d.text()
        time.sleep(0.2)
    v = judge(c, EVIL)
    assert v.actions == ["reject"] and "Test.Real" in v.reply, v.reply
    c.close()


def start_real(directory):
    """The real one, with one signature; None where it is not installed."""
    if shutil.which("clamd") is None:
        return None
    os.mkdir(directory + "/db")
    with open(directory + "/db/t.ndb", "w", encoding="ascii") as f:
        f.write("Test.Real:0:*:%s\n" % b"evil-12345".hex())
    with open(directory + "/clamd.conf", "w", encoding="ascii") as f:
        f.write("LocalSocket %s/real.ctl\nDatabaseDirectory %s/db\n"
                "User root\nForeground yes\nLocalSocketMode 666\n" %
                (directory, directory))
    return subprocess.Popen(["clamd", "-c", directory + "/clamd.conf"],
                            stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def run(directory, port, sockets, word, tests):
    config = scand_test.CONFIG.replace(
        "antivirus builtin", "antivirus clamd {{ %s }} on failure %s" %
        (", ".join('"%s"' % s for s in sockets), word))
    d = None
    try:
        d = Scand(directory, port, config)
        for test, args in tests:
            t = time.time()
            test(d, *args)
            print("%s: %.1f s" % (test.__name__, time.time() - t))
        d.process.terminate()
        assert d.process.wait(20) == 0
    except BaseException:
        if d is not None:
            print(d.text()[-6000:])
        raise
    finally:
        if d is not None and d.process.poll() is None:
            d.process.kill()
            d.process.wait()


def main():
    if os.geteuid() != 0 or not os.access(scand_test.SCAND, os.X_OK):
        print("needs root and a built scand")
        return 77
    users = os.path.join(scand_test.TOP, "etc", "setup-users")
    real = None
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        subprocess.run([users, scand_test.PREFIX], check=True)
        try:
            names = Names()
            names.start()
            one = Clamd(directory + "/one.ctl")
            two = Clamd(directory + "/two.ctl")
            one.start()
            two.start()
            run(directory, names.port, [one.path, two.path], "tempfail",
                [(test_verdicts, (one, two)), (test_failover, (one, two)),
                 (test_killed, (one, two)), (test_status, ())])
            run(directory, names.port, [directory + "/none.ctl"], "accept",
                [(test_accept, ())])
            real = start_real(directory)
            if real is not None:
                run(directory, names.port, [directory + "/real.ctl"],
                    "tempfail", [(test_real, ())])
        finally:
            if real is not None:
                real.kill()
                real.wait()
            subprocess.run([users, "-r", scand_test.PREFIX], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
