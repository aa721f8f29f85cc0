#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""The samples of Office formats, each with the verdict that is expected.

They lie in ../shared/testdata/attachments and are not part of the source;
without them nothing is tested here.
"""

import csv
import os
import subprocess
import sys

SAMPLES = "../shared/testdata/attachments"
LOOK = os.path.join(os.environ.get("OBJ", "obj"), "regress/scand/content/look")

# What an Office document is refused for.
DECISIVE = {"macro", "macro-unreadable", "office-encrypted", "ole-package"}
# Kinds that other readers are for.
OTHERS = {"archive", "mail", "mhtml", "pdf", "smime-pgp", "smime-signed",
          "tnef", "twin-pdf"}
# Excel opens these by itself: its own password, and no macros.
DEFAULT_PASSWORD = {"fetched/326-58616.xlsx", "fetched/b0b-protect.xlsx"}


def ours(row):
    if row["subclass"] in OTHERS:
        return False
    return row["class"] in ("benign", "macro", "enc-ooxml") or \
        row["class"] == "bomb" and row["subclass"] in ("cfb", "fixture") or \
        row["name"].endswith((".mso", ".xls"))


def look(name):
    """The findings, and what there is to say about them."""
    p = subprocess.run([LOOK, f"{SAMPLES}/files/{name}"], timeout=30,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = p.stdout.decode(errors="replace")
    if p.returncode != 0:
        return {"crash"}, text
    return {line.split("\t")[0] for line in text.splitlines()[1:]}, text


def right(row, found):
    if "crash" in found or "over-budget" in found and \
            row["class"] != "bomb":
        return False
    refused = bool(found & DECISIVE)
    if row["subclass"] == "vba-empty":
        return "vba-empty" in found and not refused
    if row["subclass"] == "dde":
        return "dde" in found and not refused
    if row["class"] == "enc-ooxml":
        return ("office-encrypted" in found) == \
            (row["name"] not in DEFAULT_PASSWORD)
    return row["expected"] == "either" or \
        refused == (row["expected"] == "reject")


def main():
    if not os.path.exists(f"{SAMPLES}/manifest.tsv"):
        print("no samples")
        return 77
    with open(f"{SAMPLES}/manifest.tsv", encoding="utf-8") as f:
        rows = [r for r in csv.DictReader(f, delimiter="\t",
                                          quoting=csv.QUOTE_NONE) if ours(r)]
    wrong = 0
    for row in rows:
        found, text = look(row["name"])
        if not right(row, found):
            wrong += 1
            print(f"{row['name']} ({row['subclass']}): {row['expected']} "
                  f"expected, {row['reason']}\n{text}")
    print(f"{len(rows)} files, {wrong} wrong")
    return wrong != 0


sys.exit(main())
