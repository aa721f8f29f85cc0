#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: timeout=300
"""Many messages wait at once: bounds hold, every client has its answer."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import signal           # noqa: E402
import threading        # noqa: E402
import time             # noqa: E402

import letter                               # noqa: E402
from client import send_mail                # noqa: E402
from net import until                       # noqa: E402
from world import World, main               # noqa: E402

MANY = 500
DEADLINE = 8
CONFIG = f"""\
processes smtp 2 scanner 2 deliver 1
limit deadline {DEADLINE}s
limit connect 4s
limit hop connections 10
limit connections 2000
limit connections per network 2000
greylist at 50.0 delay 1s window 1d keep 36d
reject at 100.0
"""


def descriptors(gw):
    """The most that one process of each daemon has open."""
    most = {}
    for pid, ppid, daemon, title in gw.children():
        try:
            n = len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
        if ppid:
            most[title] = max(most.get(title, 0), n)
    return most


def send_many(w, answers):
    """MANY clients at once, one message each."""
    def one(i):
        since = time.monotonic()
        stage, lines = send_mail(
            w.gw.addr, 25, w.net.addr(100 + i % 50), "anna@sender.example",
            ["bert@uni-a.example"], letter.letter(letter.canary(i)),
            "mx.sender.example", 90)
        answers.append((stage, lines[-1], time.monotonic() - since))

    threads = [threading.Thread(target=one, args=(i,), daemon=True)
               for i in range(MANY)]
    for t in threads:
        t.start()
    return threads


def check(answers, code, within):
    wrong = [a for a in answers if a[0] != "dot" or
             not a[1].startswith(code) or a[2] > within]
    assert not wrong, f"{len(wrong)} of {len(answers)} not {code} in " \
        f"{within} s, the first {wrong[:5]}"


def scand_stops():
    with World(CONFIG) as w:
        before = descriptors(w.gw)
        pids = w.gw.kill("broker", signal.SIGSTOP)
        answers = []
        threads = send_many(w, answers)
        worst = {}
        while any(t.is_alive() for t in threads):
            for title, n in descriptors(w.gw).items():
                worst[title] = max(worst.get(title, 0), n)
            time.sleep(0.3)
        slowest = max(a[2] for a in answers)
        w.note(f"scand stopped: slowest answer {slowest:.1f} s, "
               f"descriptors before {before}, at most {worst}")
        check(answers, "451", DEADLINE + 20)
        # A message, its client, and a copy on its way.
        assert max(worst.get(f"smtp[{i}]", 0) for i in (0, 1)) < \
            before["smtp[0]"] + 3 * MANY, worst
        for title in ("scanner[0]", "queue[0]", "store[0]"):
            assert worst[title] < before[title] + 50, (title, worst)
        for pid in pids:
            w.gw.signal_pid(pid, signal.SIGCONT)
        answers = []
        for t in send_many(w, answers):
            t.join()
        check(answers, "250", DEADLINE + 20)
        w.mx.wait(MANY, 60)
        until(lambda: all(n <= before[t] + 30 for t, n in
                          descriptors(w.gw).items() if t in before),
              "descriptors are given back", 30)


def hop_hangs():
    with World(CONFIG, {"mx": "rcpt: hang"}) as w:
        before = descriptors(w.gw)
        answers = []
        threads = send_many(w, answers)
        worst, most = {}, 0
        while any(t.is_alive() for t in threads):
            for title, n in descriptors(w.gw).items():
                worst[title] = max(worst.get(title, 0), n)
            most = max(most, w.mx.now)
            time.sleep(0.3)
        slowest = max(a[2] for a in answers)
        w.note(f"next hop hangs: slowest answer {slowest:.1f} s, "
               f"{most} connections, at most {worst}")
        check(answers, "250", DEADLINE + 20)
        assert most <= 10, f"{most} connections to one next hop"
        assert worst["deliver[0]"] < before["deliver[0]"] + 100, worst
        until(lambda: len(w.gw.spooled()) == MANY, "all are in the spool")
        w.mx.add_rules("clear")
        w.mx.down()
        w.mx.up()
        w.mx.wait(MANY, 120)
        until(lambda: not w.gw.spooled(), "the spool is empty")


def both():
    scand_stops()
    hop_hangs()


main(both)
