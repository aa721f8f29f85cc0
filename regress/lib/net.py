# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""A piece of the loopback network for one test: a /24 of its own.

Every test takes a free network 127.A.B.0/24, so that all of them can use the
real ports (25, 53) and the same last octets, side by side on one machine.
"""

import os
import random
import socket
import time

PATIENCE = float(os.environ.get("PF_PATIENCE", "20"))
LOCK_PORT = 1       # of address .254: whoever holds it owns the network


class Net:
    """$net.1 gateway, .2 its source address, .9 and others clients, .25 and
    on next hops, .53 the name server."""

    def __init__(self):
        rng = random.Random(os.urandom(8))
        for _ in range(1000):
            a, b = rng.randrange(16, 250), rng.randrange(0, 256)
            s = socket.socket()
            try:
                s.bind((f"127.{a}.{b}.254", LOCK_PORT))
                s.listen(1)
            except OSError:
                s.close()
                continue
            self.lock = s
            self.prefix = f"127.{a}.{b}"
            self.reverse = f"{b}.{a}.127"
            # ::1 is one for all: two ports of it are ours, most likely.
            self.port = 20000 + 2 * ((a * 256 + b) % 6000)
            return
        raise OSError("no free network on loopback")

    def expand(self, text):
        return (text.replace("$net", self.prefix)
                .replace("$rev", self.reverse)
                .replace("$hopport", str(self.port + 1))
                .replace("$port", str(self.port)))

    def addr(self, host):
        """Accepts 9, "9", "$net.9", or a whole address."""
        text = str(host).replace("$net", self.prefix)
        if text.isdigit():
            return f"{self.prefix}.{text}"
        if text.startswith("."):
            return self.prefix + text
        return text

    def close(self):
        self.lock.close()


class Late(Exception):
    """Something did not happen in time."""


def until(condition, what, timeout=None, every=0.01):
    """Waits until condition() is true and returns what it returned."""
    end = time.monotonic() + (PATIENCE if timeout is None else timeout)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Late(f"not in time: {what}")
        time.sleep(every)
        every = min(every * 1.5, 0.2)
