# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""The next hop: an SMTP server that records what arrives, watches that it is
spoken to by the rules, and misbehaves on order.

A rule says at which point of the dialogue what happens, all the time or for
some occurrences only:

    [FIRST[-LAST]] POINT[ GLOB]: [delay SECONDS] WHAT

    POINT   connect ehlo helo mail rcpt data body dot rset quit starttls
    GLOB    only where the argument (address, name) matches it
    WHAT    a reply ("550 5.1.1 no", several lines with " | " between),
            ok (the usual one), hang, drop (close), reset (RST),
            take (after `dot': the message is recorded, then the connection
            is dropped without a reply)

and switches: no PIPELINING, no 8BITMIME, no SIZE ..., tls (offers STARTTLS),
dsn (offers DSN), refuse (does not listen).
"""

import fnmatch
import hashlib
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

from net import until

POINTS = ("connect", "ehlo", "helo", "mail", "rcpt", "data", "body", "dot",
          "rset", "quit", "starttls", "other")


class Drop(Exception):
    """This connection ends now."""


class Message:
    """What arrived: envelope, octets, and how."""

    def __init__(self, sender, params):
        self.sender, self.params = sender, params
        self.rcpts = []         # (address, parameters)
        self.data = b""
        self.helo = self.tls = self.peer = ""
        self.connection = self.nth = 0
        self.time = 0.0

    @property
    def addresses(self):
        return [r[0] for r in self.rcpts]

    @property
    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()


class Rule:
    FORM = re.compile(r"(?:(\d+)(?:-(\d*))? +)?([a-z]+)(?: +(\S+))? *: *(.*)")

    def __init__(self, text):
        m = self.FORM.fullmatch(text)
        if m is None or m.group(3) not in POINTS:
            raise ValueError(f"not a rule for the next hop: {text}")
        first, last, self.point, self.glob, what = m.groups()
        self.first = int(first) if first else 1
        self.last = self.first if first else None
        if first and "-" in text.split(None, 1)[0]:
            self.last = int(last) if last else None
        self.count = 0
        self.delay = 0.0
        m = re.fullmatch(r"delay ([\d.]+)s?(?: +(.*))?", what)
        if m:
            self.delay, what = float(m.group(1)), m.group(2) or "ok"
        if what not in ("ok", "hang", "drop", "reset", "take") and \
                not re.match(r"[2-5]\d\d[ -]", what + " "):
            raise ValueError(f"not a reply: {text}")
        self.what = what

    def applies(self, point, argument):
        if point != self.point:
            return False
        if self.glob and not fnmatch.fnmatch(argument.lower(),
                                             self.glob.lower()):
            return False
        self.count += 1
        return self.count >= self.first and (self.last is None or
                                             self.count <= self.last)


class Sink:
    def __init__(self, addr, port=25, name="mx1.uni-a.example", rules="",
                 certificate=None, keep=True):
        self.addr, self.port, self.name = addr, port, name
        self.certificate = certificate      # (cert file, key file)
        self.keep = keep            # False: only hashes, for long runs
        self.changed = threading.Condition()
        self.messages = []
        self.violations = []        # what the gateway did against the rules
        self.dialogue = []          # (connection, direction, text)
        self.connections = self.now = self.most = 0
        self.started = 0            # transactions that reached DATA
        self.points = {}            # how often each was reached
        self.listener = None
        self.open = set()
        self.stopping = threading.Event()
        self.rules, self.without = [], set()
        self.tls = self.dsn = self.refusing = False
        self.add_rules(rules)

    # --- orders ---

    def add_rules(self, text):
        for line in text.splitlines():
            line = line.split("#", 1)[0].strip()
            if not line:
                continue
            with self.changed:
                if line.startswith("no "):
                    self.without.add(line[3:].strip().upper())
                elif line in ("tls", "dsn"):
                    setattr(self, line, True)
                elif line == "clear":
                    self.rules, self.without = [], set()
                    self.tls = self.dsn = False
                elif line == "refuse":
                    self.refusing = True
                else:
                    self.rules.insert(0, Rule(line))

    def start(self):
        if self.refusing:
            return self
        s = socket.socket(socket.AF_INET6 if ":" in self.addr else
                          socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.addr, self.port))
        s.listen(1024)
        self.listener = s
        threading.Thread(target=self.accept_all, args=(s,),
                         daemon=True).start()
        return self

    def down(self):
        """Nothing listens any more, and nobody is talked to."""
        if self.listener is not None:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        with self.changed:
            for s in list(self.open):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def up(self):
        self.refusing = False
        if self.listener is None:
            self.start()

    def stop(self):
        self.stopping.set()
        self.down()

    def wait(self, n, timeout=None, what="messages"):
        """Until n messages have arrived (what: or connections, started)."""
        def there():
            value = getattr(self, what)
            return (len(value) if isinstance(value, list) else value) >= n
        return until(there, f"{n} {what} at {self.name}", timeout)

    # --- serving ---

    def accept_all(self, listener):
        while not self.stopping.is_set():
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock, peer),
                             daemon=True).start()

    def serve(self, sock, peer):
        with self.changed:
            self.connections += 1
            self.now += 1
            self.most = max(self.most, self.now)
            self.open.add(sock)
            number = self.connections
        c = Connection(self, sock, peer, number)
        try:
            c.run()
        except (Drop, OSError, ValueError):
            pass
        finally:
            with self.changed:
                self.now -= 1
                self.open.discard(sock)
                self.changed.notify_all()
            c.sock.close()

    def order(self, point, argument):
        """What the rules say here: (delay, what)."""
        with self.changed:
            self.points[point] = self.points.get(point, 0) + 1
            for rule in self.rules:
                if rule.applies(point, argument):
                    return rule.delay, rule.what
        return 0, "ok"

    def record(self, message):
        with self.changed:
            message.time = time.time()
            self.messages.append(message)
            self.changed.notify_all()

    def violation(self, number, text):
        with self.changed:
            self.violations.append(f"{self.name} connection {number}: {text}")


class Connection:
    def __init__(self, sink, sock, peer, number):
        self.sink, self.sock, self.number = sink, sock, number
        self.peer = peer[0]
        self.buffer = b""
        self.helo = self.tls = ""
        self.message = None
        self.nth = 0
        self.offered = set()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def note(self, direction, text):
        if self.sink.keep:
            self.sink.dialogue.append((self.number, direction, text))

    def fill(self):
        data = self.sock.recv(262144)
        if not data:
            raise Drop
        self.buffer += data

    def line(self):
        while b"\n" not in self.buffer:
            if len(self.buffer) > 4096:
                self.sink.violation(self.number, "command line too long")
                raise Drop
            self.fill()
        line, _, self.buffer = self.buffer.partition(b"\n")
        if not line.endswith(b"\r"):
            self.sink.violation(self.number, f"bare LF: {line!r}")
        text = line.rstrip(b"\r").decode("utf-8", "backslashreplace")
        self.note("C", text)
        return text

    def say(self, text):
        lines = text.split(" | ")
        code = lines[0][:3]
        lines = [line if re.match(r"\d\d\d[ -]", line) else f"{code} {line}"
                 for line in lines]
        out = b""
        for i, line in enumerate(lines):
            mark = " " if i == len(lines) - 1 else "-"
            line = line[:3] + mark + line[4:]
            self.note("S", line)
            out += line.encode() + b"\r\n"
        self.sock.sendall(out)

    def out_of_turn(self, where):
        """Nothing may be sent ahead here."""
        if not self.buffer:
            self.sock.setblocking(False)
            try:
                self.buffer = self.sock.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError, OSError):
                pass
            self.sock.setblocking(True)
        if self.buffer:
            self.sink.violation(self.number, f"pipelined after {where}: "
                                f"{self.buffer[:60]!r}")

    def answer(self, point, argument, usual):
        """Replies as ordered; True if it was a success."""
        delay, what = self.sink.order(point, argument)
        if delay:
            self.sink.stopping.wait(delay)
        if what == "hang":
            self.hang()
        if what == "drop":
            raise Drop
        if what == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
            raise Drop
        if what == "ok":
            what = usual
        self.say(what)
        return what[0] in "23"

    def hang(self):
        """Reads whatever comes, and says nothing, until the peer has left."""
        while True:
            self.buffer = b""
            self.fill()

    def run(self):
        if not self.answer("connect", self.peer,
                           f"220 {self.sink.name} ESMTP sink"):
            self.line()
            return
        while True:
            if not self.command(self.line()):
                return

    def command(self, line):
        verb, _, argument = line.partition(" ")
        verb = verb.lower()
        known = getattr(self, "on_" + verb, None)
        if "PIPELINING" not in self.offered and verb != "ehlo":
            self.out_of_turn(f"{verb} (no PIPELINING was offered)")
        if known is None or verb not in POINTS:
            self.answer("other", line, "500 5.5.1 unknown command")
            return True
        return known(argument.strip()) is not False

    def on_ehlo(self, argument):
        self.out_of_turn("EHLO")
        offer = ["PIPELINING", "8BITMIME", "SIZE 104857600",
                 "ENHANCEDSTATUSCODES", "SMTPUTF8"]
        if self.sink.dsn:
            offer.append("DSN")
        if self.sink.tls and not self.tls:
            offer.append("STARTTLS")
        offer = [o for o in offer if o.split()[0] not in self.sink.without]
        reply = " | ".join([f"250 {self.sink.name} greets {argument}",
                            *offer])
        if self.answer("ehlo", argument, reply):
            self.offered = {o.split()[0] for o in offer}
            self.helo = argument
            self.message = None

    def on_helo(self, argument):
        if self.answer("helo", argument, f"250 {self.sink.name}"):
            self.offered = set()
            self.helo = argument
            self.message = None

    def on_starttls(self, _argument):
        self.out_of_turn("STARTTLS")
        if "STARTTLS" not in self.offered:
            self.sink.violation(self.number, "STARTTLS was not offered")
        if not self.answer("starttls", "", "220 2.0.0 go ahead"):
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.sink.certificate)
        plain = self.sock
        self.sock = context.wrap_socket(plain, server_side=True)
        with self.sink.changed:
            self.sink.open.discard(plain)
            self.sink.open.add(self.sock)
        self.tls = self.sock.version()
        self.offered, self.helo = set(), ""
        self.note("*", self.tls)

    def path(self, argument, word):
        m = re.fullmatch(word + r":<([^>]*)>((?: \S+)*)", argument, re.I)
        if m is None:
            self.sink.violation(self.number, f"syntax: {argument}")
            return None, []
        params = m.group(2).split()
        needs = {"SIZE": "SIZE", "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8",
                 "RET": "DSN", "ENVID": "DSN", "NOTIFY": "DSN",
                 "ORCPT": "DSN"}
        for p in params:
            key = p.partition("=")[0].upper()
            if needs.get(key) not in self.offered:
                self.sink.violation(self.number, f"parameter {p} was not "
                                    "offered")
        return m.group(1), params

    def on_mail(self, argument):
        sender, params = self.path(argument, "FROM")
        if sender is None:
            self.say("501 5.5.4 syntax")
            return
        if self.message is not None or not self.helo:
            self.sink.violation(self.number, "MAIL out of order")
        if self.answer("mail", sender, "250 2.1.0 ok"):
            self.message = Message(sender, params)

    def on_rcpt(self, argument):
        address, params = self.path(argument, "TO")
        if address is None:
            self.say("501 5.5.4 syntax")
        elif self.message is None:
            self.say("503 5.5.1 MAIL first")
        elif self.answer("rcpt", address, "250 2.1.5 ok"):
            self.message.rcpts.append((address, params))

    def on_data(self, _argument):
        self.out_of_turn("DATA")
        if self.message is None or not self.message.rcpts:
            self.say("554 5.5.1 no recipients")
            return
        if not self.answer("data", "", "354 go on"):
            return
        with self.sink.changed:
            self.sink.started += 1
        self.receive()

    def receive(self):
        delay, what = self.sink.order("body", self.message.sender)
        if delay:
            self.sink.stopping.wait(delay)
        if what == "hang":      # does not even read
            self.sink.stopping.wait(3600)
            raise Drop
        if what in ("drop", "reset"):
            self.fill()
            raise Drop
        # The end may be cut anywhere by the network; search it once over
        # everything at each piece's joint.
        pieces, tail = [], b"\r\n"
        while True:
            if not self.buffer:
                self.fill()
            joint = tail + self.buffer
            at = joint.find(b"\r\n.\r\n")
            if at >= 0:
                cut = at + 5 - len(tail)
                pieces.append(self.buffer[:cut])
                self.buffer = self.buffer[cut:]
                break
            pieces.append(self.buffer)
            tail = joint[-4:]
            self.buffer = b""
        data = b"".join(pieces)[:-3]
        self.finish(data)

    def finish(self, data):
        sink = self.sink
        if data.startswith(b"."):
            data = data[1:]
        data = data.replace(b"\r\n.", b"\r\n")
        if re.search(rb"(?<!\r)\n|\r(?!\n)", data):
            sink.violation(self.number, "bare CR or LF in the content")
        self.note("C", f"({len(data)} octets of content)")
        if "PIPELINING" not in self.offered:
            self.out_of_turn("the final dot")
        m, self.message = self.message, None
        self.nth += 1
        m.data = data if sink.keep else b""
        m.hash = hashlib.sha256(data).hexdigest()
        m.size = len(data)
        m.body = body_hash(data)
        m.helo, m.tls, m.peer = self.helo, self.tls, self.peer
        m.connection, m.nth = self.number, self.nth
        delay, what = sink.order("dot", m.sender)
        if delay:
            sink.stopping.wait(delay)
        if what == "take":
            sink.record(m)
            raise Drop
        if what == "hang":
            self.hang()
        if what == "drop":
            raise Drop
        if what == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
            raise Drop
        reply = f"250 2.0.0 taken as {self.number}.{self.nth}" \
            if what == "ok" else what
        if reply[0] == "2":
            sink.record(m)
        self.say(reply)

    def on_rset(self, _argument):
        self.message = None
        self.answer("rset", "", "250 2.0.0 ok")

    def on_quit(self, _argument):
        self.answer("quit", "", "221 2.0.0 bye")
        return False


# --- what the gateway prepends -------------------------------------------

TRACE = re.compile(rb"(Received|Authentication-Results|X-Pfoertner-[A-Za-z-]+|"
                   rb"DKIM-Signature):", re.I)


def split_trace(data, content=None):
    """(trace, content): with content known, what stands ahead of it; else
    the leading fields of ours, up to and with the first Received."""
    if content is not None:
        if not data.endswith(content):
            return None
        return data[:len(data) - len(content)]
    end = 0
    for m in re.finditer(rb"(?:[^\r\n]+\r\n)(?:[ \t][^\r\n]*\r\n)*", data):
        if m.start() != end or not TRACE.match(data, m.start()):
            break
        end = m.end()
    return data[:end]


def is_trace(octets):
    """Are these our fields, whole, and nothing else?"""
    return octets.endswith(b"\r\n") and all(
        TRACE.match(f.encode()) for f in trace_fields(octets))


def arrived_as(data, contents):
    """Which of the contents (a mapping) has arrived as these octets: the
    longest that has nothing but our fields ahead; its name, or None."""
    best = None
    for name, content in contents.items():
        if (best is None or len(content) > len(contents[best])) and \
                data.endswith(content) and \
                is_trace(data[:len(data) - len(content)]):
            best = name
    return best


def body_hash(data):
    """Of what follows the header section: the same before and after."""
    at = data.find(b"\r\n\r\n")
    return hashlib.sha256(data[at + 4:] if at >= 0 else b"").hexdigest()


def trace_fields(trace):
    """Unfolded fields as text."""
    text = trace.decode("utf-8", "backslashreplace")
    text = re.sub(r"\r\n[ \t]+", " ", text)
    return text.split("\r\n")[:-1]


def make_certificate(directory, name):
    """A self-signed certificate; (cert, key) file names."""
    cert = os.path.join(directory, name + ".crt")
    key = os.path.join(directory, name + ".key")
    if not os.path.exists(cert):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-keyout",
             key, "-out", cert, "-subj", "/CN=" + name, "-addext",
             "subjectAltName=DNS:" + name],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        os.chmod(key, 0o600)
    return cert, key
