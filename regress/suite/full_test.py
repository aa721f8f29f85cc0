#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: timeout=120
"""The spool's disk is full: clients are told to come again, nothing that was
accepted is lost, and when there is room all goes on by itself."""

import ctypes
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import letter                               # noqa: E402
from client import send_mail                # noqa: E402
from net import until                       # noqa: E402
from world import SKIP, World, main         # noqa: E402

CLONE_NEWNS = 0x20000
MESSAGE = 100000
CONFIG = """\
queue retry 1s max 1s warn 1h expire 5d
greylist at 50.0 delay 1s window 1d keep 36d
reject at 100.0
"""


def private_mounts():
    """What is mounted from here on is ours alone, and goes with us."""
    if sys.platform != "linux" or \
            ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0 or \
            subprocess.run(["mount", "--make-rprivate", "/"],
                           check=False).returncode != 0:
        print("skipped: no private mounts here")
        sys.exit(SKIP)


def send(w, n, size=MESSAGE):
    content = letter.letter(letter.canary(n), f"no {n}", size)
    stage, lines = send_mail(w.gw.addr, 25, w.net.addr(9),
                             "anna@sender.example", ["bert@uni-a.example"],
                             content, "mx.sender.example")
    return stage, lines[-1]


def full():
    private_mounts()
    with World(CONFIG, {"mx": "refuse"}, start=False) as w:
        spool = os.path.join(w.gw.dir, "spool")
        os.mkdir(spool)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs",
                        spool], check=True)
        w.gw.start()
        accepted = 0
        for n in range(20):
            stage, line = send(w, n)
            if not line.startswith("250"):
                break
            accepted += 1
        w.note(f"{accepted} accepted, then {stage}: {line}")
        assert 3 <= accepted < 12 and line.startswith("45"), line
        # Nobody has died of it, and it is still so for others.
        assert send(w, 100)[1].startswith("45")
        assert len(w.gw.spooled()) == accepted, w.gw.spooled()
        # Also at a start.
        assert w.gw.stop_daemon("relayd-out") == 0
        w.gw.start_daemon("relayd-out")
        w.gw.ready(["relayd-out"])
        assert len(w.gw.spooled()) == accepted, w.gw.spooled()
        w.mx.up()
        w.mx.wait(accepted)
        until(lambda: not w.gw.spooled(), "the spool is empty")
        until(lambda: send(w, 101)[1].startswith("250"),
              "mail is taken again", every=0.5)
        w.mx.wait(accepted + 1)
        assert len({m.sha256 for m in w.mx.messages}) == accepted + 1


main(full)
