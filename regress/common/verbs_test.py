#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""pfoertner-internals(7) names every verb of common/protocol.h and no other
one, and each is said by somebody and taken by somebody."""

import glob
import re
import sys


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


enum = re.search(r"^enum verb \{(.*?)^\};", read("common/protocol.h"),
                 re.M | re.S).group(1)
enum = re.sub(r"/\*.*?\*/", "", enum, flags=re.S)
verbs = set(re.findall(r"\bVERB_([A-Z_]+)", enum)) - {"MAX"}
manual = set(re.findall(r"^\.It Dv ([A-Z_]+) Ta ",
                        read("common/pfoertner-internals.7"), re.M))
bad = [f"{v}: not in pfoertner-internals(7)" for v in verbs - manual]
bad += [f"{v}: not in common/protocol.h" for v in manual - verbs]
code = "".join(read(p) for p in glob.glob("*/**/*.c", recursive=True) +
               glob.glob("*/**/*.h", recursive=True)
               if not p.startswith(("obj", "regress/")) and
               p != "common/protocol.h")
bad += [f"{v}: used by nobody" for v in verbs
        if not re.search(rf"\bVERB_{v}\b", code)]
print("\n".join(sorted(bad)) or f"{len(verbs)} verbs")
sys.exit(bool(bad))
