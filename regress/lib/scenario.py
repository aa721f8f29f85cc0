# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""Runs a scenario file (regress/suite/README says what stands in one)."""

import fnmatch
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import gateway
import letter
from arrived import Arrived, Mistake, Wrong, describe
from clamd import Clamd
from client import Closed, Session
from dialogue import Dialogue
from dns import NameServer
from net import Late, Net, until
from patterns import Patterns
from sink import Sink, arrived_as, make_certificate

SECTIONS = ("config", "dns", "hop", "message", "script", "log", "never",
            "arrived")
SKIP = 77


# --- reading --------------------------------------------------------------

class Scenario:
    def __init__(self, path):
        self.path = path
        self.title = os.path.basename(path)
        self.sections = []      # (kind, argument, [(number, line)])
        with open(path, encoding="utf-8") as f:
            self.read(f.read().split("\n"))

    def read(self, lines):
        kind = None
        for number, line in enumerate(lines, 1):
            m = re.fullmatch(r"\[([a-z]+)(?: +(.*))?\]", line)
            if m and m.group(1) in SECTIONS:
                kind = m.group(1)
                self.sections.append((kind, m.group(2) or "", []))
            elif kind is None:
                if line.startswith("title:"):
                    self.title = line[6:].strip()
                elif line.strip() and not line.startswith("#"):
                    raise Mistake(f"{self.path}:{number}: {line}")
            elif kind == "message":
                self.sections[-1][2].append((number, line))
            elif line.strip() and not line.lstrip().startswith("#"):
                self.sections[-1][2].append((number, line.rstrip()))
        for kind, _, body in self.sections:
            while kind == "message" and body and not body[-1][1].strip():
                body.pop()

    def of(self, kind):
        return [(arg, body) for k, arg, body in self.sections if k == kind]

    def text(self, kind):
        return "\n".join(line for _, body in self.of(kind)
                         for _, line in body)


# --- running --------------------------------------------------------------

class Run:
    def __init__(self, scenario, verbose=False):
        self.sc, self.verbose = scenario, verbose
        self.dir = tempfile.mkdtemp(prefix="pf.")
        os.chmod(self.dir, 0o711)
        self.net = Net()
        self.patterns = Patterns(self.expand)
        self.messages, self.marks = {}, {}
        self.hops = {}
        self.sent = []
        self.sessions = {}
        self.current = None
        self.held = []          # idle connections
        self.queue = None       # reply lines of `mail', not yet looked at
        self.pipelined = b""
        self.timeout = None
        self.log_since = 0
        self.output = ""
        self.at = 0             # line of the scenario
        self.failures = []
        self.killed = {}
        self.dns = self.gw = self.clamd = None
        self.explicit = set()
        self.threads = []

    def expand(self, text):
        text = self.net.expand(text).replace("$dir", self.dir)
        if self.gw is not None:
            text = text.replace("$gw", self.gw.addr) \
                .replace("$log", self.gw.log.path)
        for name, mark in self.marks.items():
            text = text.replace(f"$canary:{name}", mark)
        return text

    def message(self, name):
        if name not in self.messages:
            raise Mistake(f"no message {name}")
        return self.messages[name]

    def prepare(self):
        seed = f"{os.getpid()}.{time.time()}"
        plain = [(0, line) for line in letter.PLAIN]
        for name, body in [("letter", plain), *self.sc.of("message")]:
            mark = letter.canary(seed + name)
            self.marks[name] = mark
            self.messages[name] = letter.build(
                [line for _, line in body], mark,
                {"net": self.net.prefix, "rev": self.net.reverse})
        records = gateway.DNS + self.sc.text("dns")
        self.dns = NameServer(self.dir, self.net.addr(53),
                              self.expand(records))
        certificate = None
        hops = {"mx": "25", "world": "26"}
        rules = {}
        for arg, body in self.sc.of("hop"):
            words = arg.split() or ["mx"]
            if len(words) > 1:
                hops[words[0]] = self.expand(" ".join(words[1:]))
            hops.setdefault(words[0], "27")
            rules[words[0]] = "\n".join(self.expand(x) for _, x in body)
        if any(re.search(r"(?m)^\s*tls$", r) for r in rules.values()) or \
                "tls" in self.sc.text("script"):
            certificate = make_certificate(self.dir, "mx1.uni-a.example")
        for name, host in hops.items():
            host, _, port = host.partition(" ")
            self.hops[name] = Sink(self.net.addr(host), int(port or 25),
                                   f"{name}.test", rules.get(name, ""),
                                   certificate)
        changes = self.sc.text("config")
        self.gw = gateway.Gateway(self.dir, self.net, changes)
        if "antivirus clamd" in changes:
            self.clamd = Clamd(os.path.join(self.gw.dir, "clamd.ctl"))
            self.clamd.start()

    def start(self):
        t = threading.Thread(target=self.dns.start)
        t.start()
        for hop in self.hops.values():
            hop.start()
        self.gw.start(wait=False)
        t.join()
        self.dns.ready()
        self.gw.ready()

    def go(self):
        """Runs everything; True if all was as the scenario says."""
        try:
            self.prepare()
            self.start()
            self.script()
            self.expected_log()
            self.expected_mail()
        except (Wrong, Late, Closed, AssertionError, OSError,
                RuntimeError) as e:
            where = f"{self.sc.path}:{self.at}: " if self.at else ""
            kind = "the connection was closed: " if isinstance(e, Closed) \
                else ""
            self.failures.append(f"{where}{kind}{e}")
        finally:
            self.finish()
        return not self.failures

    def finish(self):
        for d in self.sessions.values():
            d.s.close()
        for s in self.held:
            s.close()
        for hop in self.hops.values():
            hop.stopping.set()
        if self.gw is not None:
            self.failures += self.gw.stop()
        for hop in self.hops.values():
            hop.stop()
            self.failures += ["next hop: " + v for v in hop.violations]
        if self.dns is not None:
            self.dns.stop()
        for t in self.threads:
            t.join(5)
        if not self.failures:
            try:
                self.never()
                self.canaries()
            except Wrong as e:
                self.failures.append(str(e))
        self.net.close()
        if os.environ.get("PF_KEEP"):
            print("kept:", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)
        if self.failures or self.verbose:
            self.report()

    def report(self):
        print(f"{self.sc.title}: " +
              ("failed" if self.failures else "as it should be"))
        for f in self.failures:
            print("  !", f)
        for name, d in self.sessions.items():
            print(f"--- dialogue {name}")
            for who, text in d.s.dialogue:
                print(f"  {who}: {text}")
        for name, hop in self.hops.items():
            if hop.dialogue:
                print(f"--- next hop {name}")
            for number, who, text in hop.dialogue[-60:]:
                print(f"  {number} {who}: {text}")
        if self.gw is not None:
            print("--- log")
            for line in self.gw.log.tail(150):
                print("  " + line)

    # --- the script ---

    def script(self):
        for _, body in self.sc.of("script"):
            for self.at, line in body:
                self.step(line.strip())
        self.settle()
        self.at = 0

    def step(self, line):
        method, rest = self.read_step(line)
        if method not in (self.do_hear, self.do_within, self.do_times):
            self.settle()
        method(rest)

    def read_step(self, line):
        """(method, argument) of a step."""
        m = re.match(r"(C|C\+|P|S|O):(?: (.*))?$", line)
        if m:
            word, rest = m.group(1), m.group(2) or ""
        elif re.match(r"\d+ times ", line):
            word, rest = "times", line
        else:
            word, _, rest = line.partition(" ")
            rest = rest.strip()
        name = {"C": "say", "C+": "say_raw", "P": "pipeline", "S": "hear",
                "O": "seen", "sh!": "sh_fails"}.get(word, word)
        method = getattr(self, "do_" + name.replace("-", "_"), None)
        if method is None:
            raise Mistake(f"unknown step: {line}")
        return method, rest

    def do_within(self, rest):
        seconds, _, step = rest.partition(" ")
        self.timeout = float(seconds)
        self.step(step.strip())
        self.timeout = None

    def do_times(self, rest):
        n, _, step = rest.split(" ", 2)
        for _ in range(int(n)):
            self.step(step)

    def settle(self):
        """The replies of a `mail' that nobody looked at must be 250."""
        if self.queue is None:
            return
        lines, fresh = self.queue
        self.queue = None
        if lines and (not fresh or not lines[-1].startswith("250")):
            raise Wrong("reply: " + " | ".join(lines))

    def session(self):
        if self.current is None:
            raise Mistake("no connection")
        return self.current

    def do_connect(self, rest):
        """connect [NAME] [from HOST] [to ADDR [PORT]]"""
        words = self.expand(rest).split()
        name = words.pop(0) if words and words[0] not in ("from", "to") \
            else f"#{len(self.sessions) + 1}"
        source, to, port = self.net.addr(9), self.gw.addr, 25
        while words:
            w = words.pop(0)
            if w == "from":
                source = self.net.addr(words.pop(0))
            elif w == "to":
                to = self.net.addr(words.pop(0))
                if words and words[0].isdigit():
                    port = int(words.pop(0))
                if ":" in to:
                    source = to
            else:
                raise Mistake(f"connect: {w}?")
        d = Dialogue(self, Session(to, port, source, name))
        self.sessions[name] = self.current = d

    def do_use(self, rest):
        self.current = self.sessions[rest]

    def do_say(self, rest):
        data, self.pipelined = self.pipelined, b""
        self.session().send_raw(
            data + self.expand(rest).encode("utf-8") + b"\r\n")

    def do_say_raw(self, rest):
        data, self.pipelined = self.pipelined, b""
        self.session().send_raw(data + letter.unescape(self.expand(rest)))

    def do_pipeline(self, rest):
        self.pipelined += self.expand(rest).encode("utf-8") + b"\r\n"

    def do_drip(self, rest):
        """drip SECONDS TEXT: an octet at a time"""
        pause, _, text = rest.partition(" ")
        d = self.session()
        d.asked.append(("other", ""))
        d.s.drip(letter.unescape(self.expand(text)), float(pause))

    def do_octets(self, rest):
        """octets N X: N times X, in one go, without a line end"""
        n, _, x = rest.partition(" ")
        self.session().s.send(letter.unescape(x) * int(n))

    def do_letter(self, rest):
        self.session().send_letter(rest or "letter")

    def do_raw(self, rest):
        """raw NAME: the octets of a message as they are, no dots"""
        d = self.session()
        d.asked.append(("raw", ""))
        d.s.send(self.message(rest))

    def do_reply_to_raw(self, rest):
        self.session().asked.append(("raw", rest))

    def do_starttls(self, _rest):
        self.session().s.starttls()

    def do_close(self, _rest):
        self.session().s.close()

    def do_shutdown(self, _rest):
        self.session().s.sock.shutdown(1)

    def do_closed(self, _rest):
        self.session().s.expect_end(self.timeout)
        self.session().s.close()

    def do_quiet(self, rest):
        self.session().s.quiet(float(rest))

    def do_hear(self, rest):
        if self.queue is not None:
            lines, _ = self.queue
            self.queue = (lines, False)
            if not lines:
                self.queue = None
                raise Wrong(f"no further line of the reply; {rest!r} "
                            "expected")

            def take():
                return lines.pop(0)
        else:
            d = self.session()

            def take():
                try:
                    return d.line(self.timeout)
                except TimeoutError as e:
                    raise Wrong(f"no reply in time; {rest!r} "
                                "expected") from e
        if re.fullmatch(r"[2-5][\dx][\dx]", rest):
            got = [take()]
            while got[-1][3:4] == "-":
                got.append(take())
            if not fnmatch.fnmatch(got[-1][:3], rest.replace("x", "?")):
                raise Wrong(f"expected {rest}, got " + " | ".join(got))
        else:
            got = take()
            if not self.patterns.matches(rest, got):
                raise Wrong(f"expected {self.expand(rest)}\n"
                            f"           got {got}")
        if self.queue is not None and not self.queue[0]:
            self.queue = None

    def do_hear_all(self, _rest):
        """hear-all: reads replies until every command has its one"""
        d = self.session()
        while d.asked:
            d.line(self.timeout)

    def do_mail(self, rest):
        """mail [nowait] [from HOST] [helo NAME] <sender> <rcpt>... [NAME]"""
        m = re.fullmatch(r"((?:nowait |from \S+ |helo \S+ )*)<([^>]*)>"
                         r"((?: +<[^>]+>)+)(?: +(\S+))?", rest)
        if m is None:
            raise Mistake(f"mail {rest}")
        opts = m.group(1).split()
        rcpts = [self.expand(r) for r in re.findall(r"<([^>]+)>",
                                                    m.group(3))]
        source = opts[opts.index("from") + 1] if "from" in opts else "9"
        helo = opts[opts.index("helo") + 1] if "helo" in opts \
            else "mx.sender.example"
        self.do_connect(f"from {source}")
        d = self.current
        commands = [None, f"EHLO {helo}", f"MAIL FROM:<{m.group(2)}>",
                    *[f"RCPT TO:<{r}>" for r in rcpts], "DATA"]
        for c in commands:
            if c is not None:
                d.send_line(c)
            lines = self.whole_reply(d)
            if lines[-1][0] not in "23":
                self.queue = (lines, True)
                return
        d.send_letter(m.group(4) or "letter")
        if "nowait" in opts:
            return
        lines = self.whole_reply(d)
        self.queue = (lines, True)
        d.send_line("QUIT")

    def whole_reply(self, d):
        lines = [d.line(self.timeout)]
        while lines[-1][3:4] == "-":
            lines.append(d.line(self.timeout))
        return lines

    def do_idle(self, rest):
        """idle N [from HOST]: N connections that only read the banner"""
        words = rest.split()
        source = self.net.addr(words[2] if len(words) > 2 else 9)
        for _ in range(int(words[0])):
            s = Session(self.gw.addr, 25, source)
            lines = s.reply()
            if not lines[-1].startswith("220"):
                raise Wrong("idle connection: " + " | ".join(lines))
            self.held.append(s)

    def do_idle_end(self, _rest):
        while self.held:
            self.held.pop().close()

    # --- the world around ---

    def do_hop(self, rest):
        """hop [NAME] down | up | RULE"""
        word, _, order = rest.partition(" ")
        name = "mx"
        if word in self.hops:
            name, rest = word, order.strip()
        hop = self.hops[name]
        if rest == "down":
            hop.down()
        elif rest == "up":
            hop.up()
        else:
            hop.add_rules(self.expand(rest))

    def do_dns(self, rest):
        """dns stop | start | RECORD"""
        if rest == "stop":
            self.dns.stop()
        elif rest == "start":
            self.dns.start()
        else:
            self.sc.sections.append(("dns", "", [(0, rest)]))
            self.dns.change(self.expand(gateway.DNS + self.sc.text("dns")))

    def do_clamd(self, rest):
        """clamd good | error | hang | silent | odd: what it answers"""
        self.clamd.mode = rest

    def do_kill(self, rest):
        self.killed[rest] = self.gw.kill(rest)

    def do_stop(self, rest):
        self.gw.kill(rest, signal.SIGSTOP)

    def do_cont(self, rest):
        self.gw.kill(rest, signal.SIGCONT)

    def do_respawned(self, rest):
        self.gw.respawned(rest, self.killed.get(rest, []))

    def do_linked(self, rest):
        """linked DAEMON: smtpd-front has a channel to it again"""
        until(lambda: f"link {rest} up" in self.gw.gwctl("status")[1],
              f"smtpd-front finds {rest}", self.timeout)

    def do_restart(self, rest):
        """restart DAEMON: by SIGTERM, or started again if it is dead"""
        p = self.gw.processes.get(rest)
        if p is not None:
            if p.poll() is None:
                self.gw.stop_daemon(rest)
            else:
                del self.gw.processes[rest]
        self.gw.start_daemon(rest)
        self.gw.ready([rest])

    def do_halt(self, rest):
        """halt DAEMON: SIGTERM, and wait until it is gone"""
        status = self.gw.stop_daemon(rest)
        if status != 0:
            raise Wrong(f"{rest} ended with status {status}")

    def do_term(self, rest):
        """term DAEMON: SIGTERM"""
        self.gw.remember()
        self.gw.processes[rest].send_signal(signal.SIGTERM)

    def do_ended(self, rest):
        """ended DAEMON: waits until it is gone, with status 0"""
        status = self.gw.stop_daemon(rest, sig=None)
        if status != 0:
            raise Wrong(f"{rest} ended with status {status}")

    def do_boot(self, rest):
        self.gw.start_daemon(rest)
        self.gw.ready([rest])

    def do_hup(self, rest):
        """hup [DAEMON...]: SIGHUP, in the order of a reload"""
        for name in rest.split() or gateway.DAEMONS:
            self.gw.processes[name].send_signal(signal.SIGHUP)

    def do_config(self, rest):
        """config STATEMENT: replaces it in the file; nobody is told"""
        self.gw.configure(rest)

    def do_config_raw(self, rest):
        """config-raw TEXT: appended to the file as it is"""
        self.gw.write_raw(self.gw.expand(self.gw.text) +
                          self.expand(rest) + "\n")

    def do_wait(self, rest):
        time.sleep(float(rest))

    def do_mark(self, _rest):
        self.log_since = len(self.gw.log.lines)

    def do_log(self, rest):
        """log [N times] PATTERN: waits for such lines (since `mark')"""
        count = 1
        m = re.match(r"(\d+) times +", rest)
        if m:
            count, rest = int(m.group(1)), rest[m.end():]
        test = self.patterns.log_test(rest)
        since = self.log_since
        until(lambda: len(self.gw.log.find(test, since)) >= count,
              f"log line {self.expand(rest)}", self.timeout)

    def do_arrived(self, rest):
        """arrived N [HOP]"""
        n, _, hop = rest.partition(" ")
        self.hops[hop or "mx"].wait(int(n), self.timeout)

    def do_started(self, rest):
        """started N [HOP]: so many contents have begun at the next hop"""
        n, _, hop = rest.partition(" ")
        self.hops[hop or "mx"].wait(int(n), self.timeout, "started")

    def do_reached(self, rest):
        """reached N POINT [HOP]: so often the dialogue came to there"""
        n, point, *hop = rest.split()
        hop = self.hops[hop[0] if hop else "mx"]
        until(lambda: hop.points.get(point, 0) >= int(n),
              f"{n} times {point} at {hop.name}", self.timeout)

    def do_connections(self, rest):
        n, _, hop = rest.partition(" ")
        self.hops[hop or "mx"].wait(int(n), self.timeout, "connections")

    def do_most(self, rest):
        """most N [HOP]: never more connections at once than that"""
        n, _, hop = rest.partition(" ")
        if self.hops[hop or "mx"].most > int(n):
            raise Wrong(f"{self.hops[hop or 'mx'].most} at once")

    def do_opened_most(self, rest):
        """opened-most N [HOP]: no more connections in all"""
        n, _, hop = rest.partition(" ")
        if self.hops[hop or "mx"].connections > int(n):
            raise Wrong(f"{self.hops[hop or 'mx'].connections} connections")

    def do_spooled(self, rest):
        """spooled N: so many messages in the spool directory"""
        until(lambda: len(self.gw.spooled()) == int(rest),
              f"{rest} messages in the spool", self.timeout)

    def run_command(self, argv, shell=False):
        env = dict(os.environ, NET=self.net.prefix, GW=self.gw.addr,
                   DIR=self.dir, CONF=self.gw.conf,
                   OBJECTS=gateway.objects())
        try:
            p = subprocess.run(
                argv, shell=shell, env=env, cwd=gateway.TOP,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=self.timeout or 60)
        except subprocess.TimeoutExpired as e:
            raise Wrong(f"does not end: {e.output}") from e
        self.output = p.stdout.decode("utf-8", "backslashreplace")
        return p.returncode

    def do_show(self, _rest):
        """show: prints the output of the last sh or gwctl"""
        print(self.output, end="")

    def do_file(self, rest):
        """file NAME: the octets of a message as $dir/NAME"""
        with open(os.path.join(self.dir, rest), "wb") as f:
            f.write(self.message(rest))

    def do_need(self, rest):
        """need PROGRAM...: skip the scenario where it is missing"""
        for name in rest.split():
            if shutil.which(name, path=os.environ.get("PATH", "") +
                            ":/usr/sbin:/sbin") is None:
                raise Skip(f"{name} is not installed")

    def do_sh(self, rest):
        status = self.run_command(self.expand(self.fill(rest)), shell=True)
        if status != 0:
            raise Wrong(f"status {status}:\n{self.output}")

    def do_sh_fails(self, rest):
        if self.run_command(self.expand(self.fill(rest)), shell=True) == 0:
            raise Wrong(f"should have failed:\n{self.output}")

    def do_gwctl(self, rest):
        tool = gateway.program("gwctl")
        if tool is None:
            raise Skip("gwctl was not built")
        status = self.run_command([tool, "-f", self.gw.conf] +
                                  self.expand(self.fill(rest)).split())
        if status != 0:
            raise Wrong(f"status {status}:\n{self.output}")

    def fill(self, text):
        """{id} as it is known."""
        for name, value in self.patterns.known.items():
            text = text.replace("{" + name + "}", value)
        return text

    def do_seen(self, rest):
        """O: PATTERN - a line of the output of the last sh or gwctl"""
        if not any(self.patterns.matches(f"*{rest}*", line)
                   for line in self.output.splitlines()):
            raise Wrong(f"no line {self.expand(rest)!r} in\n{self.output}")

    # --- what must be so afterwards ---

    def expected_log(self):
        for _, body in self.sc.of("log"):
            for self.at, line in body:
                m = re.match(r"(\d+) times +", line)
                count = int(m.group(1)) if m else None
                pattern = line[m.end():] if m else line
                test = self.patterns.log_test(pattern)
                until(lambda: len(self.gw.log.find(test)) >= (count or 1),
                      f"log line {self.expand(pattern)}")
                n = len(self.gw.log.find(test))
                if count is not None and n != count:
                    raise Wrong(f"{n} log lines, not {count}")
        self.at = 0

    def never(self):
        for _, body in self.sc.of("never"):
            for number, line in body:
                test = self.patterns.log_test(line)
                found = self.gw.log.find(test)
                if found:
                    raise Wrong(f"{self.sc.path}:{number}: in the log: " +
                                self.gw.log.lines[found[0]][2])

    def expected_mail(self):
        for arg, body in self.sc.of("arrived"):
            Arrived(self, arg or "mx").check(body)
            self.explicit.add(arg or "mx")
        if self.explicit:
            for name, hop in self.hops.items():
                if name not in self.explicit and hop.messages:
                    raise Wrong(f"something arrived at {name}: " +
                                describe(hop.messages))
            return
        self.accepted_arrived()

    def accepted_arrived(self):
        """Without an [arrived] section: what was accepted has arrived once
        for every recipient, octet for octet, and nothing else."""
        want = [s for s in self.sent if s.accepted]
        expected = sorted((r.lower(), s.hash) for s in want
                          for r in s.rcpts)

        def got():
            out = []
            for hop in self.hops.values():
                for m in list(hop.messages):
                    h = self.content_hash(m)
                    out += [(r.lower(), h) for r in m.addresses]
            return sorted(out)

        try:
            until(lambda: len(got()) >= len(expected), "all mail arrives")
        except Late:
            pass
        have = got()
        if have != expected:
            raise Wrong(f"arrived {self.name_hashes(have)}, "
                        f"not {self.name_hashes(expected)}")
        for s in want:
            self.check_audit(s)

    def name_hashes(self, pairs):
        names = {hashlib.sha256(c).hexdigest(): n
                 for n, c in self.messages.items()}
        return ", ".join(f"{names.get(h, '(unknown octets)')} to <{r}>"
                         for r, h in pairs) or "nothing"

    def content_hash(self, m):
        """Of what follows the trace lines: one of ours, if it ends so."""
        name = arrived_as(m.data, self.messages)
        if name is None:
            return "unknown:" + m.hash
        return hashlib.sha256(self.messages[name]).hexdigest()

    def check_audit(self, s):
        if s.id is None:
            raise Wrong(f"no id in the reply: {s.reply}")
        log = self.gw.log
        for event in ("message", "delivered"):
            until(lambda: log.events(event, id=s.id),
                  f"ev={event} of {s.id}")
            for f in log.events(event, id=s.id):
                if f.get("sha256") != s.hash:
                    raise Wrong(f"{event} of {s.id}: sha256 "
                                f"{f.get('sha256')}, not {s.hash}")

    def canaries(self):
        """No log has any, no file that of a refused message."""
        accepted = {s.name for s in self.sent if s.accepted}
        refused = {s.name for s in self.sent} - accepted
        for path, _, names in os.walk(self.gw.dir):
            for n in names:
                file = os.path.join(path, n)
                try:
                    with open(file, "rb") as f:
                        octets = f.read()
                except OSError:
                    continue
                is_log = file == self.gw.log.path
                for name, mark in self.marks.items():
                    # A Message-ID may be logged, a subject never.
                    octets_ = octets.replace(
                        b"<" + mark.encode() + b"@sender.example>", b"")
                    if (is_log or name in refused) and \
                            mark.encode() in octets_:
                        raise Wrong(f"{file} holds the canary of {name}")


class Skip(Exception):
    """Not possible here."""


def run_file(path, verbose):
    lacking = gateway.missing()
    if lacking:
        print("skipped:", lacking)
        return SKIP
    run = None
    try:
        run = Run(Scenario(path), verbose)
        return 0 if run.go() else 1
    except Skip as e:
        print("skipped:", e)
        return SKIP
    except Mistake as e:
        print(f"{path}:{run.at if run else 0}: {e}")
        return 2


def main(argv):
    """run [-v] FILE..."""
    verbose = "-v" in argv
    files = [a for a in argv if not a.startswith("-")]
    if not files:
        sys.exit("usage: run [-v] scenario ...")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    worst, results = 0, []
    for path in files:
        t = time.monotonic()
        status = run_file(path, verbose)
        results.append((path, status, time.monotonic() - t))
        worst = max(worst, status if status != SKIP else 0)
    if len(files) > 1:
        for path, status, took in results:
            word = {0: "ok", SKIP: "skip"}.get(status, "FAIL")
            print(f"{word:4} {took:5.1f} s {path}")
    elif results[0][1] == SKIP:
        return SKIP
    return worst
