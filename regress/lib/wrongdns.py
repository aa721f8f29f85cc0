# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""A name server that does what none should do.

It answers the names of its table.  Below NAME.wrong it behaves as NAME says
(see WRONG), whatever is asked; every other name does not exist.
"""

import heapq
import re
import socket
import struct
import threading
import time

A, CNAME, SOA, PTR, MX, TXT, AAAA, OPT = 1, 5, 6, 12, 15, 16, 28, 41
TYPES = {"A": A, "CNAME": CNAME, "PTR": PTR, "MX": MX, "TXT": TXT,
         "AAAA": AAAA}
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
RCVBUFFORCE = 33        # of Linux: beyond the limit of the system


def wire(name):
    return b"".join(bytes([len(x)]) + x.encode("latin-1")
                    for x in name.rstrip(".").split(".") if x) + b"\0"


def rdata(kind, value):
    if kind == A:
        return socket.inet_aton(value)
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == MX:
        return struct.pack("!H", 10) + wire(value)
    if kind == TXT:
        b = value.encode()
        return b"".join(bytes([len(b[i:i + 255])]) + b[i:i + 255]
                        for i in range(0, len(b), 255))
    return wire(value)


def record(kind, data, ttl=60, owner=b"\xc0\x0c"):
    return owner + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


class Question:
    ttl = 60

    def __init__(self, packet):
        at, labels = 12, []
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]]
                          .decode("latin-1"))
            at += 1 + packet[at]
        self.id = packet[:2]
        self.name = ".".join(labels).lower()
        self.kind = struct.unpack("!H", packet[at + 1:at + 3])[0]
        self.text = packet[12:at + 5]
        self.tcp = False

    def answer(self, records=(), rcode=0, ident=None, text=None, count=None,
               truncated=False):
        """A packet; authority is the SOA where there are no records."""
        soa = b""
        if not records and rcode in (0, NXDOMAIN):
            soa = record(SOA, b"\0\0" + struct.pack(
                "!IIIII", 1, 60, 60, 60, self.ttl), owner=b"\0")
        flags = 0x8580 | rcode | (0x0200 if truncated else 0)
        text = self.text if text is None else text
        return (ident or self.id) + struct.pack(
            "!HHHHH", flags, 1 if text else 0,
            len(records) if count is None else count, int(bool(soa)), 0) + \
            text + b"".join(records) + soa


# --- what goes wrong ------------------------------------------------------

def many(q):
    if not q.tcp:
        return q.answer(truncated=True)
    if q.kind == MX:
        one = lambda i: struct.pack("!H", i) + b"\xc0\x0c"  # noqa: E731
    elif q.kind == AAAA:
        one = lambda i: struct.pack("!QQ", 1 << 61, i)      # noqa: E731
    elif q.kind == A:
        one = lambda i: struct.pack("!I", 0x0a000000 + i)   # noqa: E731
    else:
        one = lambda i: struct.pack("!BH", 2, i)            # noqa: E731
    n = 65000 // (12 + len(one(1)))
    return q.answer([record(q.kind, one(i)) for i in range(min(4000, n))])


def chain(q):
    """One alias leads to the next, without an end."""
    first, _, rest = q.name.partition(".")
    m = re.fullmatch(r"c(\d+)", first)
    to = f"c{int(m.group(1)) + 1}.{rest}" if m else f"c1.{q.name}"
    return q.answer([record(CNAME, wire(to))])


def loop(q):
    first, _, rest = q.name.partition(".")
    to = {"l1": f"l2.{rest}", "l2": f"l1.{rest}"}.get(first, f"l1.{q.name}")
    return q.answer([record(CNAME, wire(to))])


def badrdata(q):
    bad = {A: b"\x0a\0\0", AAAA: b"\x20\1", MX: b"\0", TXT: b"\xffabc",
           PTR: b"\x3fabc"}
    return q.answer([record(q.kind, bad.get(q.kind, b"\xff"))])


def badname(q):
    """Names that point at themselves, or out of the packet."""
    prefix = b"\0\x0a" if q.kind == MX else b""
    at = 12 + len(q.text) + 12 + len(prefix)
    itself = record(q.kind, prefix + struct.pack("!H", 0xc000 | at))
    return q.answer([itself, record(q.kind, prefix + b"\xff\xff")])


FIRST = {}


def late(seconds):
    """As a resolver that has to find out first: whoever asks again meanwhile
    gets the answer at the same time."""
    def behave(q):
        first = FIRST.setdefault((q.name, q.kind), time.monotonic())
        return (max(0, first + seconds - time.monotonic()),
                q.answer([record(*plausible(q))]))
    return behave


def plausible(q):
    return q.kind, {A: b"\x7f\0\0\2", AAAA: bytes(15) + b"\1",
                    MX: b"\0\x0a" + wire("mx.a.example"),
                    TXT: b"\5hello"}.get(q.kind, wire("mx.a.example"))


WRONG = {
    "silent": lambda q: None,
    "late0": late(0.02),
    "late1": late(1),
    "late2": late(2),
    "late9": late(9),
    "wrongid": lambda q: q.answer(
        [record(*plausible(q))], ident=bytes(b ^ 0x55 for b in q.id)),
    "wrongname": lambda q: q.answer(
        [record(*plausible(q))],
        text=wire("www.b.example") + q.text[-4:]),
    "wrongtype": lambda q: q.answer(
        [record(*plausible(q))],
        text=q.text[:-4] + struct.pack("!HH", q.kind + 1, 1)),
    "noquestion": lambda q: q.answer([], text=b""),
    # The answer is for somebody else.
    "poison": lambda q: q.answer(
        [record(*plausible(q), owner=wire("a.example"))]),
    # Over TCP there is no answer either: hang, close.
    "tchang": lambda q: None if q.tcp else q.answer(truncated=True),
    "tcclose": lambda q: b"" if q.tcp else q.answer(truncated=True),
    "tcgarbage": lambda q: b"\xff" * 700 if q.tcp
    else q.answer(truncated=True),
    "many": many,
    "chain": chain,
    "loop": loop,
    "self": lambda q: q.answer([record(CNAME, b"\xc0\x0c")]),
    "servfail": lambda q: q.answer(rcode=SERVFAIL),
    "refused": lambda q: q.answer(rcode=REFUSED),
    "formerr": lambda q: q.answer(rcode=1),
    "badrdata": badrdata,
    "badname": badname,
    "count": lambda q: q.answer([record(*plausible(q))], count=4000),
    "garbage": lambda q: q.id + b"\x85\x80" + bytes(range(200)),
    "short": lambda q: q.id + b"\x85",
    "octet": lambda q: b"\xff",
    "flood": lambda q: [q.answer(rcode=SERVFAIL)] * 200,
    "longname": lambda q: q.answer(
        [record(CNAME, (b"\x3f" + b"x" * 63) * 4 + b"\0")]),
    "control": lambda q: q.answer(
        [record(q.kind, (b"\0\x0a" if q.kind == MX else b"") +
                b"\x05a\r\n\0b\7example\0")]),
}


# --- the server -----------------------------------------------------------

class WrongServer(threading.Thread):
    """records: {(name, "A"): value or [values]}; a value may be a function
    of the question instead.  The table may be changed at any time."""

    def __init__(self, records, addr="127.0.0.1", port=0):
        super().__init__(daemon=True)
        self.records = {}
        for (name, kind), value in records.items():
            self.set(name, kind, value)
        self.family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        self.addr = addr
        self.udp, self.tcp = self.sockets(addr, port)
        self.port = self.udp.getsockname()[1]
        self.asked = []
        self.zones = {}         # what a name ends in -> a function
        self.delay = {}         # the same -> seconds
        self.dead = False       # to everybody
        self.ttl = 60           # of what is there and what is not
        self.later, self.serial = [], 0
        self.due = threading.Condition()

    def sockets(self, addr, port):
        """Both on one port."""
        for _ in range(50):
            udp = socket.socket(self.family, socket.SOCK_DGRAM)
            try:
                udp.setsockopt(socket.SOL_SOCKET, RCVBUFFORCE, 16 << 20)
            except OSError:
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            udp.bind((addr, port))
            tcp = socket.socket(self.family, socket.SOCK_STREAM)
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tcp.bind((addr, udp.getsockname()[1]))
                tcp.listen(64)
                return udp, tcp
            except OSError:
                udp.close()
                tcp.close()
        raise OSError("no port is free for both UDP and TCP")

    def set(self, name, kind, value):
        """None: the record is gone."""
        key = (name.lower(), TYPES[kind])
        if value is None:
            self.records.pop(key, None)
        else:
            self.records[key] = value

    @staticmethod
    def all_of(addr):
        """A behaviour: every name has this address, at once forgotten."""
        return lambda q: q.answer([record(A, rdata(A, addr), ttl=0)]
                                  if q.kind == A else [])

    @staticmethod
    def none_of():
        """A behaviour: no name exists."""
        return lambda q: q.answer(rcode=NXDOMAIN)

    def count(self, ending):
        return sum(1 for name, _ in self.asked if name.endswith(ending))

    def start(self):
        super().start()
        threading.Thread(target=self.serve_tcp, daemon=True).start()
        threading.Thread(target=self.send_late, daemon=True).start()

    def run(self):
        while True:
            packet, peer = self.udp.recvfrom(4096)
            try:
                q = Question(packet)
            except (IndexError, struct.error):
                continue
            self.asked.append((q.name, q.kind))
            if self.dead:
                continue
            reply = self.reply(q)
            wait = max((s for end, s in self.delay.items()
                        if q.name.endswith(end)), default=0)
            if isinstance(reply, tuple):
                wait, reply = reply
            for one in reply if isinstance(reply, list) else [reply]:
                if one is None:
                    continue
                if wait:
                    with self.due:
                        self.serial += 1
                        heapq.heappush(self.later, (
                            time.monotonic() + wait, self.serial, one, peer))
                        self.due.notify()
                else:
                    self.udp.sendto(one, peer)

    def send_late(self):
        while True:
            with self.due:
                while not self.later or \
                        self.later[0][0] > time.monotonic():
                    self.due.wait(max(0.001, self.later[0][0] -
                                      time.monotonic())
                                  if self.later else None)
                _, _, one, peer = heapq.heappop(self.later)
            try:
                self.udp.sendto(one, peer)
            except OSError:
                pass

    def reply(self, q):
        q.ttl = self.ttl
        m = re.search(r"(?:^|\.)([a-z0-9]+)\.wrong$", q.name)
        if m and m.group(1) in WRONG:
            return WRONG[m.group(1)](q)
        for end, behave in list(self.zones.items()):
            if q.name.endswith(end):
                return behave(q)
        value = self.records.get((q.name, q.kind))
        if callable(value):
            return value(q)
        if value is not None:
            values = value if isinstance(value, list) else [value]
            return q.answer([record(q.kind, rdata(q.kind, v), self.ttl)
                             for v in values])
        alias = self.records.get((q.name, CNAME))
        if alias is not None:
            return q.answer([record(CNAME, wire(alias))])
        exists = any(n == q.name or n.endswith("." + q.name)
                     for n, _ in list(self.records))
        return q.answer(rcode=0 if exists else NXDOMAIN)

    def serve_tcp(self):
        while True:
            s, _ = self.tcp.accept()
            threading.Thread(target=self.one_tcp, args=(s,),
                             daemon=True).start()

    def one_tcp(self, s):
        with s:
            s.settimeout(20)
            try:
                while True:
                    n = struct.unpack("!H", self.read(s, 2))[0]
                    q = Question(self.read(s, n))
                    q.tcp = True
                    self.asked.append((q.name, q.kind))
                    reply = None if self.dead else self.reply(q)
                    if isinstance(reply, tuple):
                        time.sleep(reply[0])
                        reply = reply[1]
                    if isinstance(reply, list):
                        reply = reply[0]
                    if reply == b"":
                        return
                    if reply is not None:
                        s.sendall(struct.pack("!H", len(reply)) + reply)
            except (OSError, EOFError, IndexError, struct.error):
                pass

    @staticmethod
    def read(s, n):
        data = b""
        while len(data) < n:
            more = s.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data
