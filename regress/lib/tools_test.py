#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""The tools of the whole-gateway tests, tested against each other."""

import os
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dns          # noqa: E402
import gateway      # noqa: E402
import letter       # noqa: E402
import scenario     # noqa: E402
from client import Session, send_mail, stuff                # noqa: E402
from net import Net                                         # noqa: E402
from patterns import Patterns                               # noqa: E402
from sink import Rule, Sink, make_certificate, split_trace  # noqa: E402
from sink import trace_fields                               # noqa: E402


class Tools(unittest.TestCase):
    def setUp(self):
        self.net = Net()
        self.addCleanup(self.net.close)

    def sink(self, rules="", **kw):
        s = Sink(self.net.addr(25), 2525, rules=rules, **kw).start()
        self.addCleanup(s.stop)
        return s

    def send(self, content, rcpts=("b@uni-a.example",)):
        return send_mail(self.net.addr(25), 2525, self.net.addr(9),
                         "a@sender.example", rcpts, content, timeout=5)

    def test_octets_survive(self):
        s = self.sink()
        for body in (b"", b".\r\n", b"..\r\n.a\r\n\r\n.\r\n", b"\r\n",
                     b"x" * 70000 + b"\r\n", bytes(range(128, 256)) + b"\r\n"):
            stage, lines = self.send(b"Subject: x\r\n\r\n" + body)
            self.assertEqual((stage, lines[-1][:3]), ("dot", "250"))
            self.assertEqual(s.messages[-1].data,
                             b"Subject: x\r\n\r\n" + body)
        self.assertEqual(s.messages[0].addresses, ["b@uni-a.example"])
        self.assertEqual(s.violations, [])

    def test_orders(self):
        s = self.sink("2 dot: 451 4.3.0 later\n"
                      "rcpt no@*: 550 5.1.1 no | such user\n"
                      "3 connect: drop\n5- mail: 452 4.3.1 full")
        letter_ = b"Subject: x\r\n\r\nx\r\n"
        self.assertEqual(self.send(letter_)[1][-1][:3], "250")
        self.assertEqual(self.send(letter_)[1], ["451 4.3.0 later"])
        self.assertEqual(self.send(letter_)[0], "lost")
        stage, lines = self.send(letter_, ["no@uni-a.example"])
        self.assertEqual((stage, lines), ("RCPT", ["550-5.1.1 no",
                                                   "550 such user"]))
        self.assertEqual(self.send(letter_)[1][-1][:3], "250")
        self.assertEqual(self.send(letter_)[1], ["452 4.3.1 full"])
        self.assertEqual(len(s.messages), 2)

    def test_rules_are_checked(self):
        for bad in ("dot 250 ok", "nowhere: hang", "dot: maybe"):
            with self.assertRaises(ValueError):
                Rule(bad)
        r = Rule("2-3 rcpt: delay 0.1s 450 4.2.0 x")
        self.assertEqual((r.first, r.last, r.delay), (2, 3, 0.1))

    def test_bad_clients_are_seen(self):
        s = self.sink("no PIPELINING")
        c = Session(self.net.addr(25), 2525)
        c.reply()
        c.command("EHLO a")
        c.send(b"MAIL FROM:<a@b> RET=HDRS\r\nRCPT TO:<c@d>\r\nDATA\r\n")
        for _ in range(3):
            c.reply()
        c.send(b"x\n.\r\n.\r\n")
        c.reply()
        c.close()
        text = " ".join(s.violations)
        for word in ("RET=HDRS", "pipelined", "bare CR or LF"):
            self.assertIn(word, text)

    def test_tls(self):
        with tempfile.TemporaryDirectory() as d:
            self.sink("tls", certificate=make_certificate(d, "mx.test"))
            c = Session(self.net.addr(25), 2525)
            c.reply()
            self.assertIn("250 STARTTLS", c.command("EHLO a"))
            self.assertEqual(c.command("STARTTLS")[0][:3], "220")
            c.starttls()
            self.assertNotIn("250 STARTTLS", c.command("EHLO a"))
            c.close()

    def test_dns(self):
        if dns.program() is None:
            self.skipTest("no knotd")
        with tempfile.TemporaryDirectory() as d:
            os.chmod(d, 0o755)
            n = dns.NameServer(d, self.net.addr(53), "a.test. A 127.0.0.1",
                               53 if os.geteuid() == 0 else 5300)
            n.start()
            self.addCleanup(n.stop)
            n.change("b.test. A 127.0.0.1")

    def test_stuffing(self):
        self.assertEqual(stuff(b".\r\n.x\r\n"), b"..\r\n..x\r\n.\r\n")
        self.assertEqual(stuff(b""), b".\r\n")

    def test_letters(self):
        m = letter.build(["@letter -Date -Message-ID", "", "@raw \\xe4\\r\\n",
                          "@line 3 ab", "@lines 2 n #", "@blank"], "C1")
        self.assertTrue(m.endswith(
            b"8bit\r\n\r\n\xe4\r\nababab\r\nn 0\r\nn 1\r\n\r\n"))
        self.assertNotIn(b"\r\nDate:", m)
        self.assertIn(b"Tuesday, C1\r\n", m)

    def test_trace(self):
        content = b"From: a\r\n\r\nReceived: x\r\n"
        data = b"Received: by x\r\n\tfor y\r\nX-Pfoertner-Id: 1\r\n" + content
        trace = split_trace(data, content)
        self.assertEqual(trace_fields(trace),
                         ["Received: by x for y", "X-Pfoertner-Id: 1"])
        self.assertEqual(split_trace(data), trace)
        self.assertIsNone(split_trace(data[:-2], content))

    def test_configuration(self):
        base = 'a 1\nlimit x 1\nparticipant "p" {\n\tb {\n\t}\n}\n' \
            'limit y 1\n'
        new = gateway.merge(base, 'limit x 2\n+participant "q" { }\n-a')
        self.assertEqual(new, 'limit y 1\nlimit x 2\nparticipant "p" {\n'
                         '\tb {\n\t}\n}\nparticipant "q" { }\n')

    def test_log_fields(self):
        self.assertEqual(
            gateway.fields(r'id=01 ev=x reply="250 \"a\" \x41" n=1'),
            [("id", "01"), ("ev", "x"), ("reply", '250 "a" A'), ("n", "1")])

    def test_patterns(self):
        p = Patterns(lambda t: t)
        self.assertTrue(p.matches("554 5.7.1 id {id}, *",
                                  "554 5.7.1 id 01hq3vbk2t7m9c4e, why"))
        self.assertFalse(p.matches("{id}", "01hq3vbk2t7m9c4f"))
        self.assertTrue(p.matches("{/4\\d\\d/} x", "451 x"))
        test = p.log_test('scand: ev=verdict sym=*A:* text="a b"')
        self.assertTrue(test("scand", 'id=1 ev=verdict text="a b" sym=A:1'))
        self.assertFalse(test("greyd", 'id=1 ev=verdict text="a b" sym=A:1'))
        self.assertTrue(p.log_test("died of *")("greyd", "x died of signal"))

    def test_scenarios_can_be_read(self):
        here = os.path.dirname(os.path.abspath(__file__))
        folder = os.path.join(here, "..", "suite")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".scn"):
                self.read_scenario(os.path.join(folder, name))

    def read_scenario(self, path):
        sc = scenario.Scenario(path)
        run = object.__new__(scenario.Run)
        for kind, arg, body in sc.sections:
            for number, line in body:
                with self.subTest(path=path, line=number):
                    if kind == "script":
                        step, rest = run.read_step(line.strip())
                        while step in (run.do_within, run.do_times):
                            step, rest = run.read_step(
                                re.sub(r"^[\d.]+ (times )?", "", rest))
                    elif kind == "hop" and ":" in line:
                        Rule(line.strip().split(" #")[0])
                    elif kind in ("log", "never"):
                        Patterns(lambda t: t).log_test(line)
        self.assertTrue(sc.of("script"), path)
        self.assertNotEqual(sc.title, os.path.basename(path))

    def test_dsn(self):
        data = b"\r\n".join([
            b"From: M <postmaster@mail-in.example.net>", b"To: a@b.example",
            b"Subject: undelivered", b"Date: Tue, 1 Jan 2030 00:00:00 +0000",
            b"Message-ID: <1@x>", b"MIME-Version: 1.0",
            b"Auto-Submitted: auto-replied",
            b"Content-Type: multipart/report; boundary=x;",
            b"\treport-type=delivery-status", b"", b"--x", b"", b"sorry",
            b"--x", b"Content-Type: message/delivery-status", b"",
            b"Reporting-MTA: dns; x", b"",
            b"Final-Recipient: rfc822; c@d.example", b"Action: failed",
            b"Status: 5.1.1", b"", b"--x", b"Content-Type: message/rfc822",
            b"", b"Subject: y", b"", b"--x--", b""])
        s = self.sink()
        send_mail(self.net.addr(25), 2525, None, "", ["a@b.example"], data)
        want = ("failed", "c@d.example", "5.x.x", "a@b.example")
        self.assertEqual(letter.problems_of_dsn(s.messages[0], *want), [])
        want = ("delayed", "e@d.example", "5.x.x", "a@b.example")
        self.assertEqual(len(letter.problems_of_dsn(s.messages[0], *want)),
                         1)


if __name__ == "__main__":
    unittest.main()
