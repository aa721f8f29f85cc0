#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: timeout=120
"""A thousand messages wait for names that nobody answers for; the mail of
others goes through meanwhile, with one process of each kind."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import re               # noqa: E402
import time             # noqa: E402

import letter                               # noqa: E402
from client import Session, send_mail       # noqa: E402
from world import World, main               # noqa: E402
from wrongdns import WrongServer            # noqa: E402

MANY = 1000
WAIT = 4
CONFIG = f"""\
resolver $net.54
limit dns {WAIT}s
limit connections 2000
limit connections per network 2000
greylist at 50.0 delay 1s window 1d keep 36d
reject at 100.0
"""


def names(net):
    s = WrongServer({
        ("mx1.uni-a.example", "A"): net.addr(25),
        ("mx.sender.example", "A"): net.addr(9),
        ("9.%s.in-addr.arpa" % net.reverse, "PTR"): "mx.sender.example",
        ("sender.example", "MX"): "mx.sender.example",
        ("sender.example", "TXT"): "v=spf1 ip4:%s -all" % net.addr(9),
        ("2.0.0.127.bl.example.org", "A"): "127.0.0.2",
    }, net.addr(54), 53)
    s.start()
    return s


def opened(w, i):
    """A client that has said everything but the content."""
    s = Session(w.gw.addr, 25, w.net.addr(100 + i % 100))
    s.reply()
    for c in ("EHLO mx.sender.example", "MAIL FROM:<a@s%d.silent.wrong>" % i,
              "RCPT TO:<bert@uni-a.example>", "DATA"):
        lines = s.command(c)
        assert lines[-1][0] in "23", lines
    return s


def thousand_wait():
    with World(CONFIG, start=False) as w:
        names(w.net)
        w.gw.start()
        waiting = [opened(w, i) for i in range(MANY)]
        content = letter.letter(letter.canary("slow"))
        since = time.monotonic()
        for s in waiting:
            s.send(content + b".\r\n", note=False)
        times = []
        while time.monotonic() < since + WAIT - 0.5:
            t = time.monotonic()
            stage, lines = send_mail(
                w.gw.addr, 25, w.net.addr(9), "anna@sender.example",
                ["bert@uni-a.example"],
                letter.letter(letter.canary(len(times))),
                "mx.sender.example", 30)
            assert stage == "dot" and lines[-1].startswith("250"), lines
            times.append(time.monotonic() - t)
        for s in waiting:
            lines = s.reply(WAIT + 20)
            assert lines[-1].startswith("250"), lines
            s.close()
        took = time.monotonic() - since
        w.note(f"{MANY} waited {took:.1f} s, meanwhile {len(times)} others, "
               f"at most {max(times) * 1000:.0f} ms")
        assert len(times) > 10 and max(times) < 1.5, times
        assert took < WAIT + 15, took
        w.mx.wait(MANY + len(times), 30)
        for m in w.mx.messages:
            text = re.sub(r"\r\n[ \t]+", " ", m.data.decode())
            assert ("spf=pass" if m.sender == "anna@sender.example"
                    else "spf=temperror") in text, text


if __name__ == "__main__":
    main(thousand_wait)
