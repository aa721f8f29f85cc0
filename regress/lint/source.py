# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""What the checks of the source have in common."""

import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
ROOMS = ("common", "smtpd-front", "scand", "greyd", "relayd-out", "gwctl")

# Comments, strings and characters of C.
TOKENS = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|"
                    r"'(?:\\.|[^'\\\n])*'", re.S)

findings = 0


def start():
    """To the top; the files to look at, from the command line or all."""
    args = [os.path.abspath(a) for a in sys.argv[1:]]
    os.chdir(TOP)
    if args:
        return [os.path.relpath(a, TOP) for a in args]
    return all_files()


def all_files():
    """Whatever belongs to the source, tracked or new."""
    try:
        out = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-co",
             "--exclude-standard"],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        names = out.stdout.decode().splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = []
        for path, dirs, files in os.walk("."):
            dirs[:] = [d for d in dirs if d == ".ci" or
                       not d.startswith(".") and
                       not (path == "." and d.startswith("obj"))]
            names += [os.path.join(path, f)[2:] for f in files]
    return sorted({n for n in names if os.path.isfile(n)})


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def binary(path):
    with open(path, "rb") as f:
        return b"\0" in f.read(8192)


def is_c(path):
    return path.endswith((".c", ".h"))


def room(path):
    """The room of a file; "regress" for all tests."""
    return path.split("/")[0]


def bare(text, strings=True):
    """C without comments (and what is in strings), line for line."""
    def blank(m):
        s = m.group()
        if s[0] in "\"'":
            return s if not strings else s[0] + "_" * (len(s) - 2) + s[0]
        return re.sub(r"[^\n]", " ", s)
    return TOKENS.sub(blank, text)


def functions(text):
    """(name, first line, last line) of each function, counted from 1.

    By KNF a body begins and ends with a brace in the first column."""
    lines = bare(text).splitlines()
    begin = None
    for i, line in enumerate(lines):
        if line.rstrip() == "{":
            j = i - 1
            while j > 0 and lines[j][:1] in (" ", "\t"):
                j -= 1
            m = re.match(r"(\w+)\(", lines[j]) if j >= 0 else None
            begin = (m.group(1) if m else "?", j + 1, i + 1)
        elif line.rstrip() == "}" and begin is not None:
            yield begin[0], begin[1], begin[2], i + 1
            begin = None


def version(tool, wanted):
    """Skips the check unless the tool is of the version whose opinion counts:
    each has its own."""
    try:
        out = subprocess.run([tool, "--version"], stdout=subprocess.PIPE)
    except OSError:
        print(f"no {tool}")
        sys.exit(77)
    m = re.search(r"version (\d+)", out.stdout.decode(errors="replace"))
    if m is None or int(m.group(1)) != wanted:
        print(f"{tool} is not of version {wanted}")
        sys.exit(77)


def complain(path, line, what):
    global findings
    findings += 1
    print(f"{path}:{line}: {what}" if line else f"{path}: {what}")


def end():
    sys.exit(1 if findings else 0)
