#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Parents and children: start, channels, death, back-off, reload, stop."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time

OBJ = os.environ.get("OBJ", "obj")
CONF = """service "a.example"
node "a.example"
listen on 127.0.0.1 port 2525
antivirus builtin
reject at %s
processes smtp 2
directory runtime "%s/run" spool "%s/spool" state "%s/db"
participant "a" contact "p@a.example" {
	domain "a.example" deliver to 127.0.0.1
}
"""


class Family:
    def __init__(self, tmp):
        self.tmp = tmp
        self.conf = tmp + "/conf"
        self.configure("8.0")
        self.log = open(tmp + "/log", "wb")
        self.p = subprocess.Popen([OBJ + "/regress/common/family", "-d", "-f",
                                   self.conf], stderr=self.log)
        self.seen = 0

    def configure(self, reject):
        with open(self.conf, "w") as f:
            f.write(CONF % (reject, self.tmp, self.tmp, self.tmp))

    def lines(self):
        with open(self.tmp + "/log", errors="replace") as f:
            return f.read().splitlines()

    def wait(self, pattern, count=1, seconds=20):
        """The pattern count times in what was logged since the last mark."""
        end = time.time() + seconds
        while time.time() < end:
            found = [m for m in (re.search(pattern, x)
                                 for x in self.lines()[self.seen:]) if m]
            if len(found) >= count:
                return found
            time.sleep(0.02)
        sys.exit("no line (%d times) like: %s\n%s" %
                 (count, pattern, "\n".join(self.lines())))

    def mark(self):
        self.seen = len(self.lines())

    def never(self, pattern):
        for x in self.lines()[self.seen:]:
            if re.search(pattern, x):
                sys.exit("unwanted: " + x)


def main():
    if os.geteuid() != 0:
        print("needs root")
        return 77
    with tempfile.TemporaryDirectory() as tmp:
        os.chmod(tmp, 0o755)
        f = Family(tmp)
        try:
            run(f)
        finally:
            f.p.kill()
            f.p.wait()
    return 0


def run(f):
    f.wait(r" greyd: ready$")
    f.wait(r"core\[0\]: sees smtp\[[01]\]", 2)
    f.wait(r"worker\[[01]\]: sees store\[0\]", 2)
    # Over the socket of the daemon: greeted, with the credits granted.
    f.wait(r"worker\[[01]\]: sees foreign store\[\d+\] credits 7", 2)
    pids = {m.group(1): int(m.group(2)) for m in
            f.wait(r"(\w+\[\d\]): up generation 1 pid (\d+) reject 800", 3)}
    for pid in pids.values():
        with open("/proc/%d/status" % pid) as s:
            text = s.read()
        assert not re.search(r"^Uid:\s+0\s", text, re.M), "runs as root"
        assert re.search(r"^Seccomp:\s+2$", text, re.M), "no filter"
        assert re.search(r"^NoNewPrivs:\s+1$", text, re.M)

    # A second one in the same place is refused.
    r = subprocess.run([OBJ + "/regress/common/family", "-d", "-f", f.conf],
                       stderr=subprocess.PIPE, timeout=30)
    assert r.returncode == 1 and b"running already" in r.stderr, r.stderr

    # A worker dies, once at once again, then with growing delay.
    for n in range(4):
        f.mark()
        begin = time.time()
        os.kill(pids["worker[1]"], signal.SIGKILL)
        f.wait(r"worker\[1\] \(pid \d+\) died of signal 9")
        f.wait(r"core\[0\]: misses smtp\[1\]")
        pids["worker[1]"] = int(
            f.wait(r"worker\[1\]: up generation 1 pid (\d+)")[0].group(1))
        f.wait(r"core\[0\]: sees smtp\[1\]")
        f.wait(r"worker\[1\]: sees foreign store")
    assert time.time() - begin >= 0.35, "no back-off"

    # The core dies: both workers miss and see it again, both ways.
    f.mark()
    os.kill(pids["core[0]"], signal.SIGKILL)
    f.wait(r"worker\[[01]\]: misses store\[0\]", 2)
    f.wait(r"worker\[[01]\]: misses foreign store", 2)
    f.wait(r"worker\[[01]\]: sees store\[0\]", 2)
    f.wait(r"worker\[[01]\]: sees foreign store", 2)

    # A bad file changes nothing.
    f.mark()
    f.configure("3.0")
    f.p.send_signal(signal.SIGHUP)
    f.wait(r"conf:\d+: .*reject at")
    f.wait(r"reload refused, the running configuration stays")
    f.never(r"drains")

    # A good one: the core first, gone before the new one starts.
    f.mark()
    f.configure("9.5")
    f.p.send_signal(signal.SIGHUP)
    f.wait(r"(core|worker)\[\d\]: up generation 2 pid (\d+) reject 950", 3)
    f.wait(r"worker\[[01]\]: drains hurry 0", 2)
    f.wait(r"worker\[[01]\]: sees foreign store", 2)
    order = [x for x in f.lines()[f.seen:] if "drains" in x or ": up " in x]
    ups = [x for x in order if ": up " in x]
    assert "core[0]: drains" in order[0] and "core[0]" in ups[0], order

    # Stop: workers before the core, all of them.
    f.mark()
    f.p.send_signal(signal.SIGTERM)
    assert f.p.wait(30) == 0
    order = [x for x in f.lines()[f.seen:] if "drains hurry 1" in x]
    assert len(order) >= 3 and "core[0]" in order[-1], order
    assert "core[0]" not in "".join(order[:-1]), order
    assert not os.path.exists(f.tmp + "/run/greyd.sock")


if __name__ == "__main__":
    sys.exit(main())
