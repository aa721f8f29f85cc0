# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Frames of common/imsg.h and the payloads of scand's verbs, for tests."""

import array
import fcntl
import os
import socket
import struct
import time

HELLO = 1
CLIENT, SCAN, VERDICT, CANCEL = 32, 33, 34, 35
CTL_STATUS, CTL_SCAN = 128, 129
CTL_RELOAD, CTL_TEXT, CTL_END = 131, 133, 134
HAS_FD = 0x80000000
ACTIONS = ("accept", "greylist", "tempfail", "reject")
SEALS = 0x1 | 0x2 | 0x4 | 0x8
F_ADD_SEALS = 1033


def text(s):
    b = s.encode() if isinstance(s, str) else s
    return struct.pack("=I", len(b)) + b


def netaddr(addr):
    """An address as 17 octets."""
    if ":" in addr:
        return b"\x06" + socket.inet_pton(socket.AF_INET6, addr)
    return b"\x04" + socket.inet_aton(addr) + bytes(12)


def sealed(content, seal=True):
    """The descriptor of a sealed memory file."""
    fd = os.memfd_create("message", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    if seal:
        fcntl.fcntl(fd, F_ADD_SEALS, SEALS)
    return fd


class Reader:
    """A payload, field by field."""

    def __init__(self, payload):
        self.p = payload
        self.at = 0

    def raw(self, n):
        self.at += n
        if self.at > len(self.p):
            raise ValueError("short payload")
        return self.p[self.at - n:self.at]

    def number(self, form):
        return struct.unpack("=" + form,
                             self.raw(struct.calcsize("=" + form)))[0]

    def text(self):
        return self.raw(self.number("I")).decode("latin-1")


class Verdict:
    def __init__(self, payload):
        r = Reader(payload)
        self.id = r.raw(17)[:16].decode()
        self.score = r.number("i") / 100
        self.ms = r.number("I")
        self.actions = [ACTIONS[a] for a in r.raw(r.number("H"))]
        self.hits = []
        for _ in range(r.number("H")):
            self.hits.append((r.text(), r.number("i") / 100, r.text()))
        self.reply, self.rdns, self.domain = r.text(), r.text(), r.text()
        self.trace, self.report = r.text(), r.text()
        if r.at != len(payload):
            raise ValueError("octets left over")

    def symbols(self):
        return [h[0] for h in self.hits]


class Channel:
    """A connection to a daemon's socket."""

    def __init__(self, path, hello=True, patience=10):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(patience)
        self.sock.connect(path)
        self.buf = b""
        if hello:
            self.send(HELLO, 0, struct.pack("=III", 1, 1, 0))
            kind, _, payload = self.recv()
            if kind != HELLO:
                raise ValueError("no HELLO")
            self.credits = struct.unpack("=III", payload)[2]

    def send(self, kind, job, payload=b"", fd=None):
        head = struct.pack("=IIII", kind, len(payload) |
                           (HAS_FD if fd is not None else 0), job,
                           os.getpid())
        rights = []
        if fd is not None:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                       array.array("i", [fd]))]
        data = head + payload
        n = self.sock.sendmsg([data], rights)
        if n < len(data):
            self.sock.sendall(data[n:])
        if fd is not None:
            os.close(fd)

    def recv(self):
        """The next frame, or None at the end."""
        while True:
            if len(self.buf) >= 16:
                kind, n, job, _ = struct.unpack("=IIII", self.buf[:16])
                n &= ~HAS_FD
                if len(self.buf) >= 16 + n:
                    payload = self.buf[16:16 + n]
                    self.buf = self.buf[16 + n:]
                    return kind, job, payload
            more = self.sock.recv(65536)
            if not more:
                return None
            self.buf += more

    def close(self):
        self.sock.close()


DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
serial = [0]


def new_id():
    serial[0] += 1
    n = (int(time.time() * 1000) << 35) + serial[0]
    return "".join(DIGITS[n >> 5 * i & 31] for i in range(15, -1, -1))


def policy(role=0, greylist=4.0, reject=8.0, decisive=3,
           participant="uni"):
    return struct.pack("=Bii", role, round(greylist * 100),
                       round(reject * 100)) + bytes(
                           [decisive] * 9 + [0, 0]) + text(participant)


def scan(content, client="192.0.2.9", helo="mx.a.example", ident=None,
         sender="x@a.example", deadline=10000, group=0, policies=None,
         size=None):
    """The payload of SCAN."""
    policies = policies or [policy()]
    return ((ident or new_id()).encode() + b"\0" +
            struct.pack("=IBB", deadline, 0, group) + netaddr(client) +
            text(helo) + text("") + text(sender) +
            struct.pack("=Q", len(content) if size is None else size) +
            bytes(32) + struct.pack("=H", 1) + text("z@uni.example\n") +
            struct.pack("=H", len(policies)) + b"".join(policies))
