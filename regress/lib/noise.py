# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Clients that talk nonsense: random octets, cut and mangled dialogues, long
lines, broken TLS.  Nothing dies, nothing grows, and others are served."""

import os
import random
import socket
import threading
import time

from client import send_mail
from net import until
from world import World

CONFIG = """\
processes smtp 2 scanner 1 deliver 1
limit idle 5s
limit data 5s
limit errors 20
limit connections 500
limit connections per network 500
"""
LINES = [
    b"EHLO mx.sender.example\r\n", b"HELO x.example\r\n", b"HELO\r\n",
    b"MAIL FROM:<a@sender.example>\r\n", b"MAIL FROM:<> SIZE=100\r\n",
    b"MAIL FROM:<a@b.example> BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=x\r\n",
    b"RCPT TO:<bert@uni-a.example>\r\n", b"RCPT TO:<x@y.example>\r\n",
    b"RCPT TO:<noreply@uni-a.example> NOTIFY=NEVER\r\n", b"DATA\r\n",
    b"Subject: x\r\n\r\nhello\r\n.\r\n", b"\r\n.\r\n", b".\r\n", b"RSET\r\n",
    b"NOOP\r\n", b"QUIT\r\n", b"STARTTLS\r\n", b"VRFY x\r\n", b"HELP\r\n",
    b"BDAT 10 LAST\r\n", b"\r\n", b"\n", b"\r", b"\0", b"x" * 5000,
    b"Content-Type: multipart/mixed; boundary=\"a\r\n\r\n--a\r\n--a--\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


def babble(rng):
    """One client's octets, in pieces."""
    kind = rng.random()
    if kind < 0.2:
        return [rng.randbytes(rng.randrange(1, 4000))
                for _ in range(rng.randrange(1, 5))]
    out = []
    if kind < 0.8:      # up to somewhere in a sensible dialogue
        out = LINES[:1] + LINES[3:4] + LINES[6:7] + LINES[9:11]
        out = out[:rng.randrange(len(out) + 1)]
    for _ in range(rng.randrange(12)):
        line = bytearray(rng.choice(LINES))
        if rng.random() < 0.4 and line:
            for _ in range(rng.randrange(1, 4)):
                line[rng.randrange(len(line))] = rng.randrange(256)
        if rng.random() < 0.1:
            line = line[:rng.randrange(len(line) + 1)]
        out.append(bytes(line))
    if rng.random() < 0.2:
        out.append(rng.randbytes(rng.randrange(20000)))
    return out


class Babbler(threading.Thread):
    def __init__(self, gw, seed, ending):
        super().__init__(daemon=True)
        self.gw, self.ending = gw, ending
        self.rng = random.Random(seed)
        self.sessions = 0

    def run(self):
        while not self.ending.is_set():
            self.sessions += 1
            try:
                self.talk()
            except OSError:
                pass

    def talk(self):
        with socket.create_connection(
                (self.gw.addr, 25), 10,
                (self.gw.net.addr(self.rng.randrange(100, 110)), 0)) as s:
            s.settimeout(0.02)
            for piece in babble(self.rng):
                s.settimeout(10)
                s.sendall(piece)
                s.settimeout(0.02 if self.rng.random() < 0.7 else 0.001)
                try:
                    if not s.recv(65536):
                        return
                except (TimeoutError, socket.timeout):
                    pass
            if self.rng.random() < 0.5:
                s.shutdown(socket.SHUT_WR)
                s.settimeout(2)
                while s.recv(65536):
                    pass


def served(w):
    stage, lines = send_mail(w.gw.addr, 25, w.net.addr(9),
                             "anna@sender.example", ["bert@uni-a.example"],
                             b"From: a@sender.example\r\nSubject: x\r\n"
                             b"\r\nx\r\n", "mx.sender.example", 30)
    assert lines[-1].startswith("250"), (stage, lines)


def run(seconds, babblers=4, growth=1.5):
    seed = int.from_bytes(os.urandom(4), "big")
    with World(CONFIG + "greylist at 50.0 delay 1s window 1d keep 36d\n"
               "reject at 100.0\n") as w:
        w.note(f"seed {seed}")
        w.gw.log.keep = False
        w.mx.keep = False
        ending = threading.Event()
        threads = [Babbler(w.gw, seed + i, ending) for i in range(babblers)]
        for t in threads:
            t.start()
        end = time.monotonic() + seconds
        warm = time.monotonic() + min(seconds / 3, 120)
        first = None
        while time.monotonic() < end:
            served(w)
            time.sleep(min(1, seconds / 20))
            if first is None and time.monotonic() > warm:
                first = w.gw.memory()
                w.note(f"memory {first[0]} kB, {first[1]} descriptors")
        ending.set()
        for t in threads:
            t.join(20)
        sessions = sum(t.sessions for t in threads)
        # All sessions end within their limits; then as many descriptors are
        # open as at the beginning, and memory has not grown much.
        base = first[1]
        until(lambda: w.gw.memory()[1] <= base + 10,
              "descriptors are given back", 30, 0.2)
        last = w.gw.memory()
        w.note(f"{sessions} sessions; memory {last[0]} kB, {last[1]} "
               "descriptors")
        if last[0] > first[0] * growth + 4096:
            w.bad.append(f"memory grew from {first[0]} to {last[0]} kB")
        served(w)
