#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Reports, read by another's eyes: Python's email package."""

import email
import email.policy
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
PRINT = os.path.join(TOP, os.environ.get("OBJ", "obj"),
                     "regress/relayd-out/dsn_print")
failed = 0


def check(what, got, want):
    global failed
    if got != want:
        print(f"{what}: {got!r}, not {want!r}")
        failed += 1


def groups(raw, boundary):
    """The header groups of the delivery-status part."""
    part = raw.split(b"\r\n--" + boundary.encode())[2]
    body = part.split(b"\r\n\r\n", 1)[1]
    return [dict(email.message_from_bytes(g + b"\r\n").items())
            for g in body.strip().split(b"\r\n\r\n")]


def one(action, address, what):
    raw = subprocess.run([PRINT, action, address, what], check=True,
                         stdout=subprocess.PIPE).stdout
    name = f"{action} {address} {what}"
    for line in raw.split(b"\n")[:-1]:
        check(f"{name}: line end of {line!r}", line[-1:], b"\r")
        check(f"{name}: length of {line[:40]!r}", len(line) <= 998, True)
    m = email.message_from_bytes(raw, policy=email.policy.default)
    check(f"{name}: defects", m.defects, [])
    check(f"{name}: type", m.get_content_type(), "multipart/report")
    check(f"{name}: report", m.get_param("report-type"), "delivery-status")
    check(f"{name}: to", m["To"], "sender@a.example")
    check(f"{name}: auto", m["Auto-Submitted"], "auto-replied")
    check(f"{name}: from", m["From"].addresses[0].addr_spec,
          "MAILER-DAEMON@mail-in.example.net")
    check(f"{name}: date", m["Date"].datetime.timestamp(), 1700000300.0)
    parts = list(m.iter_parts())
    check(f"{name}: parts", len(parts), 3)
    text = parts[0].get_content()
    for r in ("r0@Dom0.example", "r2@Dom1.example", "no such user"):
        check(f"{name}: {r} in text", r in text, True)

    utf8 = address == "utf8"
    check(f"{name}: status type", parts[1].get_content_type(),
          "message/global-delivery-status" if utf8 else
          "message/delivery-status")
    g = groups(raw, m.get_boundary())
    check(f"{name}: groups", len(g), 4)
    check(f"{name}: mta", g[0]["Reporting-MTA"],
          "dns; mail-in01.example.net")
    check(f"{name}: envid", g[0]["Original-Envelope-Id"], "QQ 1+2")
    for i, rcpt in enumerate(g[1:]):
        check(f"{name}: action {i}", rcpt["Action"], action)
    check(f"{name}: orcpt", g[1]["Original-Recipient"],
          "rfc822;Orig@x.example".replace(";", "; "))
    check(f"{name}: rcpt", g[1]["Final-Recipient"],
          "rfc822; r0@Dom0.example")
    check(f"{name}: status", g[1]["Status"], "5.1.1")
    check(f"{name}: mx", g[1]["Remote-MTA"], "dns; mx1.uni-a.example")
    check(f"{name}: diagnostic", g[1]["Diagnostic-Code"],
          "smtp; 550 5.1.1 no such user??Action: delivered????--=_")
    check(f"{name}: local diagnostic",
          g[2]["Diagnostic-Code"].startswith("x-pfoertner; could not"), True)
    check(f"{name}: none", "Diagnostic-Code" in g[3], False)
    check(f"{name}: until", "Will-Retry-Until" in g[1], action == "delayed")
    if utf8:
        check(f"{name}: utf8", "utf-8; müller@dörf.example".encode() in raw,
              True)

    full = what == "full" and action == "failed"
    want = {(True, False): "message/rfc822", (True, True): "message/global",
            (False, False): "text/rfc822-headers",
            (False, True): "message/global-headers"}[full, utf8]
    check(f"{name}: returned", parts[2].get_content_type(), want)
    body = raw.split(b"8bit\r\n\r\n")[-1]
    check(f"{name}: trace first", body.startswith(
        b"Received: from client.example\r\n\tby gw.example; date\r\n"), True)
    check(f"{name}: body", b"The body." in body, full)


for action in ("failed", "delayed", "relayed"):
    for address in ("ascii", "utf8"):
        for what in ("headers", "full"):
            one(action, address, what)
sys.exit(failed != 0)
