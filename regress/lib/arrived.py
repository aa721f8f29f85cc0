# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""The [arrived] section of a scenario: what must be at a next hop."""

import re

import letter
from net import until
from sink import arrived_as, split_trace, trace_fields


class Wrong(Exception):
    """The gateway did not do what the scenario says."""


class Mistake(Exception):
    """The scenario cannot be read."""


def describe(messages):
    return ", ".join(f"<{m.sender}> to {m.addresses}" for m in messages)


class Arrived:
    """An [arrived HOP] section."""

    def __init__(self, run, hop):
        self.run = run
        self.hop = run.hops[hop]
        self.left = []

    def check(self, body):
        wanted = [(n, line.strip()) for n, line in body]
        heads = [line for _, line in wanted
                 if line.split()[0] not in ("field", "text", "not", "any")]
        atleast = sum(1 for h in heads if h != "nothing")
        loose = any(line.startswith("any") for _, line in wanted)
        until(lambda: len(self.hop.messages) >= self.count(heads),
              f"{atleast} messages at the next hop")
        self.left = list(self.hop.messages)
        current = None
        for self.run.at, line in wanted:
            word, _, rest = line.partition(" ")
            if word == "nothing" or word == "any":
                continue
            if word == "field":
                self.field(current, rest)
            elif word == "text":
                self.text(current, rest, True)
            elif word == "not":
                self.text(current, rest, False)
            elif word == "dsn":
                current = self.dsn(rest)
            else:
                current = self.letter(word, rest)
        if self.left and not loose:
            raise Wrong("arrived, too: " + describe(self.left))
        self.run.at = 0

    def count(self, heads):
        n = 0
        for h in heads:
            m = re.search(r" times (\d+)", h)
            n += int(m.group(1)) if m else 0 if h == "nothing" else 1
        return n

    def letter(self, name, rest):
        """NAME [from <sender>] [to <rcpt>...] [times N | again]"""
        content = self.run.message(name)
        sender = re.search(r"from <([^>]*)>", rest)
        to = re.search(r"to((?: +<[^>]+>)+)", rest)
        rcpts = re.findall(r"<([^>]+)>", to.group(1)) if to else None
        times = re.search(r"times (\d+)", rest)
        again = "or more" in rest

        def fits(m):
            return (arrived_as(m.data, self.run.messages) == name and
                    (sender is None or m.sender == sender.group(1)) and
                    (rcpts is None or sorted(m.addresses) ==
                     sorted(self.run.expand(r) for r in rcpts)))

        found = [m for m in self.left if fits(m)]
        n = int(times.group(1)) if times else 1
        if len(found) < n:
            raise Wrong(f"{len(found)} of {name} arrived, not {n}: " +
                        describe(self.hop.messages))
        for m in found if again else found[:n]:
            self.left.remove(m)
            m.content = content
        return found[0]

    def field(self, m, pattern):
        trace = trace_fields(split_trace(m.data, m.content))
        if not any(self.run.patterns.matches(pattern, f) for f in trace):
            raise Wrong(f"no trace field {self.run.expand(pattern)!r} in\n" +
                        "\n".join(trace))

    def text(self, m, pattern, wanted):
        lines = m.data.decode("utf-8", "backslashreplace").split("\r\n")
        have = any(self.run.patterns.matches(pattern, line)
                   for line in lines)
        if have != wanted:
            raise Wrong(("no" if wanted else "a") +
                        f" line {pattern!r} in\n" + "\n".join(lines))

    def dsn(self, rest):
        """dsn ACTION <rcpt> STATUS to <sender>"""
        m = re.fullmatch(r"(\S+) <([^>]+)> (\S+) to <([^>]*)>", rest)
        if m is None:
            raise Mistake(f"dsn {rest}")
        best = None
        for message in self.left:
            bad = letter.problems_of_dsn(message, *m.groups())
            if not bad:
                self.left.remove(message)
                message.content = b""
                return message
            if best is None or len(bad) < len(best):
                best = bad
        raise Wrong("no such DSN: " + "; ".join(best or ["nothing came"]))
