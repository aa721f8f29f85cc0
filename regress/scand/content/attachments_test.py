#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Real files, each with the verdict that is expected.

They lie in shared/testdata/attachments beside the source, or one folder higher,
and are not part of it; without them nothing is tested here.
"""

import csv
import os
import subprocess
import sys

SAMPLES = next((d for d in ("../shared/testdata/attachments",
                            "../../shared/testdata/attachments")
                if os.path.exists(d)), None)
LOOK = os.path.join(os.environ.get("OBJ", "obj"), "regress/scand/content/look")

# Milliseconds of CPU for any of them; the sanitizers are slow.
MS = 1500
# Excel opens these by itself: its own password, and no macros.
DEFAULT_PASSWORD = {"fetched/326-58616.xlsx", "fetched/b0b-protect.xlsx"}
# Its key has 40 bits, which not every program believes where V is 4; with such
# a one it opens.
OPENS = {"fetched/0f0-issue19484_1.pdf": "PDF restricted"}

# Where several verdicts are right, ours is one of them: by subclass, what is
# found and whether that refuses the file.
OURS = {
    "vba-empty": ("VBA without code", False),
    "dde": ("DDE", False),
    "owner-only": ("PDF restricted", True),
    "encrypted-package": ("Office document encrypted", True),
    "biff-filepass": ("Office document encrypted", True),
    "fib-encrypted": ("Office document encrypted", True),
    "ppt-encrypted": ("Office document encrypted", True),
    "inconsistent": ("archive encrypted", True),
}
# Whatever else is in them, this is found.
CLASSES = {
    "enc-pdf": "PDF encrypted",
    "enc-zip": "archive encrypted",
    "enc-7z": "archive encrypted",
    "enc-rar": "archive encrypted",
}


def look(paths):
    """File: (verdict, milliseconds, findings)."""
    p = subprocess.run([LOOK, *paths], timeout=100, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE)
    if p.returncode != 0:
        print(f"{LOOK} ended with {p.returncode}")
        return {}
    out = {}
    for line in p.stdout.decode(errors="replace").splitlines():
        if line.startswith("\t"):
            out[path][2].append(line[1:])
        else:
            verdict, ms, path = line.split(" ", 2)
            out[path] = (verdict, float(ms), [])
    return out


def wrong(row, verdict, found):
    """What is wrong with it, or nothing."""
    refused = verdict == "reject"
    kinds = {f.split(":")[0] for f in found}
    if row["expected"] != "either":
        if refused != (row["expected"] == "reject"):
            return row["expected"] + " expected"
        want = OPENS.get(row["name"], CLASSES.get(row["class"]))
        if want is not None and want not in kinds:
            return f'"{want}" expected'
        return ""
    if row["name"] in DEFAULT_PASSWORD:
        return "it opens by itself" if refused else ""
    want, refuse = OURS.get(row["subclass"], (None, refused))
    if want is not None and want not in kinds:
        return f'"{want}" expected'
    return "" if refused == refuse else "the other verdict is ours"


def main():
    if SAMPLES is None:
        print("no samples")
        return 77
    with open(f"{SAMPLES}/manifest.tsv", encoding="utf-8") as f:
        rows = list(csv.DictReader(f, delimiter="\t",
                                   quoting=csv.QUOTE_NONE))
    got = {}
    for i in range(0, len(rows), 50):
        got.update(look([f"{SAMPLES}/files/{r['name']}"
                         for r in rows[i:i + 50]]))
    bad = slow = 0
    for row in rows:
        verdict, ms, found = got.get(f"{SAMPLES}/files/{row['name']}",
                                     ("none", 0, []))
        why = wrong(row, verdict, found)
        if ms > MS:
            why = f"{ms} ms"
        slow = max(slow, ms)
        if why:
            bad += 1
            print(f"{row['name']} ({row['class']}, {row['subclass']}, "
                  f"{row['reason']}): {why}, {verdict}")
            for f in found:
                print("\t" + f)
    print(f"{len(rows)} files, {bad} wrong, the slowest took {slow} ms")
    return bad != 0


sys.exit(main())
