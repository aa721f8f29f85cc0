# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""A client's session that knows what each reply answers, and what became of
every message."""

import hashlib
import re

from patterns import ID


class Sent:
    """One transaction that reached its content."""

    def __init__(self, name, content, sender, rcpts):
        self.name, self.content = name, content
        self.sender, self.rcpts = sender, rcpts
        self.hash = hashlib.sha256(content).hexdigest()
        self.reply = None           # lines of the final reply
        self.id = None

    @property
    def accepted(self):
        return self.reply is not None and self.reply[-1].startswith("2")

    @property
    def refused(self):
        return self.reply is not None and self.reply[-1].startswith("5")


class Dialogue:
    """A session that knows what each reply answers."""

    def __init__(self, run, session):
        self.run, self.s = run, session
        self.asked = [("banner", "")]
        self.sender, self.rcpts = None, []
        self.partial = []

    def send_line(self, text):
        self.send_raw(text.encode("utf-8") + b"\r\n")

    def send_raw(self, data):
        for line in data.decode("utf-8", "replace").split("\r\n")[:-1]:
            m = re.match(r"(MAIL FROM|RCPT TO): ?<([^>]*)>", line, re.I)
            self.asked.append((m.group(1)[:4].lower(), m.group(2))
                              if m else (line.split(" ")[0].lower(), ""))
        self.s.send(data)

    def send_letter(self, name):
        content = self.run.message(name)
        sent = Sent(name, content, self.sender, list(self.rcpts))
        self.run.sent.append(sent)
        self.asked.append(("dot", sent))
        self.s.data(content)

    def line(self, timeout):
        text = self.s.line(timeout)
        self.partial.append(text)
        if text[3:4] != "-":
            self.replied(self.partial)
            self.partial = []
        return text

    def replied(self, lines):
        what, arg = self.asked.pop(0) if self.asked else ("", "")
        ok = lines[-1][:1] == "2"
        if what == "mail" and ok:
            self.sender, self.rcpts = arg, []
        elif what == "rcpt" and ok:
            self.rcpts.append(arg)
        elif what in ("ehlo", "helo", "rset"):
            self.sender, self.rcpts = None, []
        elif what == "dot":
            arg.reply = lines
            m = [i for line in lines for i in ID.findall(line[4:])]
            arg.id = m[-1] if m else None
            self.sender, self.rcpts = None, []
