# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""An authoritative name server on loopback (knotd) with the records of a test.

All records stand in one root zone, so every other name is NXDOMAIN at once
and no question ever leaves the machine.
"""

import os
import pwd
import shutil
import socket
import struct
import subprocess

from net import until

CONFIG = """\
server:
    rundir: "{dir}/run"
    listen: "{addr}@{port}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
{user}
log:
  - target: stderr
    any: warning
database:
    storage: "{dir}/db"
    journal-db-max-size: 16M
    timer-db-max-size: 16M
    kasp-db-max-size: 16M
zone:
  - domain: .
    storage: "{dir}"
    file: "root.zone"
    journal-content: none
    zonefile-sync: -1
    zonefile-load: whole
"""

ZONE = """\
$TTL 60
. SOA ns.test. hostmaster.test. {serial} 60 60 60 60
. NS ns.test.
ns.test. A {addr}
test-is-up. TXT "{serial}"
"""


def program():
    """Where knotd is, or None."""
    return shutil.which("knotd", path=os.environ.get("PATH", "") +
                        ":/usr/sbin:/usr/local/sbin")


class NameServer:
    def __init__(self, directory, addr, records, port=53):
        self.dir = os.path.join(directory, "dns")
        self.addr, self.port = addr, port
        self.process = None
        self.serial = 0
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o755)
        user = ""
        if os.geteuid() == 0:
            user = "    user: nobody"
            who = pwd.getpwnam("nobody")
        for name in ("run", "db"):
            os.mkdir(os.path.join(self.dir, name))
            if user:
                os.chown(os.path.join(self.dir, name), who.pw_uid, who.pw_gid)
        self.write(records)
        with open(os.path.join(self.dir, "knot.conf"), "w",
                  encoding="utf-8") as f:
            f.write(CONFIG.format(dir=self.dir, addr=addr, port=port,
                                  user=user))

    def write(self, records):
        self.serial += 1
        path = os.path.join(self.dir, "root.zone")
        with open(path, "w", encoding="utf-8") as f:
            f.write(ZONE.format(serial=self.serial, addr=self.addr))
            f.write(records + "\n")
        os.chmod(path, 0o644)

    def start(self):
        knotd = program()
        if knotd is None:
            raise FileNotFoundError("knotd is not installed")
        with open(os.path.join(self.dir, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [knotd, "-c", os.path.join(self.dir, "knot.conf")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.ready()

    def ready(self):
        until(self.is_up, "the name server answers")

    def is_up(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.dir, "log"), encoding="utf-8") as f:
                raise RuntimeError("knotd did not start: " + f.read())
        question = (struct.pack("!HHHHHH", 0x5066, 0, 1, 0, 0, 0) +
                    b"\x0atest-is-up\0" + struct.pack("!HH", 16, 1))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            try:
                s.connect((self.addr, self.port))
                s.send(question)
                answer = s.recv(512)
            except OSError:
                return False
        return answer[3] & 15 == 0 and str(self.serial).encode() in answer

    def change(self, records):
        """Serves other records from now on."""
        self.write(records)
        self.process.send_signal(1)
        self.ready()

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
