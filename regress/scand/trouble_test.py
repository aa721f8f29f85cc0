#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""scand with a name server that does everything wrong: the verdict comes in
its time, with what is known; lists that fail are not used, and come back.

regress: timeout=180
"""

import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import frames  # noqa: E402
import scand_test  # noqa: E402
import wrongdns  # noqa: E402
from frames import Verdict  # noqa: E402
from scand_test import LETTER, SCAND, TOP, Scand, ask, judge  # noqa: E402

LIMIT = 2.0             # limit dns
CONFIG = re.sub(r"limit dns \d+s", """\
limit dns 2s
limit lists 3s
dnsbl "two.example" {{ 127.0.0.2 points 1.0 }}
dnsbl "names.example" for domains {{ 127.0.1.2 points 2.0 }}""",
                scand_test.CONFIG)

# What an ordinary message needs, and one client that is on a list.
RECORDS = {
    ("9.2.0.192.in-addr.arpa", "PTR"): "mx.a.example",
    ("mx.a.example", "A"): "192.0.2.9",
    ("a.example", "MX"): "mx.a.example",
    ("2.0.0.127.bl.example.org", "A"): "127.0.0.2",
    ("66.2.0.192.bl.example.org", "A"): "127.0.0.2",
    ("2.0.0.127.two.example", "A"): "127.0.0.2",
    ("66.2.0.192.two.example", "A"): "127.0.0.2",
    ("9.2.0.192.two.example", "A"): "127.0.0.2",
    ("test.names.example", "A"): "127.0.1.2",
    ("evil.example.names.example", "A"): "127.0.1.2",
}
UNDATED = LETTER.replace(b"Date:", b"X-Date:")
LINK = LETTER + b"http://www.evil.example/x\r\n"
serial = [0]


def fresh():
    serial[0] += 1
    return "s%d" % serial[0]


def collect(c, n):
    """n verdicts in whatever order: job -> (verdict, seconds since t)."""
    out, t = {}, time.monotonic()
    for _ in range(n):
        kind, job, payload = c.recv()
        assert kind == frames.VERDICT, kind
        out[job] = Verdict(payload), time.monotonic() - t
    return out


def check_known(what, v):
    """What is known of an undated message of the listed client."""
    assert ("DNSBL", 4.5, "bl.example.org=127.0.0.2") in v.hits, (what,
                                                                  v.hits)
    assert "MISSING_DATE" in v.symbols(), (what, v.hits)


def test_senders(d, names):
    """Each wrong in the domain of the sender.  Trouble adds no points."""
    c = d.front(30)
    judge(c, UNDATED, client="192.0.2.66")
    cases = sorted(wrongdns.WRONG)
    for i, case in enumerate(cases):
        ask(c, UNDATED, job=i, client="192.0.2.66",
            sender="x@%s.%s.wrong" % (fresh(), case))
    out = collect(c, len(cases))
    for i, case in enumerate(cases):
        v, took = out[i]
        check_known(case, v)
        assert took < LIMIT + 1, (case, took)
        # An answer about somebody else says that there is none.
        if case != "poison":
            assert "SENDER_DOMAIN_NO_MX" not in v.symbols(), (case, v.hits)
    assert "DNS_GIVEN_UP" in out[cases.index("silent")][0].symbols()
    assert "DNS_GIVEN_UP" not in out[cases.index("late1")][0].symbols()
    v, took = out[cases.index("late9")]
    assert took > LIMIT - 0.5 and "DNS_GIVEN_UP" in v.symbols(), took
    c.close()


def test_clients(d, names):
    """The same in the reverse name of the client."""
    c = d.front(30)
    cases = sorted(wrongdns.WRONG)
    for i, case in enumerate(cases):
        names.set("%d.100.51.198.in-addr.arpa" % i, "CNAME",
                  "%s.%s.wrong" % (fresh(), case))
        ask(c, UNDATED, job=i, client="198.51.100.%d" % i)
    out = collect(c, len(cases))
    for i, case in enumerate(cases):
        v, took = out[i]
        assert "MISSING_DATE" in v.symbols(), (case, v.hits)
        assert took < LIMIT + 1, (case, took)
        assert v.rdns == "", (case, v.rdns)
        if case in ("silent", "late9", "servfail", "garbage", "badname"):
            assert "iprev=temperror" in v.trace, (case, v.trace)
            assert "NO_RDNS" not in v.symbols(), (case, v.hits)
    c.close()


def test_spf(d, names):
    """The same in what an SPF record refers to.  Trouble is no fail."""
    c = d.front(30)
    terms = {"include": "include:%s -all", "a": "a:%s -all",
             "mx": "mx:%s -all", "exists": "exists:%s -all",
             "redirect": "redirect=%s"}
    cases = [(t, x) for t in terms for x in sorted(wrongdns.WRONG)]
    for i, (term, case) in enumerate(cases):
        domain = "%s.spf.example" % fresh()
        names.set(domain, "TXT", "v=spf1 " + terms[term] % (
            "%s.%s.wrong" % (domain, case)))
        ask(c, UNDATED, job=i, client="192.0.2.66", sender="x@" + domain)
    out = collect(c, len(cases))
    for i, (term, case) in enumerate(cases):
        v, took = out[i]
        check_known(case, v)
        assert took < LIMIT + 1, (term, case, took)
        # late2 may be either.
        if case in ("late0", "late1", "late2", "poison", "control"):
            continue
        # 4,000 exchanges are too many, if they fit into the answer.
        assert "spf=temperror" in v.trace or \
            (term, case) == ("mx", "many") and "spf=permerror" in v.trace, \
            (term, case, v.trace)
    c.close()


def test_lists(d, names):
    """The same as answers of a list: never a point, and the others count."""
    c = d.front(30)
    cases = sorted(wrongdns.WRONG)
    for i, case in enumerate(cases):
        names.set("%d.113.0.203.two.example" % i, "CNAME",
                  "%s.%s.wrong" % (fresh(), case))
        names.set("%d.113.0.203.bl.example.org" % i, "A", "127.0.0.2")
        ask(c, UNDATED, job=i, client="203.0.113.%d" % i)
    out = collect(c, len(cases))
    for i, case in enumerate(cases):
        v, took = out[i]
        check_known(case, v)
        assert took < LIMIT + 1, (case, took)
        listed = "two.example=127.0.0.2" in [h[2] for h in v.hits]
        assert case == "late2" or \
            listed == (case in ("late0", "late1")), (case, v.hits)
    c.close()


def test_silent_list(d, names):
    """A list that does not answer costs a few messages the time."""
    c = d.front(30)
    # It has been heard of just now.
    for i in range(8):
        ask(c, LETTER, job=i, client="192.0.%d.3" % (i + 80))
    collect(c, 8)
    names.zones[".two.example"] = wrongdns.WRONG["silent"]
    slow = []
    for i in range(20):
        t = time.monotonic()
        v = judge(c, UNDATED, client="192.0.%d.3" % (i + 100))
        slow.append(time.monotonic() - t)
        assert "MISSING_DATE" in v.symbols()
    # Four of each scanner at most, if they take turns.
    assert sum(1 for s in slow if s > 0.5) <= 8, slow
    assert max(slow[-8:]) < 0.5, slow
    assert max(slow) < LIMIT + 1, slow
    d.wait("dnsbl two.example does not answer, and is not waited for")
    assert d.status()["list[two.example].unwaited"] >= 1
    # Others are waited for as ever.
    v = judge(c, LINK, client="192.0.2.66")
    assert "URL_LISTED" in v.symbols() and "DNSBL" in v.symbols(), v.hits
    del names.zones[".two.example"]
    end = time.monotonic() + 25
    while d.status()["list[two.example].unwaited"] > 0:
        assert time.monotonic() < end, "it never comes back"
        judge(c, LETTER, client="192.0.%d.9" % (serial[0] % 250))
        fresh()
        time.sleep(0.1)
    d.wait("dnsbl two.example answers again")
    v = judge(c, LETTER)
    assert ("DNSBL", 1.0, "two.example=127.0.0.2") in v.hits, v.hits
    c.close()


def listed(c):
    v = judge(c, LETTER)
    return "two.example=127.0.0.2" in [h[2] for h in v.hits]


def until(condition, what, seconds=15):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_switched_off(d, names):
    """A list that has everything, nothing, nonsense; and works again."""
    c = d.front(30)
    assert listed(c)
    everything = wrongdns.WrongServer.all_of("127.0.0.2")
    for behave, why in (
            (everything, "it has 127.0.0.1, as if it had everything"),
            (wrongdns.WrongServer.all_of("127.255.255.254"),
             r"it does not want to be asked by us \(127.255.255.254\)"),
            (wrongdns.WrongServer.all_of("192.0.2.80"),
             "it answers 192.0.2.80 for 127.0.0."),
            (wrongdns.WrongServer.none_of(),
             "it does not have 127.0.0.2, as if it had nothing")):
        before = len(re.findall("works again", d.text()))
        names.zones[".two.example"] = behave
        d.wait("dnsbl two.example is SWITCHED OFF: " + why, patience=20)
        assert not listed(c), why
        assert d.status()["list[two.example]"].startswith("off: "), why
        del names.zones[".two.example"]
        d.wait("dnsbl two.example works again and is used", before + 1)
        until(lambda: listed(c), "the list is used again")
        assert d.status()["list[two.example]"] == "on ipv4"
    assert d.status()["list[two.example].switched-off"] == 4
    c.close()


def test_many(d, names):
    """A thousand wait for DNS; the rest does not notice."""
    fronts = [d.front(30), d.front(30)]
    other = d.front(30)
    judge(other, LETTER)
    t = time.monotonic()
    for i in range(1000):
        ask(fronts[i % 2], LETTER, job=i, sender="x@%s.silent.wrong"
            % fresh())
    times = []
    while time.monotonic() - t < LIMIT - 0.5:
        s = time.monotonic()
        v = judge(other, LETTER, sender="x@%s.late0.wrong" % fresh())
        times.append(time.monotonic() - s)
        assert "DNS_GIVEN_UP" not in v.symbols(), v.hits
        assert "spf=none" in v.trace, v.trace
        assert v.rdns == "mx.a.example", v.rdns
        if len(times) == 20:
            parked = d.status()["parked"]
            assert parked > 900, parked
    for i in range(1000):
        _, _, payload = fronts[i % 2].recv()
        v = Verdict(payload)
        assert "DNS_GIVEN_UP" in v.symbols(), v.hits
    took = time.monotonic() - t
    print("  1000 in %.1f s, meanwhile %d of at most %.0f ms (half of them "
          "%.1f ms)" % (took, len(times), max(times) * 1000,
                        sorted(times)[len(times) // 2] * 1000))
    assert took < LIMIT + 2, took
    assert len(times) > 20 and max(times) < 1, max(times)
    for c in fronts + [other]:
        c.close()


def test_dead(d, names):
    """No answer to anything."""
    c = d.front(30)
    names.dead = True
    slow = []
    for i in range(16):
        t = time.monotonic()
        v = judge(c, UNDATED, sender="x@%s.b.example" % fresh(),
                  client="192.0.%d.77" % (i + 100))
        slow.append(time.monotonic() - t)
        assert "MISSING_DATE" in v.symbols(), v.hits
        assert not {"NO_RDNS", "SENDER_DOMAIN_NO_MX"} & set(v.symbols())
    assert max(slow) < LIMIT + 1, slow
    assert sum(1 for s in slow if s > 1) <= 8, slow
    assert d.status()["dns-unwaited"] >= 1
    names.dead = False
    until(lambda: judge(c, LETTER, sender="x@%s.b.example" % fresh())
          and d.status()["dns-unwaited"] == 0, "DNS is waited for again")
    c.close()


def test_mad_at_start(directory):
    """A list that has everything does not refuse the first message."""
    names = wrongdns.WrongServer(RECORDS)
    names.zones[".two.example"] = wrongdns.WrongServer.all_of("127.0.0.2")
    names.delay[".two.example"] = 0.5
    names.start()
    d = Scand(directory, names.port, config=CONFIG)
    try:
        v = judge(d.front(30), LINK)
        assert v.symbols() == ["URL_LISTED"], v.hits
        d.wait("dnsbl two.example is SWITCHED OFF")
    finally:
        end(d)


def test_silent_at_start(directory):
    """Messages do not wait for ever for the test of the lists."""
    names = wrongdns.WrongServer(RECORDS)
    names.dead = True
    names.start()
    d = Scand(directory, names.port, config=CONFIG)
    try:
        t = time.monotonic()
        c = d.front(30)
        v = judge(c, UNDATED, deadline=30000)
        took = time.monotonic() - t
        assert "MISSING_DATE" in v.symbols(), v.hits
        assert took < 5 + LIMIT + 1, took
        assert d.status()["list[two.example]"] == "untested, silent"
        names.dead = False
        until(lambda: d.status()["list[two.example]"] == "on ipv4",
              "lists are used", 20)
        until(lambda: listed(c), "the list is used")
    finally:
        end(d)


def end(d):
    d.process.terminate()
    try:
        d.process.wait(20)
    except subprocess.TimeoutExpired:
        d.process.kill()
        d.process.wait()


def one_daemon(directory, tests):
    names = wrongdns.WrongServer(RECORDS)
    names.ttl = 1
    names.start()
    d = Scand(directory, names.port, config=CONFIG)
    try:
        for test in tests:
            t = time.time()
            test(d, names)
            print("%s: %.1f s" % (test.__name__, time.time() - t), flush=True)
    except BaseException:
        print(d.text()[-20000:])
        raise
    finally:
        end(d)
    assert not re.search(r"died of|broken|does not decode", d.text()), \
        d.text()[-8000:]


def main():
    if os.geteuid() != 0 or not os.access(SCAND, os.X_OK):
        print("needs root and a built scand")
        return 77
    users = os.path.join(TOP, "etc", "setup-users")
    prefix = scand_test.PREFIX
    only = sys.argv[1:]
    tests = [test_senders, test_clients, test_spf, test_lists,
             test_silent_list, test_switched_off, test_many, test_dead]
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        subprocess.run([users, prefix], check=True)
        try:
            run = [t for t in tests if not only or t.__name__ in only]
            if run:
                os.mkdir(directory + "/all", 0o755)
                one_daemon(directory + "/all", run)
            for test in (test_mad_at_start, test_silent_at_start):
                if only and test.__name__ not in only:
                    continue
                os.mkdir(f"{directory}/{test.__name__}", 0o755)
                t = time.time()
                test(f"{directory}/{test.__name__}")
                print("%s: %.1f s" % (test.__name__, time.time() - t))
        finally:
            subprocess.run([users, "-r", prefix], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
