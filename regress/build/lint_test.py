#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""The checks of the source find what they are there for: small files with one
mistake each, in a copy of the house, and one without."""

import os
import shutil
import subprocess
import sys
import tempfile

HEAD = """\
/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 the Pförtner authors */

"""
BODY = """\
#include <stdio.h>

#include "common/good.h"

/* Says a word. */

int
good_word(const char *s, int n)
{
	int	 i;

	for (i = 0; i < n; i++)
		printf("%s is a word of quite some length, is it not? %s",
		    s, s);
	return 0;
}
"""
HEADER = """\
#ifndef COMMON_GOOD_H
#define COMMON_GOOD_H

/* Says s n times.  0, or -1 when it cannot. */
int	good_word(const char *s, int n);

#endif
"""

# Check, path, text, what has to be found.
CASES = (
    ("knf", "common/a.c", BODY.replace("for (i", "for(i"), "not KNF"),
    ("knf", "common/a.c", BODY.replace("	return 0", "    return 0"),
     "not KNF"),
    ("knf", "common/a.c", BODY.replace("int\ngood", "int good"), "KNF"),
    ("knf", "common/a.c", BODY.replace("0;\n}", "0; \n}"), "blanks at"),
    ("knf", "common/a.c", BODY.replace("\t\t    s, s", "\t\t\ts, s"),
     "four blanks"),
    ("knf", "common/a.c", BODY.replace("0;\n}", "0; // yes\n}"), "C++"),
    ("knf", "common/a.c", BODY.replace("n)\n{", "n) {"), "own line"),
    ("calls", "scand/a.c", BODY.replace("printf(", "sprintf("), "sprintf"),
    ("calls", "scand/a.c", BODY.replace("printf(", "atoi("), "strtonum"),
    ("includes", "common/a.c",
     BODY.replace("common/good.h", "good.h"), "no file from the top"),
    ("includes", "common/a.c",
     BODY.replace("common/good.h", "scand/bad.h"), "may include only"),
    ("includes", "scand/mime/a.c",
     BODY.replace("common/good.h", "scand/bad.h"), "may include only"),
    ("includes", "greyd/a.c",
     BODY.replace("common/good.h", "scand/bad.h"), "may include only"),
    ("includes", "common/a.c",
     BODY.replace("<stdio.h>\n", "\"common/good.h\"\n#include <stdio.h>\n"),
     "after our own"),
    ("systems", "greyd/a.c", BODY + "#ifdef __linux__\n#endif\n", "system"),
    ("systems", "greyd/a.c", BODY + "#if HAVE_PLEDGE\n#endif\n", "system"),
    ("sizes", "greyd/a.c", BODY.replace("/* Says", "/*" + " long" * 16),
     "80 columns"),
    ("sizes", "greyd/a.c", BODY.replace("\treturn 0;", "\tn++;\n" * 130),
     "good_word() has"),
    ("sizes", "greyd/a.c", BODY + "\n" * 900, "more than 900"),
    ("headers", "common/a.h",
     HEADER.replace("/* Says s n times.  0, or -1 when it cannot. */\n", ""),
     "good_word() has no comment"),
    ("words", "common/a.c", BODY.replace("Says", "TO" "DO: says"), "TO" "DO"),
    ("words", "common/a.c", BODY.replace("Says", "/wor" "k/x"), "/wor" "k/"),
    ("cppcheck", "common/a.c", BODY.replace(
        "\tint\t i;", "\tint\t i;\n\tchar\t b[2];\n\n\tb[2] = 0;"),
     "out of bounds"),
)
WHOLE = (
    ("licence", "common/a.c", BODY, "licence line"),
    ("licence", "common/a.sh", "#!/bin/sh\n", "licence line"),
    ("scripts", "common/a.sh", "#!/bin/sh\nif\n", "a.sh"),
    ("scripts", "common/a.py", "import numpy\n", "standard library"),
    ("scripts", "common/a.py", "x = = 1\n", "invalid syntax"),
    ("manuals", "common/a.5", ".Dd today\n.Sh NAME\n", "WARNING"),
)
CLEAN = ("knf", "calls", "includes", "systems", "sizes", "headers", "words",
         "licence", "cppcheck", "scripts")

failed = 0


def run(check, house, *paths):
    p = subprocess.run([f"{house}/regress/lint/{check}", *paths], cwd=house,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return p.returncode, p.stdout.decode(errors="replace")


def put(house, path, text):
    path = os.path.join(house, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def expect(check, status, out, path, want):
    global failed
    if status == 77:
        print(f"{check}: not here: {out.strip()}")
    elif want is None and (status != 0 or out):
        print(f"{check}: has something against good code:\n{out}")
        failed += 1
    elif want is not None and (status == 0 or want not in out):
        print(f"{check}: did not find \"{want}\" in {path}:\n{out}")
        failed += 1


with tempfile.TemporaryDirectory() as house:
    shutil.copytree("regress/lint", f"{house}/regress/lint")
    shutil.copy(".clang-format", house)
    put(house, "common/good.h", HEAD + HEADER)
    put(house, "scand/bad.h", HEAD + HEADER)
    put(house, "common/good.c", HEAD + BODY)
    for check in CLEAN:
        expect(check, *run(check, house), "common/good.c", None)
    for check, path, text, want in CASES:
        put(house, path, HEAD + text)
        expect(check, *run(check, house, f"{house}/{path}"), path, want)
        os.unlink(os.path.join(house, path))
    for check, path, text, want in WHOLE:
        put(house, path, text)
        expect(check, *run(check, house, f"{house}/{path}"), path, want)
        os.unlink(os.path.join(house, path))
print(f"{len(CASES) + len(WHOLE)} mistakes, {failed} not judged rightly")
sys.exit(1 if failed else 0)
