#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Answers that are secure, forged and unsigned, through scand and its
resolver; and name servers that are reached by IPv6.

regress: timeout=120
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
import dns  # noqa: E402
import scand_test  # noqa: E402
from scand_test import LETTER, SCAND, TOP, judge  # noqa: E402
from wrongdns import WrongServer  # noqa: E402

PREFIX = scand_test.PREFIX

KNOT = """\
server:
    rundir: "{dir}"
    listen: "127.0.0.1@{port}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: error
database:
    storage: "{dir}"
    journal-db-max-size: 16M
    timer-db-max-size: 16M
    kasp-db-max-size: 16M
policy:
  - id: p
    algorithm: ecdsap256sha256
    single-type-signing: on
template:
  - id: default
    storage: "{dir}"
    journal-content: none
    zonefile-sync: -1
zone:
  - domain: .
    file: "root.zone"
  - domain: secure.test.
    file: "secure.zone"
    dnssec-signing: on
    dnssec-policy: p
  - domain: forged.test.
    file: "forged.zone"
"""

ZONE = """\
$TTL 60
@ SOA ns.test. hostmaster.test. 1 60 60 60 60
@ NS ns.test.
@ MX 10 mx.test.
bl.secure.test. TXT "list"
"""
ROOT = """\
$TTL 60
. SOA ns.test. hostmaster.test. 1 60 60 60 60
. NS ns.test.
ns.test. A 127.0.0.1
open.test. MX 10 mx.test.
9.2.0.192.in-addr.arpa. PTR mx.open.test.
mx.open.test. A 192.0.2.9
2.0.0.127.bl.example.org. A 127.0.0.2
"""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Knot:
    def __init__(self, directory):
        self.dir = directory
        self.port = free_port()
        for name, text in (("root", ROOT), ("secure", ZONE),
                           ("forged", ZONE.replace("secure", "forged"))):
            with open(f"{directory}/{name}.zone", "w", encoding="utf-8") as f:
                f.write(text)
        self.conf = directory + "/knot.conf"
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(KNOT.format(dir=directory, port=self.port))
        self.process = subprocess.Popen(
            [dns.program(), "-c", self.conf], stdin=subprocess.DEVNULL)

    def anchors(self):
        """The key of secure.test, and one that forged.test does not have."""
        keymgr = shutil.which("keymgr", path=os.environ["PATH"] +
                              ":/usr/sbin:/usr/local/sbin")
        end = time.time() + 10
        while time.time() < end:
            out = subprocess.run([keymgr, "-c", self.conf, "secure.test.",
                                  "ds"], capture_output=True, text=True,
                                 check=False).stdout
            lines = [x for x in out.splitlines() if " DS " in x]
            if lines:
                return "".join(x + "\n" for x in lines) + \
                    "".join(x.replace("secure", "forged") + "\n"
                            for x in lines)
            time.sleep(0.05)
        raise AssertionError("no key of secure.test")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def counts(d):
    s = d.status()
    return s["dns-secure"], s["dns-bogus"]


def test_dnssec(directory):
    os.mkdir(directory)
    os.chmod(directory, 0o755)
    knot = Knot(directory)
    d = None
    try:
        anchors = directory + "/anchors"
        with open(anchors, "w", encoding="ascii") as f:
            f.write(knot.anchors())
        d = scand_test.Scand(directory, knot.port,
                             more=f'dnssec "{anchors}"')
        c = d.front()
        # Several questions a message: MX, SPF and what follows from them.
        v = judge(c, LETTER, client="192.0.2.8", sender="x@open.test")
        assert counts(d) == (0, 0), d.status()
        assert "SENDER_DOMAIN_NO_MX" not in v.symbols(), v.hits
        v = judge(c, LETTER, sender="x@secure.test")
        secure, bogus = counts(d)
        assert secure > 0 and bogus == 0, d.status()
        assert "SENDER_DOMAIN_NO_MX" not in v.symbols(), v.hits
        # That there is no such name is signed as well.
        v = judge(c, LETTER, sender="x@no.secure.test")
        assert counts(d)[0] > secure and counts(d)[1] == 0, d.status()
        assert "SENDER_DOMAIN_NO_MX" in v.symbols(), v.hits
        # What cannot be believed is no answer.
        secure = counts(d)[0]
        v = judge(c, LETTER, sender="x@forged.test")
        bogus = counts(d)[1]
        assert counts(d)[0] == secure and bogus > 0, d.status()
        v = judge(c, LETTER, sender="x@no.forged.test")
        assert counts(d)[0] == secure and counts(d)[1] > bogus, d.status()
        assert "SENDER_DOMAIN_NO_MX" not in v.symbols(), v.hits
    except BaseException:
        if d is not None:
            print(d.text()[-8000:])
        raise
    finally:
        if d is not None:
            end(d)
        knot.stop()


def test_bad_anchor(directory):
    os.mkdir(directory)
    anchors, conf = directory + "/anchors", directory + "/pf.conf"
    with open(conf, "w", encoding="utf-8") as f:
        f.write(scand_test.CONFIG.format(
            dir=directory, port=53, prefix=PREFIX,
            more=f'dnssec "{anchors}"'))
    for text, error in ((None, "No such file"),
                        ("; DS nothing\n", "has no DS or DNSKEY record")):
        if text is not None:
            with open(anchors, "w", encoding="ascii") as f:
                f.write(text)
        p = subprocess.run([SCAND, "-n", "-f", conf], capture_output=True,
                           text=True, check=False)
        assert p.returncode != 0 and error in p.stderr, p.stderr


def test_ipv6(directory):
    try:
        names = WrongServer({("9.2.0.192.in-addr.arpa", "PTR"):
                             "mx.a.example",
                             ("mx.a.example", "A"): "192.0.2.9",
                             ("a.example", "MX"): "mx.a.example"}, "::1")
    except OSError as e:
        print("no IPv6 here:", e)
        return
    os.mkdir(directory)
    os.chmod(directory, 0o755)
    names.start()
    d = None
    try:
        d = scand_test.Scand(
            directory, names.port,
            config=scand_test.CONFIG.replace("127.0.0.1 port {port}",
                                             "::1 port {port}"))
        v = judge(d.front(), LETTER)
        assert v.rdns == "mx.a.example" and v.hits == [], v.hits
    except BaseException:
        if d is not None:
            print(d.text()[-8000:])
        raise
    finally:
        if d is not None:
            end(d)


def end(d):
    d.process.terminate()
    try:
        d.process.wait(20)
    except subprocess.TimeoutExpired:
        d.process.kill()
        d.process.wait()


def main():
    if os.geteuid() != 0 or not os.access(SCAND, os.X_OK):
        print("needs root and a built scand")
        return 77
    if dns.program() is None:
        print("knotd is not installed")
        return 77
    users = os.path.join(TOP, "etc", "setup-users")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        subprocess.run([users, PREFIX], check=True)
        try:
            for test in (test_dnssec, test_bad_anchor, test_ipv6):
                t = time.time()
                test(f"{directory}/{test.__name__}")
                print(f"{test.__name__}: {time.time() - t:.1f} s")
        finally:
            subprocess.run([users, "-r", PREFIX], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
