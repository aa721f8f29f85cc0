# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""relayd-out alone: the daemon, a name server, next hops, and who puts
messages into it (put.c) and asks its queue."""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "regress", "lib"))
sys.dont_write_bytecode = True
import dns                      # noqa: E402
import gateway                  # noqa: E402
from net import Net, until      # noqa: E402
from sink import Sink, make_certificate     # noqa: E402

NAME = "relayd-out"
VERB_CTL_STATUS, VERB_CTL_QUEUE = 128, 130
VERB_CTL_TEXT, VERB_CTL_END = 133, 134
PUT = os.path.join(gateway.objects(), "regress", "relayd-out", "put")


def missing():
    if os.geteuid() != 0:
        return "only root can start the daemon"
    if gateway.program(NAME) is None or not os.access(PUT, os.X_OK):
        return "not built"
    if dns.program() is None:
        return "knotd is not installed"
    return None


class Relay:
    def __init__(self, config="", hop="", zone=""):
        self.dir = tempfile.mkdtemp(prefix="relay.")
        os.chmod(self.dir, 0o711)
        self.net = Net()
        self.gw = gateway.Gateway(self.dir, self.net, config)
        certificate = make_certificate(self.dir, "mx1.uni-a.example")
        self.mx = Sink(self.net.addr(25), rules=hop, certificate=certificate)
        self.world = Sink(self.net.addr(26), name="mx.world.example",
                          certificate=certificate)
        self.dns = dns.NameServer(
            self.dir, self.net.addr(53),
            self.gw.expand(gateway.DNS + zone))

    def __enter__(self):
        self.dns.start()
        self.mx.start()
        self.world.start()
        self.start()
        return self

    def __exit__(self, kind, value, tb):
        if kind is not None:
            print("\n".join(self.gw.log.tail(40)))
        self.status = self.gw.stop_daemon(NAME)
        self.trouble = [text for _, _, text in self.gw.log.lines
                        if gateway.TROUBLE.search(text)]
        self.mx.stop()
        self.world.stop()
        self.dns.stop()
        self.net.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        return False

    def start(self):
        self.gw.start_daemon(NAME)
        self.gw.ready([NAME])

    def stop(self):
        return self.gw.stop_daemon(NAME)

    def put(self, *args, wait=True):
        """Runs put; [(id, status)], or the process with wait=False."""
        p = subprocess.Popen(
            [PUT, *[a for a in args if a.startswith("-") or a[:1].isdigit()
                    or a[:1] == "/"],
             os.path.join(self.gw.dir, "run", NAME + ".sock"),
             *[a for a in args if "@" in a]],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        return self.answers(p) if wait else p

    @staticmethod
    def answers(p, timeout=60):
        out, _ = p.communicate(timeout=timeout)
        return [tuple(line.split()[:2]) for line in out.splitlines()]

    def spool_files(self):
        return self.gw.spooled()

    def children(self, title):
        return [pid for pid, ppid, _, t in self.gw.children()
                if ppid and t.startswith(title)]

    def control(self, *words):
        """The answer of the queue to gwctl's words: (status, text)."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(self.gw.dir, "run", NAME + ".ctl"))
            s.settimeout(20)
            data = b"".join(struct.pack("=I", len(w)) + w.encode()
                            for w in words)
            verb = VERB_CTL_QUEUE if words else VERB_CTL_STATUS
            s.sendall(struct.pack("=IIII", verb, len(data), 7, 0) + data)
            buf, text = b"", ""
            while True:
                while len(buf) < 16 or \
                        len(buf) < 16 + struct.unpack("=I", buf[4:8])[0]:
                    piece = s.recv(65536)
                    if not piece:
                        raise EOFError(text)
                    buf += piece
                verb, n, job, _ = struct.unpack("=IIII", buf[:16])
                data, buf = buf[16:16 + n], buf[16 + n:]
                if job != 7:
                    raise ValueError(f"job {job}")
                if verb == VERB_CTL_TEXT:
                    text += data[4:].decode()
                elif verb == VERB_CTL_END:
                    return data[0], text + data[5:].decode()
                else:
                    raise ValueError(f"verb {verb}")


def test_ids(messages):
    """The ids that generated messages say they have."""
    return [m.group(1).decode() for m in
            (re.search(rb"^X-Test-Id: (\w+)\r$", x.data, re.M)
             for x in messages) if m]


__all__ = ["Relay", "missing", "test_ids", "until"]
