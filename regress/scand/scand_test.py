#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""The whole of scand with a name server of its own: verdicts, repeated and
lost requests, scanners that are stopped and killed, reload, stop.

regress: timeout=120
"""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import frames  # noqa: E402
from frames import Channel, Verdict, policy, scan, sealed  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
OBJ = os.path.join(TOP, os.environ.get("OBJ", "obj"))
SCAND = os.path.join(OBJ, "scand", "scand")
PREFIX = "_t%d_" % os.getpid()

CONFIG = """\
service "mail-in.example.net"
node "mail-in01.example.net"
network {{ 192.0.2.0/24 }}
listen on 127.0.0.1 port 2525
antivirus builtin
dnsbl "bl.example.org" {{ 127.0.0.2 points 4.5 }}
resolver {{ 127.0.0.1 port {port} }}
directory runtime "{dir}/run" spool "{dir}/spool" state "{dir}/state"
user prefix "{prefix}"
processes scanner 2
limit dns 2s
{more}
participant "uni" contact "postmaster@uni.example" {{
	domain "uni.example" deliver to 192.0.2.77
}}
"""

LETTER = ("Date: %s\r\nFrom: X <x@a.example>\r\nTo: z@uni.example\r\n"
          "Subject: hello\r\nMessage-ID: <1@a.example>\r\n\r\n"
          "Hello.\r\n" % time.strftime("%a, %d %b %Y %H:%M:%S +0000",
                                       time.gmtime())).encode()
GTUBE = LETTER + (b"XJS*C4JDBQADN1.NSBN3*2IDNEN*" +
                  b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n")
EICAR = LETTER + (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" +
                  b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\r\n")

VECTORS = os.path.join(TOP, "regress", "scand", "auth", "dkim")


def vector(name):
    with open(os.path.join(VECTORS, name + ".eml"), "rb") as f:
        return f.read().replace(b"\n", b"\r\n")


def key(selector):
    with open(os.path.join(VECTORS, "keys.tsv"), encoding="utf-8") as f:
        for line in f:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == selector:
                return fields[2]
    raise ValueError(selector)


PTR, MX, TXT, A, AAAA = 12, 15, 16, 1, 28
ZONE = {
    ("9.2.0.192.in-addr.arpa", PTR): "mx.a.example",
    ("mx.a.example", A): "192.0.2.9",
    ("a.example", MX): "mx.a.example",
    ("2.0.0.127.bl.example.org", A): "127.0.0.2",
    ("66.2.0.192.bl.example.org", A): "127.0.0.2",
    ("sender.example", MX): "mx.a.example",
    ("sender.example", TXT): "v=spf1 a:mx.a.example -all",
    ("_dmarc.uni.example", TXT): "v=DMARC1; p=reject",
    ("_dmarc.football.example", TXT): "v=DMARC1; p=reject",
    ("rsa._domainkey.football.example", TXT): key("rsa"),
    ("ed._domainkey.football.example", TXT): key("ed"),
}


class Names(threading.Thread):
    """A name server by hand; names below `silent' get no answer."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.asked = []

    @staticmethod
    def wire(name):
        return b"".join(bytes([len(x)]) + x.encode()
                        for x in name.split(".")) + b"\0"

    @staticmethod
    def strings(text):
        return b"".join(bytes([len(text[i:i + 255])]) +
                        text[i:i + 255].encode()
                        for i in range(0, len(text), 255))

    def run(self):
        while True:
            q, peer = self.sock.recvfrom(4096)
            at, labels = 12, []
            while q[at]:
                labels.append(q[at + 1:at + 1 + q[at]].decode("latin-1"))
                at += 1 + q[at]
            name = ".".join(labels).lower()
            kind = struct.unpack("!H", q[at + 1:at + 3])[0]
            question = q[12:at + 5]
            self.asked.append((name, kind))
            if name.endswith("silent.example"):
                continue
            data, value = b"", ZONE.get((name, kind))
            if value is not None:
                rdata = (socket.inet_aton(value) if kind == A else
                         struct.pack("!H", 10) + self.wire(value)
                         if kind == MX else self.strings(value)
                         if kind == TXT else self.wire(value))
                data = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60,
                                                 len(rdata)) + rdata
            exists = any(n == name or n.endswith("." + name)
                         for n, _ in ZONE)
            flags = 0x8580 if exists else 0x8583
            self.sock.sendto(q[:2] + struct.pack(
                "!HHHHH", flags, 1, int(bool(data)), 0, 0) + question + data,
                peer)


class Scand:
    def __init__(self, directory, port, config=CONFIG, more=""):
        self.dir = directory
        self.config = config
        self.conf = os.path.join(directory, "pf.conf")
        self.port = port
        self.configure(more)
        self.log = open(os.path.join(directory, "log"), "w+",
                        encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [SCAND, "-d", "-f", self.conf], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log)
        self.wait("ready")

    def configure(self, more=""):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(self.config.format(dir=self.dir, port=self.port,
                                  prefix=PREFIX, more=more))

    def text(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    def wait(self, pattern, times=1, patience=15):
        end = time.time() + patience
        while time.time() < end:
            if len(re.findall(pattern, self.text())) >= times:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError("no %r in the log:\n%s" % (pattern, self.text()))

    def children(self, title):
        """Process ids of a role."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid, encoding="ascii") as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    line = f.read()
            except OSError:
                continue
            if parent == self.process.pid and title.encode() in line:
                found.append(int(pid))
        return sorted(found)

    def front(self, patience=10):
        return Channel(self.dir + "/run/scand.sock", patience=patience)

    def control(self):
        return Channel(self.dir + "/run/scand.ctl", hello=False)

    def status(self):
        c = self.control()
        c.send(frames.CTL_STATUS, 1)
        out = {}
        while True:
            kind, _, payload = c.recv()
            if kind == frames.CTL_END:
                break
            for line in frames.Reader(payload).text().splitlines():
                key, _, value = line.partition(" ")
                out[key] = int(value) if value.isdigit() else value
        c.close()
        return out


def ask(channel, content, job=1, **more):
    channel.send(frames.SCAN, job, scan(content, **more), sealed(content))


def judge(channel, content, **more):
    ask(channel, content, **more)
    kind, _, payload = channel.recv()
    assert kind == frames.VERDICT, kind
    return Verdict(payload)


def test_verdicts(d):
    c = d.front()
    assert c.credits > 0
    v = judge(c, LETTER)
    assert v.actions == ["accept"] and v.hits == [], v.hits
    assert v.rdns == "mx.a.example", v.rdns
    assert "iprev=pass" in v.trace and v.trace.endswith("\r\n"), v.trace
    v = judge(c, GTUBE, policies=[policy(), policy(role=1)])
    assert v.actions == ["reject", "accept"], v.actions
    assert v.reply == "5.7.1 Message rejected: SPAM message rejected."
    v = judge(c, EICAR, policies=[policy(), policy(role=1)])
    assert v.actions == ["reject", "reject"], v.actions
    v = judge(c, LETTER, client="192.0.2.66")
    assert v.actions == ["greylist"], (v.actions, v.hits)
    assert "DNSBL" in v.symbols() and "NO_RDNS" in v.symbols(), v.hits
    v = judge(c, b"")
    assert v.actions == ["greylist"], v.actions
    big = LETTER + b"0123456789\r\n" * 200000
    v = judge(c, big)
    assert v.actions == ["accept"], v.hits
    c.close()


def test_repeated(d):
    c = d.front()
    ident = frames.new_id()
    before = d.status()["jobs"]
    first = judge(c, LETTER, ident=ident)
    c.close()
    c = d.front()
    again = judge(c, LETTER, ident=ident)
    assert vars(first) == vars(again)
    assert d.status()["jobs"] == before + 1
    c.close()


def test_auth(d):
    """SPF, DKIM and DMARC inside the cage, with keys from DNS."""
    c = d.front()
    v = judge(c, vector("both"), sender="x@sender.example")
    assert {"SPF_PASS", "DKIM_VALID", "DMARC_PASS"} <= set(v.symbols()), v.hits
    for word in ("dkim=pass (2048-bit key) header.d=football.example",
                 "header.a=ed25519-sha256", "spf=pass smtp.mailfrom=",
                 "dmarc=pass header.from=football.example"):
        assert word in v.trace, v.trace
    assert v.trace.count("Authentication-Results:") == 1, v.trace
    assert v.domain == "sender.example", v.domain
    v = judge(c, vector("both").replace(b"lost", b"won"))
    assert {"DKIM_INVALID", "DMARC_FAIL_REJECT"} <= set(v.symbols()), v.hits
    assert v.domain == "", v.domain
    # Spoofed for the one participant, a matter of the score for the other.
    v = judge(c, LETTER.replace(b"x@a.example", b"x@uni.example"),
              policies=[policy(), policy(participant="other")])
    assert v.actions == ["reject", "greylist"], v.actions
    assert v.reply.startswith("550 5.7.26 "), v.reply
    c.close()


def test_wrong(d):
    c = d.front()
    v = judge(c, LETTER, size=5)
    assert v.actions == ["tempfail"]
    c.send(frames.SCAN, 1, scan(LETTER), sealed(LETTER, seal=False))
    assert Verdict(c.recv()[2]).actions == ["tempfail"]
    c.send(frames.SCAN, 1, scan(LETTER))
    assert Verdict(c.recv()[2]).actions == ["tempfail"]
    c.send(frames.SCAN, 1, b"nonsense", sealed(LETTER))
    assert c.recv() is None
    c = d.front()
    c.send(50, 1, b"")
    assert judge(c, LETTER).actions == ["accept"]
    c.close()


def test_many(d):
    c = d.front()
    for i in range(640):
        ask(c, LETTER, job=i)
        if i >= 50:
            assert c.recv()[0] == frames.VERDICT
    for i in range(50):
        assert Verdict(c.recv()[2]).actions == ["accept"]
    assert d.status()["running"] == 0
    c.close()


def test_silence(d):
    """A name server that does not answer: parked, and others pass by."""
    c = d.front()
    t = time.time()
    ask(c, LETTER, job=1, sender="x@silent.example")
    ask(c, LETTER, job=2)
    assert c.recv()[1] == 2
    assert time.time() - t < 1.8, time.time() - t
    assert d.status()["parked"] == 1
    # Killed scanners cost it nothing but time.
    for pid in d.children("scanner"):
        os.kill(pid, signal.SIGKILL)
    kind, job, payload = c.recv()
    v = Verdict(payload)
    assert job == 1 and v.actions == ["accept"], v.actions
    assert "DNS_GIVEN_UP" in v.symbols(), v.hits
    assert time.time() - t < 20
    ask(c, LETTER, job=3, sender="x@silent.example")
    c.send(frames.CANCEL, 3)
    ask(c, LETTER, job=4)
    assert c.recv()[1] == 4
    assert d.status()["parked"] == 0
    c.close()


def test_stopped(d):
    """Stopped scanners: every asker has its answer at the deadline."""
    c = d.front()
    pids = d.children("scanner")
    assert len(pids) == 2, pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    t = time.time()
    for i in range(40):
        ask(c, LETTER, job=i, deadline=1000)
    for i in range(40):
        assert Verdict(c.recv()[2]).actions == ["tempfail"]
    assert time.time() - t < 8, time.time() - t
    # What they have not read when they die is nobody's fault.
    ask(c, LETTER, job=99)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert Verdict(c.recv()[2]).actions == ["accept"]
    assert d.status()["charged"] == 0
    c.close()


def test_broker_killed(d):
    c = d.front()
    ask(c, LETTER, sender="x@silent.example")
    time.sleep(0.1)
    os.kill(d.children("broker")[0], signal.SIGKILL)
    assert c.recv() is None
    c = d.front()
    assert judge(c, LETTER).actions == ["accept"]
    c.close()


def test_operator(d):
    c = d.control()
    c.send(frames.CTL_SCAN, 7, struct.pack("=QB", len(GTUBE), 0) +
           frames.netaddr("192.0.2.9") + frames.text("mx.a.example") +
           frames.text("x@a.example") + frames.text("z@uni.example"),
           sealed(GTUBE))
    out = frames.Reader(c.recv()[2]).text()
    assert "1000.00  GTUBE " in out and "action reject" in out, out
    kind, job, payload = c.recv()
    assert kind == frames.CTL_END and job == 7 and payload[0] == 0
    c.close()


def test_reload(d):
    c = d.front()
    d.configure("symbol NO_SUCH points 1")
    ctl = d.control()
    ctl.send(frames.CTL_RELOAD, 1)
    kind, _, payload = ctl.recv()
    assert kind == frames.CTL_END and payload[0] == 1, payload
    assert b"NO_SUCH" in payload, payload
    assert judge(c, LETTER).hits == []
    d.configure("symbol MISSING_DATE points 3.21")
    ctl.send(frames.CTL_RELOAD, 2)
    kind, _, payload = ctl.recv()
    assert kind == frames.CTL_TEXT, (kind, payload)
    d.wait("configuration 2 in use")
    end = time.time() + 10
    while time.time() < end:
        try:
            v = judge(d.front(), LETTER.replace(b"Date:", b"X-Date:"))
            if ("MISSING_DATE", 3.21, "") in v.hits:
                break
        except (OSError, TypeError):
            pass
        time.sleep(0.05)
    else:
        raise AssertionError("the new points are not in use")
    # The old resolver may still have a question that nobody answers.
    end = time.time() + 30
    while len(d.children("[")) != 4 and time.time() < end:
        time.sleep(0.05)
    assert len(d.children("[")) == 4, d.children("[")


def test_stop(d):
    d.process.send_signal(signal.SIGTERM)
    assert d.process.wait(20) == 0
    assert not os.path.exists(d.dir + "/run/scand.sock")


def main():
    if os.geteuid() != 0 or not os.access(SCAND, os.X_OK):
        print("needs root and a built scand")
        return 77
    users = os.path.join(TOP, "etc", "setup-users")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        subprocess.run([users, PREFIX], check=True)
        names = Names()
        names.start()
        d = None
        try:
            d = Scand(directory, names.port)
            for test in (test_verdicts, test_auth, test_repeated, test_wrong,
                         test_many, test_stopped, test_silence,
                         test_broker_killed, test_operator, test_reload,
                         test_stop):
                t = time.time()
                test(d)
                print("%s: %.1f s" % (test.__name__, time.time() - t))
        except BaseException:
            if d is not None:
                print(d.text()[-8000:])
            raise
        finally:
            if d is not None and d.process.poll() is None:
                for pid in d.children("["):
                    os.kill(pid, signal.SIGCONT)
                d.process.kill()
                d.process.wait()
            subprocess.run([users, "-r", PREFIX], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
