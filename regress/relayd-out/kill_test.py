#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""kill -9 of relayd-out's processes under load, again and again: what was
answered "durable" arrives, whole; what is half written never does.

    kill_test.py [seconds [seed]]

regress: timeout=240
"""

import collections
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from relay import NAME, Relay, missing, test_ids, until  # noqa: E402

CONFIG = """\
processes smtp 1 scanner 1 deliver 2
queue retry 1s max 1s warn 1h expire 5d
"""
# A hop that is not quite well, so that messages are in all states.
HOP = """\
7-7 dot: delay 0.3 ok
50-60 dot: 451 4.3.0 not now
90-90 rcpt: drop
100-104 dot: delay 0.2 ok
"""
VICTIMS = ("spool", "spool", "queue", "queue", "deliver", "resolver")


def whole(r):
    return all(r.children(t) for t in
               ("spool[0]", "queue[0]", "deliver[0]", "deliver[1]",
                "resolver[0]"))


def kill_parent(r):
    """What rc or systemd does: the daemon is started again."""
    p = r.gw.processes[NAME]
    p.kill()
    p.wait()
    for _ in range(100):
        r.gw.start_daemon(NAME)
        try:
            r.gw.ready([NAME])
            return
        except RuntimeError:
            time.sleep(0.1)     # its old children still hold something
    raise AssertionError("the daemon cannot be started again")


def run(r, seconds, rng):
    killed = collections.Counter()
    loads = [r.put("-n100000", "-c10", "-s3000", "-t60000",
                   "a@uni-a.example", wait=False),
             r.put("-n100000", "-c5", "-s90000", "-t60000",
                   "a@uni-a.example", "b@uni-b.example", "c@world.example",
                   wait=False)]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(rng.uniform(0.05, 0.7))
        if rng.random() < 0.05:
            kill_parent(r)
            killed["parent"] += 1
            continue
        victim = rng.choice(VICTIMS)
        for pid in r.children(victim)[:1]:
            r.gw.signal_pid(pid, 9)
            killed[victim] += 1
    durable = []
    for p in loads:
        # What it has not been answered for is not promised.
        p.terminate()
        out, _ = p.communicate(timeout=30)
        durable.append([line.split()[0] for line in out.splitlines()
                        if line.endswith(" durable")])
    return killed, durable


def check(r, durable):
    single, triple = durable
    until(lambda: whole(r), "all processes are back", 30)
    r.control("retry", "all")
    until(lambda: "queue.messages 0\n" in r.control()[1],
          "the queue is empty", 60, 0.2)
    until(lambda: not r.spool_files(), "the spool is empty", 10)
    got = collections.Counter()
    for sink in (r.mx, r.world):
        for m in sink.messages:
            i, = test_ids([m])
            body = m.data.partition(b"\r\n\r\n")[2]
            assert re.fullmatch(rb"\.a line with a dot\r\n"
                                rb"(The quick brown fox [^\r\n]*\r\n)+",
                                body), (i, body[-200:])
            assert len(m.data) > (2900 if len(m.data) < 50000 else 89900), i
            for a in m.addresses:
                got[i, a] += 1
    want = [(i, "a@uni-a.example") for i in single + triple]
    want += [(i, "b@uni-b.example") for i in triple]
    want += [(i, "c@world.example") for i in triple]
    lost = [w for w in want if not got[w]]
    assert not lost, f"{len(lost)} of {len(want)} lost: {lost[:5]}"
    twice = sum(1 for n in got.values() if n > 1)
    assert not r.gw.log.events("broken"), r.gw.log.events("broken")
    return len(want), twice


def main():
    why = missing()
    if why is not None:
        print(why)
        return 77
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 15
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    print(f"seed {seed}")
    with Relay(CONFIG, HOP) as r:
        r.gw.deaths_expected = True
        killed, durable = run(r, seconds, random.Random(seed))
        n, twice = check(r, durable)
        print(f"{dict(killed)}: {n} deliveries, none lost, {twice} twice")
    bad = r.mx.violations + r.world.violations + r.trouble
    assert not bad, bad[:10]
    return 0


sys.exit(main())
