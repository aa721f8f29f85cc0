#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
# regress: timeout=120
"""Refused mail is in no file, at no moment; no log has content."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))

import signal           # noqa: E402
import tempfile         # noqa: E402

import letter                               # noqa: E402
from client import Session                  # noqa: E402
from net import until                       # noqa: E402
from world import World, main               # noqa: E402


def files_with(mark, *folders):
    """Regular files below folders, or that a process of ours holds open and
    has removed, that have the mark."""
    found = []
    for folder in folders:
        for path, _, names in os.walk(folder):
            for n in names:
                try:
                    with open(os.path.join(path, n), "rb") as f:
                        if mark in f.read():
                            found.append(os.path.join(path, n))
                except OSError:
                    continue
    return found


def open_files(gw):
    """(process, file) of all regular files that are open for writing and are
    no anonymous memory, by daemon."""
    found = []
    for pid, _, daemon, title in gw.children():
        folder = f"/proc/{pid}/fd"
        try:
            numbers = os.listdir(folder)
        except OSError:
            continue
        for n in numbers:
            try:
                name = os.readlink(f"{folder}/{n}")
                with open(f"/proc/{pid}/fdinfo/{n}", encoding="ascii") as f:
                    flags = int(f.read().split("flags:")[1].split()[0], 8)
            except OSError:
                continue
            if name.startswith("/") and not name.startswith(
                    ("/memfd:", "/dev/")) and flags & 3:
                found.append((f"{daemon} {title}", name))
    return found


def session(w, source, rcpt, content):
    s = Session(w.gw.addr, 25, w.net.addr(source))
    s.reply()
    for line in ("EHLO mx.sender.example", "MAIL FROM:<anna@sender.example>",
                 f"RCPT TO:<{rcpt}>", "DATA"):
        assert s.command(line)[-1][0] in "23"
    s.data(content)
    return s


def canary():
    with World() as w:
        gw = w.gw
        mark = letter.canary(os.urandom(8)).encode()
        content = letter.letter(mark.decode(), size=300000) + \
            letter.GTUBE.encode() + b"\r\n" + mark + b"\r\n"
        folders = [gw.dir, tempfile.gettempdir(), "/var/crash",
                   os.path.join(gw.dir, "run")]
        # While it is held, before anybody has judged it.
        gw.kill("broker", signal.SIGSTOP)
        s = session(w, 9, "bert@uni-a.example", content)
        until(lambda: gw.log.events("message"), "the message is held")
        assert not files_with(mark, *folders), files_with(mark, *folders)
        # Who has seen it can write nowhere.
        bad = [o for o in open_files(gw)
               if o[0].startswith(("smtpd-front", "scand"))
               and "parent" not in o[0]]
        assert not bad, bad
        # A death in the middle leaves no core.
        gw.kill("scanner")
        gw.respawned("scanner", [])
        gw.kill("broker", signal.SIGCONT)
        reply = s.reply()
        assert reply[0].startswith("554-5.7.1"), reply
        gw.kill("smtp", signal.SIGQUIT)
        assert not files_with(mark, *folders), files_with(mark, *folders)
        # Greylisted and deferred mail is not kept either.
        s = session(w, 40, "bert@uni-a.example",
                    letter.letter(mark.decode()))
        assert s.reply()[-1].startswith("451")
        assert not files_with(mark, *folders), files_with(mark, *folders)
        # What is accepted is in the spool and nowhere else, and not logged.
        w.mx.down()
        good = letter.canary(os.urandom(8)).encode()
        s = session(w, 9, "bert@uni-a.example",
                    letter.letter(good.decode()).replace(
                        b"Message-ID: <" + good, b"Message-ID: <x"))
        assert s.reply()[-1].startswith("250")
        found = files_with(good, *folders)
        spool = os.path.join(gw.dir, "spool")
        assert found and all(f.startswith(spool) for f in found), found
        w.mx.up()
        w.mx.wait(1)
        until(lambda: not files_with(good, *folders), "it left the spool")
        gw.deaths_expected = True


main(canary)
