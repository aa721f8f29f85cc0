# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""What a test program needs around it: a network, a name server, next hops, a
gateway; clients that make load, and the reckoning of what has arrived."""

import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import gateway
import letter
from client import send_mail
from dns import NameServer
from net import Net, until
from sink import Sink, split_trace

SKIP = 77


class World:
    """with World(config="...", hops={"mx": "rules"}) as w: ..."""

    def __init__(self, config="", hops=None, dns="", gateways=True,
                 start=True):
        lacking = gateway.missing()
        if lacking:
            print("skipped:", lacking)
            sys.exit(SKIP)
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.dir = tempfile.mkdtemp(prefix="pf.")
        os.chmod(self.dir, 0o711)
        self.net = Net()
        self.gateways, self.starting = [], start
        self.hops = {}
        self.bad = []
        for name, host in (("mx", 25), ("world", 26)):
            self.hops[name] = Sink(self.net.addr(host), 25, name + ".test",
                                   (hops or {}).get(name, ""))
        self.mx = self.hops["mx"]
        self.dns = NameServer(self.dir, self.net.addr(53), self.expand(
            gateway.DNS + dns))
        self.gw = self.gateway(config) if gateways else None

    def expand(self, text):
        return self.net.expand(text)

    def gateway(self, config="", **kw):
        gw = gateway.Gateway(self.dir, self.net, config, **kw)
        self.gateways.append(gw)
        return gw

    def __enter__(self):
        try:
            self.dns.start()
            for hop in self.hops.values():
                hop.start()
            for gw in self.gateways if self.starting else ():
                gw.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, tb):
        for gw in self.gateways:
            self.bad += gw.stop()
        for hop in self.hops.values():
            hop.stop()
            self.bad += ["next hop: " + v for v in hop.violations[:20]]
        self.dns.stop()
        if kind is not None or self.bad:
            for gw in self.gateways:
                print(f"--- log of {gw.name}")
                print("\n".join(gw.log.tail(200)))
        self.net.close()
        if os.environ.get("PF_KEEP"):
            print("kept:", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        if kind is None and self.bad:
            raise AssertionError("\n".join(self.bad))

    def note(self, text):
        print(time.strftime("%H:%M:%S"), text, flush=True)


class Load:
    """Clients that send letters, each of its own kind, until told to stop;
    what each was told is kept."""

    def __init__(self, gw, clients=4, sources=(9,), rcpt="bert@uni-a.example",
                 size=2000, timeout=60):
        self.gw, self.rcpt, self.size = gw, rcpt, size
        self.sources = [gw.net.addr(s) for s in sources]
        self.timeout = timeout
        self.lock = threading.Lock()
        self.accepted = {}      # hash -> number of the letter
        self.hashes = set()     # of all that was sent
        self.answers = {}       # code -> count
        self.refused = []       # (stage, lines) of 5xx
        self.slowest = 0.0
        self.n = 0
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(i,),
                                         daemon=True)
                        for i in range(clients)]

    def start(self):
        for t in self.threads:
            t.start()
        return self

    def stop(self):
        self.ending.set()
        for t in self.threads:
            t.join()
        return self

    def work(self, i):
        source = self.sources[i % len(self.sources)]
        rng = random.Random(i)
        while not self.ending.is_set():
            if not self.one(source, rng):
                self.ending.wait(0.05)

    def one(self, source, rng):
        with self.lock:
            self.n += 1
            n = self.n
        content = letter.letter(letter.canary(f"{id(self)}.{n}"), f"no {n}",
                                rng.choice((0, self.size, 5 * self.size)))
        h = hashlib.sha256(content).hexdigest()
        with self.lock:
            self.hashes.add(h)
        since = time.monotonic()
        stage, lines = send_mail(self.gw.addr, 25, source,
                                 "anna@sender.example", [self.rcpt], content,
                                 "mx.sender.example", self.timeout)
        took = time.monotonic() - since
        code = lines[-1][:3]
        with self.lock:
            self.slowest = max(self.slowest, took)
            self.answers[code] = self.answers.get(code, 0) + 1
            if code[0] == "5":
                self.refused.append((stage, lines))
            if stage == "dot" and code[0] == "2":
                self.accepted[h] = n
        return code[0] == "2"

    def arrived(self, *hops):
        """hash -> how often it has arrived; None counts what is neither."""
        seen = {}
        for hop in hops:
            for m in list(hop.messages):
                trace = split_trace(m.data)
                h = hashlib.sha256(m.data[len(trace):]).hexdigest()
                if h not in self.hashes or not trace:
                    h = None
                seen[h] = seen.get(h, 0) + 1
        return seen

    def reckon(self, hops, timeout=60):
        """Waits until all that was accepted is there; complaints."""
        def missing():
            seen = self.arrived(*hops)
            return [n for h, n in self.accepted.items() if h not in seen]

        bad = []
        try:
            until(lambda: not missing(), "all accepted mail arrives",
                  timeout, 0.1)
        except Exception:
            lost = missing()
            bad.append(f"{len(lost)} accepted messages did not arrive: "
                       f"{sorted(lost)[:20]}")
        seen = self.arrived(*hops)
        if seen.get(None):
            bad.append(f"{seen[None]} arrived that are not what was sent")
        self.twice = sum(c - 1 for h, c in seen.items() if h and c > 1)
        self.unasked = sum(1 for h in seen if h and h not in self.accepted)
        if self.refused:
            bad.append(f"{len(self.refused)} refused for good: "
                       f"{self.refused[:3]}")
        return bad

    def summary(self):
        return (f"{self.n} sent, answers {dict(sorted(self.answers.items()))}"
                f", {len(self.accepted)} accepted, slowest "
                f"{self.slowest:.1f} s")


def main(test):
    """Runs a test function; its exception is the failure."""
    try:
        test()
    except AssertionError as e:
        print("failed:", e)
        sys.exit(1)
    sys.exit(0)
