# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Messages for tests, from lines of a scenario or by name.

A line is a line of the message (UTF-8, ended by CRLF), but for

    @letter             the usual header fields, without the empty line
    @letter -Name ...   the same without some fields
    @blank              an empty line (those at a section's end are dropped)
    @line N X           N times X on one line
    @lines N TEXT       N lines; # in TEXT becomes the line's number
    @raw TEXT           octets with the escapes \\xNN \\r \\n \\t \\0 \\\\, no
                        line end of its own
    @random N           lines of base64 made from N random octets
    @gtube @eicar       test strings of spam filters and virus scanners

$canary, in `@letter' part of Subject, marks the message: it must never be in
a log, and of a refused message in no file at all.
"""

import base64
import email.utils
import random
import re

# In pieces, so that nobody's scanner takes this file for what it tests.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-" + \
    "STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + \
    "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

FIELDS = (
    ("From", "Anna Absender <anna@sender.example>"),
    ("To", "Bert <bert@uni-a.example>"),
    ("Subject", "the minutes of Tuesday, $canary"),
    ("Date", "$date"),
    ("Message-ID", "<$canary@sender.example>"),
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Transfer-Encoding", "8bit"),
)

PLAIN = ["@letter", "", "Dear Bert,", "",
         "the minutes are attached to the door of room 12.", "", "Anna"]


def canary(seed):
    return f"canary{random.Random(seed).getrandbits(64):016x}"


def unescape(text):
    table = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}

    def one(m):
        if m.group(1):
            return bytes([int(m.group(1), 16)])
        return table[m.group(2).decode()]

    return re.sub(rb"\\(?:x([0-9a-fA-F]{2})|([rnt0\\]))", one, text.encode())


def build(lines, mark, variables=None):
    """The octets of a message; mark is its canary."""
    known = {"canary": mark, "date": email.utils.formatdate(localtime=False)}
    known.update(variables or {})

    def put(text):
        return re.sub(r"\$([a-z]+)", lambda m: known.get(
            m.group(1), m.group(0)), text)

    out = bytearray()
    for line in lines:
        line = put(line)
        word, _, rest = line.partition(" ")
        if word == "@letter":
            without = {w[1:].lower() for w in rest.split()}
            for name, value in FIELDS:
                if name.lower() not in without:
                    out += put(f"{name}: {value}\r\n").encode()
        elif word == "@blank":
            out += b"\r\n"
        elif word == "@line":
            n, _, x = rest.partition(" ")
            out += x.encode() * int(n) + b"\r\n"
        elif word == "@lines":
            n, _, x = rest.partition(" ")
            for i in range(int(n)):
                out += x.replace("#", str(i)).encode() + b"\r\n"
        elif word == "@raw":
            out += unescape(rest)
        elif word == "@random":
            octets = random.Random(mark).randbytes(int(rest))
            out += base64.encodebytes(octets).replace(b"\n", b"\r\n")
        elif word == "@gtube":
            out += GTUBE.encode() + b"\r\n"
        elif word == "@eicar":
            out += EICAR.encode() + b"\r\n"
        else:
            out += line.encode("utf-8", "surrogateescape") + b"\r\n"
    return bytes(out)


def letter(mark, subject=None, size=0):
    """The usual letter; of about size octets if more is wanted."""
    out = build(PLAIN, mark)
    if subject:
        out = out.replace(b"the minutes of Tuesday", subject.encode())
    if size > len(out):
        out += build([f"@random {(size - len(out)) * 3 // 4}"], mark)
    return out


def problems_of_dsn(message, action, rcpt, status, sender):
    """What is wrong with a delivery status notification (RFC 3461, 3462,
    3464): a list of complaints.  message is what the sink recorded."""
    import email
    import email.policy
    bad = []
    if message.sender != "":
        bad.append(f"reverse-path is <{message.sender}>, not <>")
    if message.addresses != [sender]:
        bad.append(f"sent to {message.addresses}, not {sender}")
    m = email.message_from_bytes(message.data, policy=email.policy.default)
    for name in ("From", "To", "Date", "Message-ID", "Subject",
                 "MIME-Version", "Auto-Submitted"):
        if m[name] is None:
            bad.append(f"no {name} field")
        elif len(m.get_all(name)) != 1:
            bad.append(f"{name} field more than once")
    if not (m["Auto-Submitted"] or "").startswith("auto-"):
        bad.append("Auto-Submitted is not auto-replied or -generated")
    if m.get_content_type() != "multipart/report" or \
            m.get_param("report-type") != "delivery-status":
        bad.append(f"is {m['Content-Type']}, not a delivery status report")
        return bad
    parts = list(m.iter_parts())
    types = [p.get_content_type() for p in parts]
    if types[:2] != ["text/plain", "message/delivery-status"] or \
            len(types) > 3 or (len(types) == 3 and types[2] not in
                               ("message/rfc822", "text/rfc822-headers",
                                "message/global",
                                "message/global-headers")):
        bad.append(f"parts are {types}")
        return bad
    groups = parts[1].get_payload()
    if not groups[0]["Reporting-MTA"]:
        bad.append("no Reporting-MTA")
    mine = [g for g in groups[1:] if (g["Final-Recipient"] or "")
            .lower().replace(" ", "") == "rfc822;" + rcpt.lower()]
    if len(mine) != 1:
        bad.append(f"{len(mine)} groups for {rcpt}")
        return bad
    if mine[0]["Action"] != action:
        bad.append(f"Action is {mine[0]['Action']}, not {action}")
    have = (mine[0]["Status"] or "").split(" ")[0]
    if not re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", have) or \
            (status and not re.fullmatch(
                status.replace(".", r"\.").replace("x", r"\d+"), have)):
        bad.append(f"Status is {have}, not {status}")
    return bad
