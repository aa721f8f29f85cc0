# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""A raw SMTP client: sends exactly the octets it is told to, and keeps the
whole dialogue for the report of a failure."""

import socket
import ssl
import time

from net import PATIENCE


class Closed(Exception):
    """The server has closed the connection."""


class Session:
    def __init__(self, addr, port=25, source=None, name=""):
        self.name = name
        self.buffer = b""
        self.dialogue = []      # (direction, text)
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        if source:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((source, 0))
        self.sock.connect((addr, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = False

    def note(self, direction, data):
        text = data.decode("utf-8", "backslashreplace") \
            if isinstance(data, bytes) else data
        if len(text) > 300:
            text = f"{text[:200]}... ({len(text)} octets)"
        self.dialogue.append((direction, text.rstrip("\r\n")))

    def send(self, data, note=True):
        if note:
            self.note("C", data)
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise Closed(str(e)) from e

    def drip(self, data, pause):
        """One octet at a time."""
        self.note("C", data)
        for i in range(len(data)):
            self.sock.sendall(data[i:i + 1])
            time.sleep(pause)

    def fill(self, timeout=None):
        self.sock.settimeout(PATIENCE if timeout is None else timeout)
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError) as e:
            raise Closed(str(e)) from e
        if not data:
            raise Closed("end of file")
        self.buffer += data

    def line(self, timeout=None):
        """The next line, without its CRLF."""
        while b"\n" not in self.buffer:
            self.fill(timeout)
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.note("S", line)
        return line.decode("utf-8", "backslashreplace").rstrip("\r")

    def reply(self, timeout=None):
        """A whole reply: all its lines."""
        lines = [self.line(timeout)]
        while lines[-1][3:4] == "-":
            lines.append(self.line(timeout))
        return lines

    def command(self, text, timeout=None):
        self.send(text.encode() + b"\r\n")
        return self.reply(timeout)

    def data(self, content):
        """Content after 354: dots doubled, and the final dot.  One write, as
        a client that has it all would."""
        stuffed = stuff(content)
        self.note("C", f"({len(content)} octets of content)")
        self.send(stuffed, note=False)

    def starttls(self):
        if self.buffer:
            raise AssertionError(f"plain octets before TLS: {self.buffer!r}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            self.sock = context.wrap_socket(self.sock)
        except (ConnectionError, ssl.SSLEOFError) as e:
            raise Closed(str(e)) from e
        self.tls = True
        self.note("*", f"{self.sock.version()} {self.sock.cipher()[0]}")

    def expect_end(self, timeout=None):
        """The server closes, and sends nothing more."""
        try:
            while True:
                self.fill(timeout)
                if self.buffer:
                    raise AssertionError(f"more octets: {self.buffer!r}")
        except Closed:
            self.note("*", "closed by the server")

    def quiet(self, seconds):
        """Nothing comes for a while."""
        if not self.buffer:
            try:
                self.fill(seconds)
            except (TimeoutError, socket.timeout):
                return
        raise AssertionError(f"octets out of turn: {self.buffer!r}")

    def close(self):
        self.sock.close()


def stuff(content):
    """RFC 5321 4.5.2, and the end of data.  What does not end in CRLF gets
    one, as the end of data begins with it."""
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    if content.startswith(b"."):
        content = b"." + content
    return content.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def send_mail(addr, port, source, sender, rcpts, content, helo="mx.example",
              timeout=None):
    """One transaction; returns (stage, lines) of the deciding reply, stage
    being connect, EHLO, MAIL, RCPT, DATA or dot."""
    s = None
    try:
        s = Session(addr, port, source)
        lines = s.reply(timeout)
        if not lines[-1].startswith("220"):
            return "connect", lines
        lines = s.command("EHLO " + helo, timeout)
        if not lines[-1].startswith("250"):
            return "EHLO", lines
        lines = s.command(f"MAIL FROM:<{sender}>", timeout)
        if not lines[-1].startswith("250"):
            return "MAIL", lines
        for rcpt in rcpts:
            lines = s.command(f"RCPT TO:<{rcpt}>", timeout)
            if not lines[-1].startswith("25"):
                return "RCPT", lines
        lines = s.command("DATA", timeout)
        if not lines[-1].startswith("354"):
            return "DATA", lines
        s.data(content)
        lines = s.reply(timeout)
        s.send(b"QUIT\r\n")
        return "dot", lines
    except (OSError, Closed) as e:
        return "lost", ["000 " + str(e)]
    finally:
        if s is not None:
            s.close()
