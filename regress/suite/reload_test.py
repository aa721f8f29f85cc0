#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: timeout=180
"""Reloads and orderly restarts under load: no client is refused, nothing is
lost, and nothing comes twice."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import time             # noqa: E402

import gateway                              # noqa: E402
from net import until                       # noqa: E402
from world import Load, World, main         # noqa: E402

CONFIG = """\
processes smtp 2 scanner 2 deliver 2
greylist at 50.0 delay 1s window 1d keep 36d
reject at 100.0
"""


def reloaded(gw, names, since):
    """All processes of these daemons have been exchanged."""
    until(lambda: all(gw.log.find(
        lambda d, t: d == name and "all processes have" in t, since)
        for name in names), f"{names} have reloaded", 30)


def under_load():
    with World(CONFIG) as w:
        gw = w.gw
        load = Load(gw, 4, sources=(9, 10, 11, 12)).start()
        w.mx.wait(20)
        for i in range(3):
            gw.configure(f'participant "uni-a" {{ domain {{ "uni-a.example", '
                         f'"uni-{i}.example" }} deliver to '
                         '"mx1.uni-a.example" }')
            since = len(gw.log.lines)
            status, out, err = gw.gwctl("reload", timeout=60)
            assert status == 0, (out, err)
            reloaded(gw, gateway.DAEMONS, since)
            time.sleep(0.2)
        w.note("reloaded: " + load.summary())
        for name in gateway.DAEMONS:
            since = time.monotonic()
            status = gw.stop_daemon(name)
            assert status == 0, (name, status)
            stopped = time.monotonic()
            gw.start_daemon(name)
            gw.ready([name])
            w.note(f"{name} restarted: {stopped - since:.2f} s to stop, "
                   f"{time.monotonic() - stopped:.2f} s to start")
            time.sleep(0.5)
        load.stop()
        w.note(load.summary())
        w.bad += load.reckon([w.mx])
        if load.twice:
            w.bad.append(f"{load.twice} copies too many")
        if load.unasked:
            w.bad.append(f"{load.unasked} arrived whose clients were told "
                         "otherwise")
        if load.answers.get("250", 0) < 100:
            w.bad.append("hardly anything was accepted")
        until(lambda: not gw.spooled(), "the spool is empty", 60, 0.1)


main(under_load)
