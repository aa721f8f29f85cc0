# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Patterns of scenarios: for replies, log lines, header fields."""

import re

import gateway

ID_FORM = "[0-9][0-9a-hjkmnp-tv-z]{15}"
ID = re.compile(rf"\b{ID_FORM}\b")


class Patterns:
    """`*' is anything, {id} a message id (the same wherever the same name
    stands, {id2} another one), {/regex/} a regular expression."""

    def __init__(self, expand):
        self.expand = expand
        self.known = {}

    def compile(self, text):
        text = self.expand(text)
        out, names, pos = "", [], 0
        for m in re.finditer(r"\*|\{/(.*?)/\}|\{(!?)([a-z]+\d*)\}", text):
            out += re.escape(text[pos:m.start()])
            pos = m.end()
            if m.group(0) == "*":
                out += ".*"
            elif m.group(1) is not None:
                out += f"(?:{m.group(1)})"
            elif m.group(3) in self.known and not m.group(2):
                out += re.escape(self.known[m.group(3)])
            elif m.group(3) in names:
                out += f"(?P={m.group(3)})"
            else:
                names.append(m.group(3))
                out += f"(?P<{m.group(3)}>{ID_FORM})"
        return re.compile(out + re.escape(text[pos:]), re.S)

    def matches(self, pattern, text):
        m = self.compile(pattern).fullmatch(text)
        if m is None:
            return False
        self.known.update(m.groupdict())
        return True

    def log_test(self, pattern):
        """A test for log lines: fields in any order, or text anywhere."""
        m = re.match(r"(relayd-out|greyd|scand|smtpd-front|gwctl): +",
                     pattern)
        daemon = m.group(1) if m else None
        rest = pattern[m.end():] if m else pattern
        words = re.findall(r'[a-z0-9_-]+=(?:"[^"]*"|\S*)', rest)
        if words and " ".join(words) == " ".join(rest.split()):
            return self.field_test(daemon, words)
        return lambda d, t: (daemon in (None, d) and
                             self.matches(f"*{rest}*", t))

    def field_test(self, daemon, words):
        pairs = []
        for w in words:
            k, _, v = w.partition("=")
            pairs.append((k, v.strip('"') if v.startswith('"') else v))

        def test(d, line):
            if daemon not in (None, d) or "ev=" not in line:
                return False
            have = gateway.fields(line)
            before = dict(self.known)
            for k, v in pairs:
                if not any(hk == k and self.matches(v, hv)
                           for hk, hv in have):
                    self.known = before
                    return False
            return True
        return test
