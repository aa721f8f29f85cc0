#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: timeout=180
"""Two gateways beside each other on one machine."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import gateway                              # noqa: E402
from client import send_mail                # noqa: E402
from world import Load, World, main         # noqa: E402

PASSING = """\
greylist at 50.0 delay 1s window 1d keep 36d
reject at 100.0
"""


def two():
    with World(gateways=False) as w:
        one = w.gateway(PASSING)
        second = gateway.CONFIG.replace("$net.1 ", "$net.11 ") \
            .replace("$net.2\n", "$net.12\n") \
            .replace("mail-in01", "mail-in02")
        other = w.gateway(PASSING, name="gw2", base=second,
                          addr=w.net.addr(11))
        one.start()
        other.start()
        loads = [Load(gw, 2).start() for gw in (one, other)]
        w.mx.wait(20)
        # One of them is stopped; the other does not notice.
        loads[0].stop()
        bad = one.stop()
        w.gateways.remove(one)
        for _ in range(5):
            stage, lines = send_mail(other.addr, 25, w.net.addr(9),
                                     "anna@sender.example",
                                     ["bert@uni-a.example"],
                                     b"Subject: x\r\n\r\nx\r\n")
            assert lines[-1].startswith("250"), (stage, lines)
        loads[1].stop()
        # Each has delivered its own mail, from its own address.
        for load in loads:
            load.hashes |= loads[0].hashes | loads[1].hashes
            bad += [b for b in load.reckon([w.mx]) if "not what" not in b]
        sources = {m.peer for m in w.mx.messages}
        assert sources == {w.net.addr(2), w.net.addr(12)}, sources
        w.bad += bad


main(two)
