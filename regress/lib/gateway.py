# SPDX-License-Identifier: ISC
# Copyright (c) 2026 the Pförtner authors
"""A whole gateway of its own: configuration, four daemons, their logs, their
processes, and the checks that hold for every test."""

import os
import re
import resource
import signal
import subprocess
import threading
import time

from net import PATIENCE, Late, until
from sink import make_certificate

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
DAEMONS = ("relayd-out", "greyd", "scand", "smtpd-front")   # start order

CONFIG = """\
service "mail-in.example.net"
node "mail-in01.example.net"
network { $net.0/24 }
pki "mail-in" cert "$dir/mail-in.crt" key "$dir/mail-in.key"
listen on $net.1 port 25 tls pki "mail-in"
send from $net.2
message max 2M
memory 256M
greylist at 4.0 delay 1s window 1d keep 36d
reject at 8.0
macros reject
encrypted pdf reject
encrypted archive reject
encrypted office reject
antivirus builtin
dnsbl "bl.example.org" { 127.0.0.2 points 20.0, 127.0.0.3 points 4.5 }
state lmdb
resolver { $net.53 port 53 }
directory runtime "$dir/run" spool "$dir/spool" state "$dir/state"
user prefix "$prefix"
processes smtp 1 scanner 1 deliver 1
queue retry 1s max 2s warn 1h expire 5d
limit dns 3s
participant "uni-a" contact "postmaster@uni-a.example" {
	domain { "uni-a.example", "uni-b.example" } \
	    deliver to "mx1.uni-a.example"
	relay from { $net.77 }
	discard "noreply@uni-a.example"
	trap "old.lists@uni-a.example"
}
"""

DNS = """\
mx1.uni-a.example.	A	$net.25
uni-a.example.		MX	10 mail-in.example.net.
mail-in.example.net.	A	$net.1
mail-in01.example.net.	A	$net.1
world.example.		MX	10 mx.world.example.
mx.world.example.	A	$net.26
sender.example.		MX	10 mx.world.example.
mx.sender.example.	A	$net.9
9.$rev.in-addr.arpa.	PTR	mx.sender.example.
mx1.uni-a.example.	TXT	"next hop"
2.0.0.127.bl.example.org.	A	127.0.0.2
66.$rev.bl.example.org.	A	127.0.0.2
40.$rev.bl.example.org.	A	127.0.0.3
"""


def objects():
    """The object directory of the build under test."""
    name = os.environ.get("PF_OBJ") or os.environ.get("OBJ") or "obj"
    return os.path.join(TOP, name)


def sanitized():
    """Whether memory means nothing in this build."""
    try:
        with open(os.path.join(objects(), "config.args"),
                  encoding="utf-8") as f:
            return "--sanitize" in f.read()
    except OSError:
        return False


def program(name):
    """The path of a daemon or tool of ours, or None if it was not built."""
    path = os.path.join(objects(), name, name)
    return path if os.access(path, os.X_OK) else None


def missing():
    """What keeps a gateway from running here, or None."""
    if os.geteuid() != 0:
        return "only root can start the daemons"
    lacking = [d for d in DAEMONS if program(d) is None]
    if lacking:
        return "not built: " + " ".join(lacking)
    import dns
    if dns.program() is None:
        return "knotd is not installed"
    return None


# --- configuration --------------------------------------------------------

TWO_WORDS = ("symbol", "encrypted", "user", "dkim", "directory")
MANY = ("dnsbl", "symbol", "participant", "pki", "listen")


def statements(text):
    """Splits a configuration into statements; one ends where its braces
    do."""
    out, part, depth = [], [], 0
    for line in text.splitlines():
        bare = re.sub(r'"[^"]*"', "", line.split("#", 1)[0])
        if not part and not bare.strip() and not line.strip('+ \t"'):
            continue
        depth += bare.count("{") - bare.count("}")
        part.append(line)
        if depth <= 0:
            out.append("\n".join(part))
            part, depth = [], 0
    if part:
        out.append("\n".join(part))
    return out


def key(statement):
    words = statement.lstrip("+- ").split()
    if words and words[0] == "limit":
        return " ".join(words[:-1])
    n = 2 if words and words[0] in TWO_WORDS else 1
    return " ".join(words[:n])


def merge(base, changes):
    """A statement replaces the one (for lists: all) of the same name in the
    base; +statement is added, -name removed."""
    old = statements(base)
    new = []
    for s in statements(changes):
        if s.startswith("-"):
            old = [o for o in old if key(o) != key(s)]
        elif s.startswith("+"):
            new.append(s[1:].lstrip())
        else:
            old = [o for o in old if key(o) != key(s)]
            new.append(s)
    # What others refer to comes first.
    order = {"participant": 2, "listen": 1}
    both = old + new
    both.sort(key=lambda s: order.get(key(s), 0))
    return "\n".join(both) + "\n"


# --- logs -----------------------------------------------------------------

def fields(line):
    """A logfmt line as a list of (key, value)."""
    out = []
    for m in re.finditer(r'([a-z0-9_-]+)=("(?:[^"\\]|\\.)*"|\S*)', line):
        value = m.group(2)
        if value.startswith('"'):
            value = re.sub(r"\\x([0-9a-fA-F]{2})",
                           lambda h: chr(int(h.group(1), 16)), value[1:-1])
            value = re.sub(r"\\(.)", r"\1", value)
        out.append((m.group(1), value))
    return out


def stamp():
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + \
        f".{int(now * 1000) % 1000:03}Z"


class Log:
    """All lines of all daemons with their arrival times; also in a file, as
    a syslogd would write it."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "w", encoding="utf-8", buffering=1)
        self.start = time.monotonic()
        self.lines = []         # (seconds, daemon, text)
        self.changed = threading.Condition()
        self.keep = True        # False: long runs keep only the file

    def follow(self, daemon, pipe):
        t = threading.Thread(target=self.read, args=(daemon, pipe),
                             daemon=True)
        t.start()
        return t

    def read(self, daemon, pipe):
        with pipe:
            for raw in pipe:
                text = raw.decode("utf-8", "backslashreplace").rstrip("\n")
                # All lines get the time of our clock.
                text = re.sub(r"^\d{4}-\d\d-\d\dT[\d:.]+Z " +
                              re.escape(daemon) + ": ", "", text)
                self.add(daemon, text)

    def add(self, daemon, text):
        now = time.monotonic() - self.start
        with self.changed:
            if self.keep or "ev=" not in text:
                self.lines.append((now, daemon, text))
            self.file.write(f"{stamp()} {daemon}: {text}\n")
            self.changed.notify_all()

    def events(self, event, **match):
        """Audit lines as dictionaries."""
        out = []
        with self.changed:
            lines = list(self.lines)
        for _, daemon, text in lines:
            if f"ev={event}" not in text:
                continue
            f = dict(fields(text))
            if f.get("ev") == event and all(
                    f.get(k) == v for k, v in match.items()):
                f["daemon"] = daemon
                out.append(f)
        return out

    def find(self, test, since=0):
        with self.changed:
            return [n for n, (_, d, t) in enumerate(self.lines)
                    if n >= since and test(d, t)]

    def tail(self, n=60):
        with self.changed:
            return [f"{t:8.3f} {d}: {x}" for t, d, x in self.lines[-n:]]


TROUBLE = re.compile(
    r"AddressSanitizer|LeakSanitizer|UndefinedBehavior|runtime error:|"
    r"SUMMARY: |Assertion|assert|stack smashing|free\(\)|malloc\(\)|"
    r"SIGSYS|signal (4|6|7|8|11|31)\b|fatal|broken frame|"
    r"log lines were lost")
# Deaths that a test did not ask for.
DEATH = re.compile(r"died of signal|left with status")


# --- the gateway ----------------------------------------------------------

class Gateway:
    def __init__(self, directory, net, changes="", name="gw", base=CONFIG,
                 prefix=None, addr=None):
        self.dir = os.path.join(directory, name)
        self.net, self.name = net, name
        self.addr = addr or net.addr(1)
        self.prefix = prefix or os.environ.get("PF_USERS", "_pf")
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o711)
        self.log = Log(os.path.join(self.dir, "log"))
        self.processes = {}         # name -> Popen
        self.seen = {}              # pid -> (start time, title)
        self.conf = os.path.join(self.dir, "pfoertner.conf")
        self.base = base
        self.text = merge(base, changes)
        self.deaths_expected = False
        self.options = []
        self.configure("")
        make_certificate(self.dir, "mail-in")

    # --- configuration ---

    def expand(self, text):
        return (self.net.expand(text)
                .replace("$dir", self.dir).replace("$prefix", self.prefix)
                .replace("$gw", self.addr))

    def configure(self, changes):
        self.text = merge(self.text, changes)
        self.write_raw(self.expand(self.text))

    def write_raw(self, text):
        with open(self.conf + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(self.conf + ".new", self.conf)

    def check(self):
        """-n of a daemon: (status, errors)."""
        p = subprocess.run([program("smtpd-front"), "-n", "-f", self.conf],
                           stdin=subprocess.DEVNULL, capture_output=True,
                           text=True)
        return p.returncode, p.stderr

    # --- start and stop ---

    def start(self, wait=True):
        for name in DAEMONS:
            self.start_daemon(name)
        if wait:
            self.ready()

    def start_daemon(self, name):
        env = dict(os.environ)
        env["ASAN_OPTIONS"] = ("detect_leaks=0:symbolize=0:abort_on_error=0:"
                               + env.get("ASAN_OPTIONS_MORE", ""))
        env["UBSAN_OPTIONS"] = "print_stacktrace=1"

        def limits():
            # A core, if one can be had at all, would be found.
            soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
            resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

        since = len(self.log.lines)
        p = subprocess.Popen(
            [program(name), "-d", "-f", self.conf, *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, cwd=self.dir, env=env,
            start_new_session=True, preexec_fn=limits)
        p.since = since
        p.reader = self.log.follow(name, p.stderr)
        self.processes[name] = p
        return p

    def is_ready(self, name):
        p = self.processes[name]
        if p.poll() is not None:
            p.reader.join(2)
            raise RuntimeError(f"{name} did not start:\n" +
                               "\n".join(self.log.tail()))
        return self.log.find(lambda d, t: d == name and t == "ready",
                             p.since)

    def ready(self, names=DAEMONS):
        for name in names:
            until(lambda: self.is_ready(name), f"{name} is ready")
        self.remember()

    def stop_daemon(self, name, sig=signal.SIGTERM, timeout=30):
        p = self.processes.get(name)
        if p is None:
            return 0
        self.remember()
        if p.poll() is None and sig is not None:
            p.send_signal(sig)
        try:
            status = p.wait(timeout)
        except subprocess.TimeoutExpired:
            self.log.add(name, "does not stop: killed by the test")
            p.kill()
            p.wait()
            status = "never"
        del self.processes[name]
        p.reader.join(5)
        return status

    def stop(self):
        """Stops everything; returns what was not as it should be."""
        bad = []
        self.remember()
        for name in reversed(DAEMONS):
            for pid in self.stopped_children():
                self.signal_pid(pid, signal.SIGCONT)
        for name in reversed(DAEMONS):
            if name not in self.processes:
                continue
            if self.processes[name].poll() is not None:
                bad.append(f"{name} had ended by itself, status "
                           f"{self.processes[name].returncode}")
            status = self.stop_daemon(name)
            if status != 0 and not bad:
                bad.append(f"{name} ended with status {status}")
        try:
            until(lambda: not self.leftovers(), "processes are gone", 3)
        except Late:
            for pid, title in self.leftovers():
                bad.append(f"left behind: {pid} {title}")
                self.signal_pid(pid, signal.SIGKILL)
        bad += self.trouble()
        self.log.file.close()
        return bad

    def trouble(self):
        bad = []
        for _, daemon, text in list(self.log.lines):
            if TROUBLE.search(text) or (
                    not self.deaths_expected and DEATH.search(text)):
                bad.append(f"{daemon}: {text}")
        for path, _, names in os.walk(self.dir):
            bad += [f"a core: {path}/{n}" for n in names
                    if re.fullmatch(r"(.*\.)?core(\.\d+)?", n)]
        return bad

    # --- processes ---

    def children(self):
        """(pid, ppid, daemon, title) of all our processes, parents too."""
        table = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            stat = read_stat(pid)
            if stat is not None and stat[1] != "Z":
                table[int(pid)] = stat
        out = []
        for name, p in self.processes.items():
            if p.pid in table:
                out.append((p.pid, 0, name, "parent"))
            for pid, stat in table.items():
                if stat[2] == p.pid:
                    out.append((pid, p.pid, name, title_of(pid, stat[0])))
        return out

    def remember(self):
        for pid, _, daemon, title in self.children():
            stat = read_stat(pid)
            if stat is not None:
                self.seen[pid] = (stat[4], f"{daemon}: {title}")

    def leftovers(self):
        """Processes of ours whose daemon is gone."""
        alive = {pid for pid, *_ in self.children()}
        out = []
        for pid, (start, title) in self.seen.items():
            if pid in alive:
                continue
            stat = read_stat(pid)
            if stat is not None and stat[4] == start and stat[1] != "Z":
                out.append((pid, title))
        return out

    def pids(self, what):
        """`smtp', `smtp 1', `scand' (the parent), `scand resolver'."""
        words = what.split()
        daemon = words.pop(0) if words[0] in DAEMONS else None
        if not words:
            p = self.processes.get(daemon)
            return [p.pid] if p is not None else []
        want = words[0] if len(words) == 1 else f"{words[0]}[{words[1]}]"
        return sorted(
            pid for pid, ppid, d, title in self.children()
            if ppid and (daemon is None or d == daemon) and
            (title == want or title.partition("[")[0] == want))

    def pid(self, what):
        found = until(lambda: self.pids(what), f"a process {what}")
        return found[0]

    def signal_pid(self, pid, sig):
        try:
            os.kill(pid, sig)
            return True
        except ProcessLookupError:
            return False

    def kill(self, what, sig=signal.SIGKILL):
        """Signals all processes of that name; returns their pids."""
        self.remember()
        pids = until(lambda: self.pids(what), f"a process {what}")
        if sig == signal.SIGKILL:
            self.deaths_expected = True
        for pid in pids:
            self.signal_pid(pid, sig)
        if sig == signal.SIGSTOP:
            for pid in pids:
                until(lambda: (read_stat(pid) or "xT")[1] in "tT",
                      f"{what} has stopped")
        if sig == signal.SIGKILL and what in self.processes:
            self.processes[what].wait()
        return pids

    def respawned(self, what, old):
        """Waits until none of the old ones is there, but others are in their
        places (two may have had one, after a reload)."""
        places = {self.seen[pid][1] for pid in old if pid in self.seen}

        def there():
            now = self.pids(what)
            return len(now) >= max(1, len(places)) and not set(now) & set(old)
        until(there, f"{what} runs again")
        self.remember()

    def stopped_children(self):
        return [pid for pid, *_ in self.children()
                if (read_stat(pid) or "xx")[1] in "tT"]

    def memory(self):
        """(kilobytes of all processes together, descriptors of all)."""
        kb = fds = 0
        for pid, *_ in self.children():
            try:
                with open(f"/proc/{pid}/smaps_rollup",
                          encoding="ascii") as f:
                    kb += int(re.search(r"Pss:\s+(\d+)", f.read()).group(1))
                fds += len(os.listdir(f"/proc/{pid}/fd"))
            except (OSError, AttributeError):
                continue
        return kb, fds

    # --- the spool ---

    def spooled(self):
        """Ids of messages in the queue: files of content or envelopes, but
        those that are settled, whose envelope is struck out."""
        ids, settled = set(), set()
        for path, _, names in os.walk(os.path.join(self.dir, "spool")):
            for n in names:
                m = re.match(r"([0-9][0-9a-hjkmnp-tv-z]{15})(\.env)?$", n)
                if m is None:
                    continue
                ids.add(m.group(1))
                try:
                    with open(os.path.join(path, n), "rb") as f:
                        if m.group(2) and f.read(1) == b"-":
                            settled.add(m.group(1))
                except OSError:
                    settled.add(m.group(1))     # it has just gone
        return ids - settled

    def gwctl(self, *args, timeout=PATIENCE):
        p = subprocess.run([program("gwctl"), "-f", self.conf, *args],
                           stdin=subprocess.DEVNULL, capture_output=True,
                           timeout=timeout)
        return p.returncode, p.stdout.decode("utf-8", "backslashreplace"), \
            p.stderr.decode("utf-8", "backslashreplace")


def read_stat(pid):
    """(comm, state, ppid, session, start time)"""
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            text = f.read().decode("utf-8", "replace")
    except OSError:
        return None
    name = text[text.index("(") + 1:text.rindex(")")]
    rest = text[text.rindex(")") + 2:].split()
    return name, rest[0], int(rest[1]), int(rest[3]), int(rest[19])


def title_of(pid, comm):
    """`smtp[0]', from the process title."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            line = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return comm
    m = re.search(r"([a-z0-9-]+\[\d+\])", line)
    if m:
        return m.group(1)
    m = re.search(r"-x ([a-z0-9-]+) -i (\d+)", line)
    return f"{m.group(1)}[{m.group(2)}]" if m else comm
