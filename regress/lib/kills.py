# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""kill -9 of random processes under load: nothing that was accepted is lost
or half, and the gateway is whole again by itself."""

import random
import time

from client import send_mail
from net import Late, until
from world import Load, World

CONFIG = """\
processes smtp 2 scanner 2 deliver 2
limit deadline 20s
limit connect 5s
queue retry 1s max 2s warn 1h expire 5d
greylist at 50.0 delay 1s window 1d keep 36d
reject at 100.0
"""
HOP = """\
5-5 dot: delay 0.5 ok
11-11 dot: 451 4.3.0 not now
17-17 rcpt: drop
23-23 dot: delay 1 451 4.3.0 later
"""


def victims(gw):
    """(what, pid): children mostly, now and then a whole daemon."""
    everybody = gw.children()
    children = [(f"{d}: {t}", pid) for pid, ppid, d, t in everybody if ppid]
    parents = [(d, pid) for pid, ppid, d, t in everybody if not ppid]
    return children, parents


def kill_one(gw, rng, w):
    children, parents = victims(gw)
    gw.remember()
    if rng.random() < 0.1 and parents:
        what, pid = rng.choice(parents)
        w.note(f"kill -9 {what} (parent)")
        gw.signal_pid(pid, 9)
        gw.processes[what].wait()
        # What rc or systemd does.
        for _ in range(100):
            del gw.processes[what]
            gw.start_daemon(what)
            try:
                gw.ready([what])
                return what
            except RuntimeError:
                time.sleep(0.1)     # its old children still hold something
        raise AssertionError(f"{what} cannot be started again")
    if children:
        what, pid = rng.choice(children)
        gw.signal_pid(pid, 9)
        return what
    return None


def whole(gw):
    """Every role of every daemon has its processes again."""
    titles = {t for _, ppid, d, t in gw.children() if ppid}
    return {"smtp[0]", "smtp[1]", "broker[0]", "scanner[0]", "scanner[1]",
            "store[0]", "queue[0]", "spool[0]", "deliver[0]", "deliver[1]",
            "resolver[0]"} <= titles


def run(seconds, pause, clients=4, seed=None):
    seed = seed if seed is not None else int(time.time())
    rng = random.Random(seed)
    with World(CONFIG, {"mx": HOP}) as w:
        gw = w.gw
        gw.deaths_expected = True
        load = Load(gw, clients, sources=(9, 10, 11, 12))
        w.note(f"seed {seed}")
        load.start()
        end = time.monotonic() + seconds
        killed = {}
        while time.monotonic() < end:
            time.sleep(rng.uniform(pause / 2, pause * 1.5))
            what = kill_one(gw, rng, w)
            killed[what] = killed.get(what, 0) + 1
        load.stop()
        w.note(load.summary())
        w.note(f"killed: {killed}")
        until(lambda: whole(gw), "all processes are there again", 30)
        bad = load.reckon([w.mx], 90)
        w.note(f"{load.twice} copies too many, {load.unasked} arrived "
               "whose clients were lost")
        if not load.accepted:
            bad.append("nothing was accepted")
        # And it serves as before.
        stage, lines = send_mail(gw.addr, 25, w.net.addr(9),
                                 "anna@sender.example",
                                 ["bert@uni-a.example"],
                                 b"Subject: after all\r\n\r\nx\r\n",
                                 "mx.sender.example")
        if not lines[-1].startswith("250"):
            bad.append(f"afterwards: {stage} {lines}")
        try:
            until(lambda: not gw.spooled(), "the spool is empty", 60, 0.1)
        except Late as e:
            bad.append(f"{e}: {sorted(gw.spooled())[:5]}")
        w.bad += bad
