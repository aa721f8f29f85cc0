#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Time: a delay is reported once, then the message is given up; and a disk
that is full: nothing is accepted, nothing is lost."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from relay import Relay, missing, until  # noqa: E402

CONFIG = "queue retry 1s max 1s warn 2s expire 4s\n"
PATIENT = "queue retry 1s max 1s warn 1h expire 5d\n"


def actions(sink, n):
    sink.wait(n)
    return sorted(line[8:].decode() for m in sink.messages
                  for line in m.data.split(b"\r\n")
                  if line.startswith(b"Action: "))


def expire():
    with Relay(CONFIG, "refuse") as r:
        (mid, _), = r.put("-fs@sender.example", "a@uni-a.example")
        (quiet, _), = r.put("-N1", "-fs@sender.example", "b@uni-a.example")
        (failure, _), = r.put("-N4", "-fs@sender.example", "c@uni-a.example")
        (null, _), = r.put("-z", "d@uni-a.example")
        # The first is delayed, then fails; the third only fails.
        assert actions(r.world, 3) == ["delayed", "failed", "failed"]
        for i in (mid, quiet, failure, null):
            until(lambda i=i: r.gw.log.events("expired", id=i), "expired")
        until(lambda: r.gw.log.events("undeliverable", id=null),
              "ev=undeliverable")
        assert not r.gw.log.events("bounce", id=quiet)
        until(lambda: not r.spool_files(), "the spool is empty")
        assert len(r.world.messages) == 3
    assert not r.trouble, r.trouble


def full():
    with Relay(PATIENT, "refuse") as r:
        assert r.stop() == 0
        spool = os.path.join(r.gw.dir, "spool")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs",
                           spool], stderr=subprocess.DEVNULL).returncode:
            print("full: no file system can be mounted here")
            return
        try:
            r.start()
            got = r.put("-n300", "-c20", "a@uni-a.example")
            durable = {i for i, s in got if s == "durable"}
            assert 20 < len(durable) < 200, len(durable)
            assert len(got) == 300
            assert r.stop() == 0
            r.start()           # on a full disk
            assert r.spool_files() == durable
            r.mx.up()
            r.control("retry", "all")
            r.mx.wait(len(durable))
            until(lambda: not r.spool_files(), "the spool is empty")
            assert len(r.mx.messages) == len(durable)
            (_, status), = r.put("a@uni-a.example")
            assert status == "durable"
            r.mx.wait(len(durable) + 1)
            r.stop()
        finally:
            subprocess.run(["umount", spool], check=True)
    assert not r.trouble, r.trouble


def main():
    why = missing()
    if why is not None:
        print(why)
        return 77
    expire()
    full()
    return 0


sys.exit(main())
