#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Every event that a daemon logs stands in pfoertner-log(5), with its keys, and
gwctl(8) can tell it; no other one does."""

import glob
import re
import sys


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def logged():
    """event -> keys, as far as they stand in the same function."""
    events = {}
    for path in glob.glob("*/**/*.c", recursive=True):
        if path.startswith(("obj", "regress/", "gwctl/")):
            continue
        text = read(path)
        for m in re.finditer(r'\baudit_begin\(&?\w+,[^;"]*"([a-z-]+)"\);'
                             r"(.*?)\baudit_end\(", text, re.S):
            events.setdefault(m.group(1), set()).update(
                re.findall(r'\baudit_\w+\(&?\w+,\s*"([a-z0-9_]+)"',
                           m.group(2)))
        # relayd-out/settle.c has one function for several of them
        for m in re.finditer(r"\blog_rcpt\(([^;]*)\);", text):
            for name in re.findall(r'"([a-z]+)"', m.group(1)):
                events.setdefault(name, set())
    return events


def described():
    events = {}
    for name, keys in re.findall(r"^\.It Cm ([a-z-]+) Pq (.*)$",
                                 read("gwctl/pfoertner-log.5"), re.M):
        events.setdefault(name, set()).update(keys.split(", "))
    return events


def main():
    code, manual = logged(), described()
    told = set(re.findall(r'^\t\{ "([a-z-]+)",', read("gwctl/tell.c"), re.M))
    bad = [f"{e}: not in pfoertner-log(5)" for e in code.keys() - manual]
    bad += [f"{e}: logged by nobody" for e in manual.keys() - code]
    bad += [f"{e}: gwctl cannot tell it" for e in code.keys() - told]
    bad += [f"{e}: {k} is not in pfoertner-log(5)"
            for e in code.keys() & manual
            for k in code[e] - manual[e]]
    print("\n".join(sorted(bad)) or f"{len(code)} events")
    return bool(bad)


sys.exit(main())
