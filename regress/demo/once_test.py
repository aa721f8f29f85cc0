#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""The demo of `make run' works, and leaves nothing behind; so it does when it
is ended in the middle, and when a daemon does not start."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))

import gateway      # noqa: E402
from net import PATIENCE, Net       # noqa: E402

RUN = os.path.join(HERE, "run")


def demo(net, *args, **kw):
    return subprocess.Popen([RUN, "--net", net.prefix, *args],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, **kw)


def nothing_left():
    left = [n for n in os.listdir(tempfile.gettempdir())
            if n.startswith("pf-demo.")]
    assert not left, left


def main():
    lacking = gateway.missing()
    if lacking:
        print("skipped:", lacking)
        return 77
    net = Net()
    p = demo(net, "--once")
    out = p.communicate(timeout=60)[0]
    print(out)
    assert p.returncode == 0, p.returncode
    for words in ("250 2.0.0", "554-5.7.1 Message rejected: SPAM message "
                  "rejected.", "550 5.7.1", "451-4.7.1", "every octet"):
        assert words in out, words
    nothing_left()

    p = demo(net)
    lines = []
    for line in p.stdout:
        lines.append(line)
        if "is your turn" in line:
            break
    assert p.poll() is None, "".join(lines)
    time.sleep(0.5)
    p.send_signal(signal.SIGINT)
    rest = p.communicate(timeout=PATIENCE + 40)[0]
    assert p.returncode == 0, rest
    assert "Stopping" in rest, rest
    nothing_left()

    p = demo(net, env=dict(os.environ, PF_USERS="_no_such_"))
    out = p.communicate(timeout=60)[0]
    assert p.returncode == 1 and "The demo failed" in out, out
    assert "no user" in out, out
    nothing_left()
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as s:
            s.bind((net.addr(1), 5399))
            if kind == socket.SOCK_STREAM:
                s.listen(1)
            p = demo(net, "--once")
            out = p.communicate(timeout=60)[0]
        assert p.returncode == 1 and out.count("\n") == 1, out
        assert "something else listens on" in out, out
        assert "port 5399, where the name server should" in out, out
        nothing_left()
    net.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
