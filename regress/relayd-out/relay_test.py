#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""relayd-out by itself: what it takes, where it goes, and what becomes of
what cannot go there.

regress: timeout=180
"""

import email
import email.policy
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from relay import Relay, missing, test_ids, until  # noqa: E402

CONFIG = """\
queue retry 1s max 1s warn 1h expire 5d
+participant "other" contact "postmaster@other.example" {
	domain "far.example" deliver to $net.27
}
"""
ZONE = """
self.example.		MX	10 mail-in.example.net.
null.example.		MX	0 .
two.example.		MX	20 mx.world.example.
two.example.		MX	10 dead.two.example.
dead.two.example.	A	$net.99
"""
HOP = "tls"
LETTER = (b"From: anna@sender.example\r\nSubject: a letter\r\n"
          b"Subject: twice\r\n\r\n.dot\r\n..two\r\n" + b"x" * 5000 +
          b"\r\n\xe4\xf6\r\n\r\n\r\n")


def report(message):
    m = email.message_from_bytes(message.data, policy=email.policy.default)
    parts = list(m.iter_parts())
    return [{k: str(v) for k, v in g.items()}
            for g in parts[1].get_payload()], parts


def letter(r):
    path = os.path.join(r.dir, "letter")
    with open(path, "wb") as f:
        f.write(LETTER)
    (mid, status), = r.put("-8", "-F" + path, "a@uni-a.example",
                           "b@uni-b.example")
    assert status == "durable", status
    r.mx.wait(1)
    m = r.mx.messages[0]
    assert m.data.endswith(LETTER), m.data[:300]
    assert m.data[:-len(LETTER)] == \
        f"Received: from test.example\r\n\tby test.example id {mid}\r\n" \
        .encode()
    assert m.addresses == ["a@uni-a.example", "b@uni-b.example"]
    assert "BODY=8BITMIME" in m.params and m.tls, (m.params, m.tls)
    e, = until(lambda: r.gw.log.events("delivered", id=mid), "ev=delivered")
    assert e["to"] == f"mx1.uni-a.example[{r.net.addr(25)}]", e
    assert e["tls"].startswith("TLSv1.") and e["rcpts"] == "2"
    assert e["reply"].startswith("250 ") and e["path"] == "queue"
    until(lambda: not r.spool_files(), "the spool is empty")


def reuse(r):
    """Many over few connections, and over one at a time where asked."""
    before, n = r.mx.connections, len(r.mx.messages)
    got = r.put("-n100", "-c10", "a@uni-a.example")
    assert len(got) == 100 and all(s == "durable" for _, s in got)
    r.mx.wait(n + 100)
    assert sorted(test_ids(r.mx.messages[n:])) == sorted(i for i, _ in got)
    assert r.mx.connections - before <= 20, r.mx.connections - before


def fates(r):
    """One delivered, one later, one never: one report, about that one."""
    r.mx.add_rules("1-2 rcpt slow@*: 450 4.2.0 later\n"
                   "rcpt no@*: 550 5.1.1 no such user")
    n, w = len(r.mx.messages), len(r.world.messages)
    (mid, _), = r.put("-fs@sender.example", "a@uni-a.example",
                      "no@uni-a.example", "slow@uni-a.example",
                      "!noreply@uni-a.example")
    r.mx.wait(n + 2)
    r.world.wait(w + 1)
    assert [m.addresses for m in r.mx.messages[n:]] == \
        [["a@uni-a.example"], ["slow@uni-a.example"]]
    m = r.world.messages[w]
    assert m.sender == "" and m.addresses == ["s@sender.example"]
    groups, parts = report(m)
    assert len(groups) == 2 and groups[1]["Action"] == "failed", groups
    assert groups[1]["Final-Recipient"] == "rfc822; no@uni-a.example"
    assert groups[1]["Status"] == "5.1.1"
    assert "550 5.1.1 no such user" in groups[1]["Diagnostic-Code"]
    assert parts[2].get_content_type() == "text/rfc822-headers"
    assert b"X-Test-Id: " + mid.encode() in m.data
    assert b"quick brown fox" not in m.data
    until(lambda: r.gw.log.events("discarded", id=mid), "ev=discarded")
    assert len(r.gw.log.events("deferred", id=mid)) == 2
    assert len(r.gw.log.events("bounce", id=mid)) == 1
    until(lambda: not r.spool_files(), "the spool is empty")
    r.mx.add_rules("clear\ntls")


def null_sender(r):
    """A report that cannot be delivered is put on record, no more."""
    r.mx.add_rules("rcpt no@*: 550 5.1.1 no such user")
    w = len(r.world.messages)
    (mid, _), = r.put("-z", "no@uni-a.example")
    until(lambda: r.gw.log.events("undeliverable", id=mid), "undeliverable")
    until(lambda: not r.spool_files(), "the spool is empty")
    assert len(r.world.messages) == w
    r.mx.add_rules("clear\ntls")


def routes(r):
    w = len(r.world.messages)
    r.put("-fs@sender.example", "x@two.example", "x@null.example",
          "x@nowhere.example", "x@self.example")
    # The letter itself by the second MX, and three reports.
    r.world.wait(w + 4)
    status = {}
    for m in r.world.messages[w:]:
        if m.sender == "":
            for g in report(m)[0][1:]:
                status[g["Final-Recipient"][8:]] = g["Status"]
        else:
            assert m.addresses == ["x@two.example"], m.addresses
    assert status == {"x@null.example": "5.1.10",
                      "x@nowhere.example": "5.1.2",
                      "x@self.example": "5.4.6"}, status
    until(lambda: not r.spool_files(), "the spool is empty")


def notify(r):
    """NOTIFY=NEVER is obeyed; SUCCESS and a hop without DSN: relayed."""
    r.mx.add_rules("rcpt no@*: 550 5.1.1 no such user")
    w = len(r.world.messages)
    (mid, _), = r.put("-N1", "-fs@sender.example", "no@uni-a.example")
    until(lambda: r.gw.log.events("failed", id=mid), "ev=failed")
    r.put("-N2", "-fs@sender.example", "yes@uni-a.example")
    r.world.wait(w + 1)
    groups, _ = report(r.world.messages[w])
    assert groups[1]["Action"] == "relayed", groups
    assert len(r.world.messages) == w + 1
    r.mx.add_rules("clear\ntls")


def down(r):
    """A hop that is away keeps its mail, over a restart too."""
    n = len(r.mx.messages)
    r.mx.down()
    ids = sorted(i for i, _ in r.put("-n20", "a@uni-a.example"))
    until(lambda: r.gw.log.events("deferred", id=ids[0]), "ev=deferred")
    # Files that are used again keep their last name for a moment.
    until(lambda: r.spool_files() == set(ids), "all are in the spool")
    code, text = r.control()
    assert code == 0 and "queue.messages 20\n" in text, text
    assert "hop mx1.uni-a.example:25 messages 20 " in text, text
    assert r.stop() == 0
    assert r.spool_files() == set(ids)
    r.start()
    code, text = r.control("list", "")
    assert code == 0 and sorted(x.split()[0] for x in text.splitlines()) == \
        ids, text
    code, text = r.control("show", ids[0])
    assert "sender <sender@test.example>" in text, text
    assert "rcpt <a@uni-a.example> waiting mx1.uni-a.example[" in text, text

    assert r.control("hold", ids[0])[0] == 0
    assert r.control("hold", ids[1])[0] == 0
    assert r.control("show", "0000000000000000")[0] == 1
    assert r.control("dance", "")[0] == 1
    r.stop()
    r.start()
    assert r.control("list", "")[1].count(" held ") == 2
    r.mx.up()
    r.control("retry", "all")
    r.mx.wait(n + 18)
    until(lambda: r.spool_files() == set(ids[:2]), "two are held")
    w = len(r.world.messages)
    assert r.control("drop", ids[0])[0] == 0
    assert r.control("release", ids[1])[0] == 0
    r.mx.wait(n + 19)
    assert sorted(test_ids(r.mx.messages[n:])) == ids[1:]
    until(lambda: not r.spool_files(), "the spool is empty")
    assert len(r.world.messages) == w
    until(lambda: r.gw.log.events("dropped", id=ids[0]), "ev=dropped")


def removed(r):
    """The operator's remove is told to the sender."""
    w = len(r.world.messages)
    (mid, _), = r.put("-fs@sender.example", "x@far.example")
    until(lambda: r.gw.log.events("deferred", id=mid), "ev=deferred")
    assert r.control("remove", mid)[0] == 0
    r.world.wait(w + 1)
    groups, _ = report(r.world.messages[w])
    assert groups[1]["Action"] == "failed", groups
    assert groups[1]["Status"] == "5.7.0", groups
    until(lambda: not r.spool_files(), "the spool is empty")


def no_tls(r):
    """TLS that breaks is no reason to keep the mail."""
    r.mx.add_rules("starttls: drop")
    time.sleep(5.2)             # no connection from before
    n = len(r.mx.messages)
    r.put("a@uni-a.example")
    r.mx.wait(n + 1)
    assert r.mx.messages[n].tls == ""


def main():
    why = missing()
    if why is not None:
        print(why)
        return 77
    with Relay(CONFIG, HOP, ZONE) as r:
        for test in (letter, reuse, fates, null_sender, routes, notify, down,
                     removed, no_tls):
            begin = time.monotonic()
            try:
                test(r)
            except BaseException:
                print(f"{test.__name__}:")
                raise
            print(f"{test.__name__} {time.monotonic() - begin:.1f} s")
    bad = r.mx.violations + r.world.violations + r.trouble
    assert not bad, bad
    assert r.status == 0, r.status
    return 0


sys.exit(main())
