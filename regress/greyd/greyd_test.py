#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""greyd as a whole: questions over its socket, kill -9, reload, restart."""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

OBJ = os.environ.get("OBJ", "obj")
CONF = """service "a.example"
node "a.example"
listen on 127.0.0.1 port 2525
antivirus builtin
greylist at 4.0 delay %ds window 1h keep 2h
reject at 8.0
directory runtime "%s/run" spool "%s/spool" state "%s/db"
participant "a" contact "p@a.example" {
	domain "a.example" deliver to 127.0.0.1
}
"""
HELLO, CANCEL, GREY, GREYED, RATE, EVENT = 1, 35, 64, 65, 66, 67
STATUS, RELOAD, TEXT, END = 128, 131, 133, 134


def text(s):
    s = s.encode()
    return struct.pack("=I", len(s)) + s


def addr(s):
    if ":" in s:
        return b"\6" + socket.inet_pton(socket.AF_INET6, s)
    return b"\4" + socket.inet_pton(socket.AF_INET, s) + bytes(12)


class Channel:
    def __init__(self, path, greet):
        end = time.time() + 10
        while True:
            try:
                self.s = socket.socket(socket.AF_UNIX)
                self.s.settimeout(10)
                self.s.connect(path)
                self.buf = b""
                if greet:
                    self.send(HELLO, 0, struct.pack("=III", 1, 1, 0))
                    kind, _, data = self.frame()
                    assert kind == HELLO
                    self.credits = struct.unpack("=III", data)[2]
                return
            except (ConnectionError, FileNotFoundError):
                if time.time() > end:
                    raise
                time.sleep(0.05)

    def send(self, kind, job, data):
        self.s.sendall(struct.pack("=IIII", kind, len(data), job, 1) + data)

    def frame(self):
        while True:
            if len(self.buf) >= 16:
                kind, n, job, _ = struct.unpack("=IIII", self.buf[:16])
                if len(self.buf) >= 16 + n:
                    data = self.buf[16:16 + n]
                    self.buf = self.buf[16 + n:]
                    return kind, job, data
            more = self.s.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.buf += more

    def answer(self, job):
        kind, got, data = self.frame()
        assert (kind, got) == (GREYED, job), (kind, got)
        ok, wait, n = struct.unpack("=BII", data[:9])
        assert len(data) == 9 + n
        return bool(ok), wait, data[9:].decode()

    def grey(self, ident, sender, rcpt="a.example", client="192.0.2.9",
             domain="", job=7):
        self.send(GREY, job, ident.encode().ljust(17, b"\0") + addr(client) +
                  text(sender) + text(domain) + text(rcpt) +
                  struct.pack("=i", 550))
        return self.answer(job)

    def rate(self, key, cost, limit, period, job=8):
        self.send(RATE, job, text(key) + struct.pack("=III", cost, limit,
                                                     period))
        return self.answer(job)

    def control(self, kind):
        self.send(kind, 0, b"")
        out = ""
        while True:
            kind, _, data = self.frame()
            if kind == TEXT:
                out += data[4:].decode()
                continue
            assert kind == END
            return data[0], out + data[5:].decode()


class Greyd:
    def __init__(self, tmp):
        self.tmp = tmp
        self.log = open(tmp + "/log", "ab")
        self.configure(300)
        self.start()

    def configure(self, delay):
        with open(self.tmp + "/conf", "w") as f:
            f.write(CONF % (delay, self.tmp, self.tmp, self.tmp))

    def start(self):
        self.p = subprocess.Popen([OBJ + "/greyd/greyd", "-d", "-f",
                                   self.tmp + "/conf"], stderr=self.log)

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        assert self.p.wait(30) == 0

    def channel(self):
        return Channel(self.tmp + "/run/greyd.sock", True)

    def control(self):
        return Channel(self.tmp + "/run/greyd.ctl", False)

    def child(self):
        with open("/proc/%d/task/%d/children" % (self.p.pid,
                                                 self.p.pid)) as f:
            return int(f.read().split()[0])

    def text(self):
        with open(self.tmp + "/log", errors="replace") as f:
            return f.read()

    def tells(self, words):
        """Its parent writes what its children log, a moment later."""
        end = time.time() + 10
        while words not in self.text():
            assert time.time() < end, words
            time.sleep(0.02)

    def status(self):
        code, out = self.control().control(STATUS)
        assert code == 0, out
        return dict(x.split(" ", 1) for x in out.splitlines())


def run(d):
    c = d.channel()
    assert c.credits == 256
    assert c.grey("0000000000000001", "a@x.example") == \
        (False, 300, "first contact")
    ok, wait, why = c.grey("0000000000000002", "a@x.example")
    assert not ok and 295 <= wait <= 300 and why == "too early"
    # The same question again, also after kill -9.
    assert c.grey("0000000000000001", "a@x.example") == \
        (False, 300, "first contact")
    for i in range(3):
        assert c.rate("relay 192.0.2.77", 1, 3, 3600)[0]
    ok, wait, why = c.rate("relay 192.0.2.77", 1, 3, 3600)
    assert not ok and wait > 0 and why == "limit reached"
    c.send(EVENT, 0, b"\0" + addr("192.0.2.9") + text("trap@a.example"))
    c.send(CANCEL, 7, b"")

    os.kill(d.child(), signal.SIGKILL)
    c = d.channel()
    assert c.grey("0000000000000001", "a@x.example") == \
        (False, 300, "first contact")
    assert c.grey("0000000000000003", "a@x.example")[2] == "too early"
    assert not c.rate("relay 192.0.2.77", 1, 3, 3600)[0]

    # With a shorter delay, by reload: the retry passes now.
    d.configure(1)
    time.sleep(1.1)
    code, out = d.control().control(RELOAD)
    assert code == 0 and "configuration 2" in out, out
    end = time.time() + 10
    while time.time() < end:
        try:
            if d.status()["generation"] == "2":
                break
        except ConnectionError:
            pass
        time.sleep(0.05)
    c = d.channel()
    ok, wait, why = c.grey("0000000000000004", "a@x.example")
    assert ok and wait == 0 and why.startswith("retry after"), why

    # A restart keeps it.
    d.stop()
    d.start()
    c = d.channel()
    assert c.grey("0000000000000005", "a@x.example")[2].startswith("known")

    # What does not decode closes its channel only.
    bad = d.channel()
    bad.send(GREY, 1, b"nonsense")
    try:
        bad.frame()
        sys.exit("nonsense was answered")
    except ConnectionError:
        pass
    assert c.grey("0000000000000006", "a@x.example")[0]

    # Many at once.
    for i in range(200):
        c.send(GREY, i, b"%016d" % (1000 + i) + b"\0" + addr("2001:db8::1") +
               text("m%d@x.example" % i) + text("") +
               text("\n".join("d%d.example" % n for n in range(100))) +
               struct.pack("=i", 400))
    for i in range(200):
        assert c.answer(i)[0] is False
    st = d.status()
    assert st["grey.asked"] == "202" and st["grey.wait"] == "200", st
    assert int(st["store.records"]) >= 20000, st

    # A file that is no database any more.
    os.kill(d.p.pid, signal.SIGSTOP)
    os.kill(d.child(), signal.SIGKILL)
    with open(d.tmp + "/db/greyd.mdb", "r+b") as f:
        f.truncate(os.path.getsize(d.tmp + "/db/greyd.mdb") // 2)
    os.kill(d.p.pid, signal.SIGCONT)
    c = d.channel()
    assert c.grey("0000000000000007", "a@x.example")[2] == "first contact"
    assert os.path.exists(d.tmp + "/db/greyd.mdb.damaged")
    d.tells("is damaged")

    # No address in clear, and only the child's user reads it.
    for name in os.listdir(d.tmp + "/db"):
        with open(d.tmp + "/db/" + name, "rb") as f:
            assert b"x.example" not in f.read(), name
    assert os.stat(d.tmp + "/db/greyd.mdb").st_mode & 0o77 == 0
    log = d.text()
    assert re.search(r'id=0000000000000001 ev=grey result=wait wait=300 '
                     r'why="first contact" client=192\.0\.2\.0/24 '
                     r'score=5\.50\n', log), log
    assert re.search(r'ev=rate result=wait wait=\d+ '
                     r'key="relay 192\.0\.2\.77"\n', log), log
    assert re.search(r'id=0000000000000001 .* repeated=1\n', log), log
    d.stop()
    for word in "forbidden", "is not for us":
        assert word not in d.text(), d.text()


def main():
    if os.geteuid() != 0:
        print("needs root")
        return 77
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        d = Greyd(tmp)
        try:
            run(d)
        except BaseException:
            print(d.text())
            raise
        finally:
            d.p.kill()
            d.p.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
