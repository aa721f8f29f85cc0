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

import gateway                              # noqa: E402
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


def warm_up(w):
    """What each process takes once, for its first messages, is no bound."""
    spam = letter.letter("warm") + letter.GTUBE.encode() + b"\r\n"
    for i in range(20):
        stage, lines = send_mail(
            w.gw.addr, 25, w.net.addr(100 + i), "anna@sender.example",
            ["bert@uni-a.example"], spam, "mx.sender.example", 30)
        assert lines[-1].startswith("554"), (stage, lines)


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


class Watch:
    """The most descriptors of each process, and memory of all together,
    while the clients wait."""

    def __init__(self, w):
        self.w = w
        self.before = descriptors(w.gw)
        self.kilobytes = w.gw.memory()[0]
        self.worst, self.grown, self.hop = {}, 0, 0

    def until_answered(self, threads):
        while any(t.is_alive() for t in threads):
            for title, n in descriptors(self.w.gw).items():
                self.worst[title] = max(self.worst.get(title, 0), n)
            self.grown = max(self.grown, self.w.gw.memory()[0] -
                             self.kilobytes)
            self.hop = max(self.hop, self.w.mx.now)
            time.sleep(0.3)

    def note(self, what, answers):
        slowest = max(a[2] for a in answers)
        self.w.note(f"{what}: slowest answer {slowest:.1f} s, {self.hop} "
                    f"connections to the next hop, {self.grown} kB more, "
                    f"descriptors at most {self.worst}")

    def bounded(self, **most):
        """Descriptors above those before, by title; the others few."""
        for title, n in self.worst.items():
            name = title.partition("[")[0]
            limit = self.before.get(title, 0) + most.get(name, 50)
            assert n <= limit, f"{title}: {n} descriptors, limit {limit}"
        # 2,000 octets each, a page or two in a memory file, the client's
        # lines, and what is known of it in three daemons: 25 to 45 kB.
        assert self.grown < 80 * MANY or gateway.sanitized(), \
            f"{self.grown} kB more"


def check(answers, code, within):
    wrong = [a for a in answers if a[0] != "dot" or
             not a[1].startswith(code) or a[2] > within]
    assert not wrong, f"{len(wrong)} of {len(answers)} not {code} in " \
        f"{within} s, the first {wrong[:5]}"


def scand_stops():
    with World(CONFIG) as w:
        warm_up(w)
        watch = Watch(w)
        pids = w.gw.kill("broker", signal.SIGSTOP)
        answers = []
        watch.until_answered(send_many(w, answers))
        watch.note("scand stopped", answers)
        check(answers, "451", DEADLINE + 20)
        # A message, its client, and a copy on its way.
        watch.bounded(smtp=3 * MANY)
        for pid in pids:
            w.gw.signal_pid(pid, signal.SIGCONT)
        answers = []
        for t in send_many(w, answers):
            t.join()
        check(answers, "250", DEADLINE + 20)
        w.mx.wait(MANY, 60)
        until(lambda: all(n <= watch.before[t] + 30 for t, n in
                          descriptors(w.gw).items() if t in watch.before
                          and t != "spool[0]"),
              "descriptors are given back", 30)


def hop_hangs():
    with World(CONFIG, {"mx": "rcpt: hang"}) as w:
        warm_up(w)
        watch = Watch(w)
        answers = []
        watch.until_answered(send_many(w, answers))
        watch.note("next hop hangs", answers)
        check(answers, "250", DEADLINE + 20)
        assert watch.hop <= 10, f"{watch.hop} connections to one next hop"
        # broker holds what waits for a scanner.  queue holds what it was
        # given until it is durable, with a copy on its way to spool; that
        # keeps files of small messages open, to use them again.
        watch.bounded(smtp=3 * MANY, broker=MANY, queue=2 * MANY, spool=1100)
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
