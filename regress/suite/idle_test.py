#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: serial plain timeout=120
"""2,000 idle connections: others are served, and each costs little memory."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import time             # noqa: E402

import letter                               # noqa: E402
from client import Session, send_mail       # noqa: E402
from net import until                       # noqa: E402
from world import World, main               # noqa: E402

MANY = 2000
LIMIT = 4096            # octets of our processes for one
CONFIG = """\
processes smtp 2 scanner 1 deliver 1
limit connections 3000
limit connections per network 3000
"""


def served(w, n):
    """A real client has its message delivered meanwhile."""
    since = time.monotonic()
    stage, lines = send_mail(w.gw.addr, 25, w.net.addr(9),
                             "anna@sender.example", ["bert@uni-a.example"],
                             letter.letter(letter.canary(n)),
                             "mx.sender.example")
    assert lines[-1].startswith("250"), (stage, lines)
    w.mx.wait(n)
    return time.monotonic() - since


def idle():
    with World(CONFIG) as w:
        served(w, 1)
        held = []
        before = w.gw.memory()
        for i in range(MANY):
            s = Session(w.gw.addr, 25, w.net.addr(100 + i % 20))
            assert s.reply()[-1].startswith("220")
            held.append(s)
        banner = w.gw.memory()
        took = served(w, 2)
        for s in held:
            s.command("EHLO mx.sender.example")
            # Idle between transactions, as most are.
            s.send(b"MAIL FROM:<anna@sender.example>\r\n"
                   b"RCPT TO:<bert@uni-a.example>\r\nRSET\r\n")
            assert [s.reply()[-1][:3] for _ in "123"] == ["250"] * 3
        after = w.gw.memory()
        each = [(m[0] - before[0]) * 1024 / MANY for m in (banner, after)]
        w.note(f"{MANY} connections: {each[0]:.0f} octets each after the "
               f"greeting, {each[1]:.0f} after a transaction; "
               f"{after[1] - before[1]} descriptors; a message meanwhile in "
               f"{took * 1000:.0f} ms")
        assert after[1] - before[1] <= MANY + 20, (before, after)
        took = served(w, 3)
        assert took < 5, took
        for s in held:
            s.close()
        until(lambda: w.gw.memory()[1] <= before[1] + 10,
              "descriptors are given back")
        served(w, 4)
        assert max(each) <= LIMIT, each


main(idle)
