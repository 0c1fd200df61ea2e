"""The programs under test, behind one face: vipd, keepalived and FRR's vrrpd can take each other's place.

A Daemon belongs to a host and gets the same RouterSettings as its peers, and a priority of its own.
"""
import contextlib
import dataclasses
import ipaddress
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

from . import events, probe, sandbox
from .network import CABLE, VIP4, VIP6
from .processes import PATIENCE, Timeout, alive, children, command_of, run, send_signal, wait_until

FRR_PROGRAMS = "/usr/lib/frr"
NO_ANSWER = 4  # seconds; vipd answers within 2, unless it stands still


@dataclasses.dataclass(frozen=True)
class RouterSettings:
    """A virtual router (one for each family of its addresses), as all its nodes have it."""

    name: str = "edge"
    vrid: int = 51
    interval_ms: int = 1000
    addresses: tuple = (VIP4, VIP6)
    preempt: bool = True
    interface: str = CABLE

    @property
    def families(self):
        return sorted({ipaddress.ip_address(each).version for each in self.addresses})

    def of_family(self, family):
        return [each for each in self.addresses if ipaddress.ip_address(each).version == family]


def prefixed(address):
    return f"{address}/{24 if ipaddress.ip_address(address).version == 4 else 64}"


def skew_time_ms(interval_ms, priority):
    return interval_ms * (256 - priority) / 256


def active_down_interval_ms(interval_ms, priority):
    """Until a Backup of this priority takes over from an Active that has gone silent."""
    return 3 * interval_ms + skew_time_ms(interval_ms, priority)


class Daemon:
    """What all of them can do. Moments are nanoseconds of CLOCK_MONOTONIC, taken just before the deed."""

    process = None
    kind = ""

    def __init__(self, host, settings, priority):
        self.host, self.settings, self.priority = host, settings, priority

    def start(self):
        raise NotImplementedError

    def states(self):
        """{4: "Active", 6: "Backup"}; a family that is not known yet is absent."""
        raise NotImplementedError

    def state(self):
        """The state that all families are in, or None while they differ or no router runs."""
        states = self.states()
        return (
            states[self.settings.families[0]]
            if set(states) == set(self.settings.families) and len(set(states.values())) == 1
            else None
        )

    def wait_state(self, wanted, timeout=PATIENCE):
        wait_until(
            lambda: self.state() == wanted,
            timeout,
            lambda: f"{self.kind} on {self.host.name} in {wanted} (it is in {self.states()})\n{self.log()[-3000:]}",
        )

    def effective_priority(self):
        """As far as it tells, or None."""
        return self.priority if self.running else None

    def settled(self, state):
        """In this state, and all of its checks are up as far as it tells."""
        return self.state() == state

    def holds_addresses(self):
        return self.host.holds(*self.settings.addresses)

    def log(self):
        return self.process.log() if self.process else ""

    @property
    def running(self):
        return self.process is not None and self.process.running

    def begin_stop(self):
        """SIGTERM; does not wait."""
        moment = time.monotonic_ns()
        self.process.signal(signal.SIGTERM)
        return moment

    def stop(self):
        """SIGTERM, and waits for the end."""
        moment = time.monotonic_ns()
        obeyed = self.process.stop()
        if not obeyed:
            raise Timeout(f"{self.kind} on {self.host.name} did not end on SIGTERM\n{self.log()[-3000:]}")
        return moment

    def reload(self):
        self.process.signal(signal.SIGHUP)

    def kill_all(self):
        """SIGKILL for all its programs, in such an order that none can react."""
        moment = time.monotonic_ns()
        self.process.kill()
        return moment

    def end(self):
        """For the end of a test: away with it, whatever its state."""
        if self.process:
            self.process.kill()


class Vipd(Daemon):
    """vipd from the build directory. `checks` is YAML for a virtual server on the first address."""

    kind = "vipd"

    def __init__(self, host, settings, priority, checks=None, options=None, config=None, under=(), arguments=()):
        """`under`: a command that runs vipd, setpriv for example; `arguments`: more for vipd."""
        super().__init__(host, settings, priority)
        self.directory = sandbox.WORK / f"{host.name}.vipd"
        for each in ("run", "state"):
            (self.directory / each).mkdir(parents=True, exist_ok=True)
        self.config_file = self.directory / "vipd.yaml"
        self.write(config or self.configuration(checks, options or {}))
        build = probe.build_directory()
        self.process = host.process(
            "vipd",
            *under,
            build / "vipd",
            "--config",
            self.config_file,
            "--run-dir",
            self.directory / "run",
            "--state-dir",
            self.directory / "state",
            *arguments,
        )
        self._log_begin = len(self.log())
        self._began = self.mark()

    def configuration(self, checks=None, options=None, settings=None, priority=None):
        s = settings or self.settings
        lines = [
            "virtual_routers:",
            f"  {s.name}:",
            f"    interface: {s.interface}",
            f"    vrid: {s.vrid}",
            f"    priority: {priority or self.priority}",
            f"    advertisement_interval: {s.interval_ms}ms",
            f"    addresses: [{', '.join(prefixed(each) for each in s.addresses)}]",
        ]
        if not s.preempt:
            lines.append("    preempt_mode: false")
        lines += [f"    {key}: {value}" for key, value in (options or {}).items()]
        if checks:
            first = s.addresses[0]
            listen = f"{first}:80" if "." in first else f'"[{first}]:80"'
            lines += [
                "virtual_servers:",
                "  web:",
                f"    router: {s.name}",
                f"    listen: [{listen}]",
                "    checks:",
            ]
            lines += [f"      {line}" for line in checks.strip().splitlines()]
        return "\n".join(lines) + "\n"

    def write(self, text):
        self.config_file.write_text(text, encoding="utf-8")

    def start(self):
        self.process.start()
        return self

    def said(self):
        """Its log since this object was made (all tests write to one file). A test that fails shows it to people."""
        return self.log()[self._log_begin :]

    def wait_line(self, *data, timeout=PATIENCE):
        """Waits for a line of its log that contains all of these: names, numbers, paths. For facts that no event has."""
        return wait_until(
            lambda: next((line for line in self.said().splitlines() if all(each in line for each in data)), None),
            timeout,
            lambda: f"{', '.join(data)} in a line of\n{self.said()[-3000:]}",
        )

    @staticmethod
    def mark():
        """Now: events() and wait_event() leave out everything before a mark."""
        return events.mark()

    def events(self, since=None, name=None, data=(), **wanted):
        """The events since a mark, or since this object was made, oldest first, filtered by events.matches(). If vipd does
        not run or does not answer, they come from its journal on disk."""
        began = self._began if since is None else since
        return [each for each in events.parse(self._events()) if events.matches(each, began, name, data, **wanted)]

    def _events(self):
        """All of them, one per line. Without a vipd to ask, vipctl would read the journal of this machine."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            status, text = self._ask_for_events() if self.running else (1, "")
            if status == 0:
                return text
        journal = sorted((self.directory / "state" / "events").glob("events-*.jsonl"))
        return "".join(each.read_text(encoding="utf-8") for each in journal)

    def _ask_for_events(self):
        done = subprocess.run(
            [
                *(probe.build_directory() / "vipctl", "--run-dir", self.directory / "run"),
                *("events", "--json", "--lines", "all"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=NO_ANSWER,
            check=False,
        )
        return done.returncode, done.stdout

    def wait_event(self, since, name, data=(), timeout=PATIENCE, count=1, **wanted):
        """Waits for such an event after a mark and returns it; with `count`, that many, as a list."""
        found = wait_until(
            lambda: (lambda them: them if len(them) >= count else None)(self.events(since, name, data, **wanted)),
            timeout,
            lambda: f"{self.host.name}: {count} of {name} {wanted or ''} {', '.join(data)} among\n"
            + "\n".join(events.line(each) for each in self.events(since)),
            pause=0.05,
        )
        return found[0] if count == 1 else found

    def ctl(self, *arguments, check=True):
        return run(
            probe.build_directory() / "vipctl", "--run-dir", self.directory / "run", *arguments, check=check
        )

    def vipctl(self, *arguments):
        """(exit status, all that it printed)"""
        done = subprocess.run(
            [str(each) for each in (probe.build_directory() / "vipctl", "--run-dir", self.directory / "run", *arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stdout

    def refusal(self, *arguments, status=1):
        """Runs a vipctl that must end with this exit status, and returns all that it prints."""
        found, text = self.vipctl(*arguments)
        if found != status:
            raise AssertionError(f"vipctl {' '.join(map(str, arguments))} has ended with {found}, not {status}: {text}")
        return text

    def upgrade(self):
        """Upgrades it, and returns vipctl's answer. A refusal is legal, and changes nothing, while a program is being
        replaced or a hook has not ended yet; then once more."""
        answer = wait_until(
            lambda: (lambda status, text: text if status == 0 else None)(*self.vipctl("upgrade", "--json")),
            PATIENCE,
            lambda: f"an upgrade on {self.host.name} that is not refused: {self.vipctl('upgrade')}",
            pause=0.2,
        )
        return json.loads(answer)

    def ask(self, command, **arguments):
        """Sends one request to the control socket and returns the reply. vipctl would ask for the state first."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(self.directory / "run" / "control"))
            client.sendall(json.dumps({"v": 1, "command": command, **arguments}).encode() + b"\n")
            return json.loads(client.makefile().readline())

    def plan(self, *arguments):
        """`vipctl diff --json`, and what would change as {(subject, key): (before, after)}."""
        answer = json.loads(self.ctl("diff", *arguments, "--json"))
        return answer, {(each["subject"], each["key"]): (each["before"], each["after"]) for each in answer["changes"]}

    def programs(self):
        """{"guardian": pid, "router": pid, "monitor": pid}"""
        return {name: each["pid"] for name, each in self.status()["programs"].items()}

    def status(self):
        """`vipctl status --json`, or {} while vipd does not answer."""
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(self.ctl("status", "--json", check=False))
        return {}

    def routers(self):
        return [each for each in self.status().get("routers", []) if each["name"] == self.settings.name]

    def states(self):
        if not self.running:
            return {}
        return {(6 if "6" in str(each["family"]) else 4): each["state"] for each in self.routers()}

    def effective_priority(self):
        return next((each["priority"] for each in self.routers()), None) if self.running else None

    def settled(self, state):
        """In this state, with the priority as configured: all checks are up."""
        routers = self.routers()
        return len(routers) == len(self.settings.families) and all(
            each["state"] == state and each["priority"] == self.priority for each in routers
        )

    def times_active(self):
        """How often its virtual routers have become Active since they started. Waits for an answer: no answer is not
        "never"."""
        routers = wait_until(self.routers, PATIENCE, lambda: f"an answer of vipd on {self.host.name}")
        return sum(each["counters"]["became_active"] for each in routers)

    def discarded(self):
        """Packets rejected so far, by reason, over all routers and interfaces of the status."""
        total = {}

        def visit(value):
            if isinstance(value, dict):
                for key, each in value.items():
                    if key == "discarded" and isinstance(each, dict):
                        for reason, count in each.items():
                            total[reason] = total.get(reason, 0) + count
                    else:
                        visit(each)
            elif isinstance(value, list):
                for each in value:
                    visit(each)

        visit(self.status())
        return total

    def child(self, name):
        """The pid of vipd-router or vipd-monitor: a child of the guardian, or None."""
        return next(
            (pid for pid in children(self.process.pid) if command_of(pid) == name and alive(pid)), None
        )

    def kill_router(self):
        """SIGKILL for the router process alone."""
        return self._kill_child("vipd-router")

    def kill_monitor(self):
        return self._kill_child("vipd-monitor")

    def _kill_child(self, name):
        pid = wait_until(lambda: self.child(name), PATIENCE, f"{name} on {self.host.name}")
        moment = time.monotonic_ns()
        send_signal(pid, signal.SIGKILL)
        return moment

    def switch(self):
        moment = time.monotonic_ns()
        self.ctl("switch", self.settings.name)
        return moment

    def switch_back(self):
        """Undoes a switch, if it is still in force."""
        self.ctl("switch", "--back", self.settings.name, check=False)


class OwnVipd(Vipd):
    """vipd from copies of the programs, in the directory `own`, so that a test can replace them."""

    PROGRAMS = ("vipd", "vipd-router", "vipd-monitor", "vipctl")

    def __init__(self, host, settings, priority, **options):
        super().__init__(host, settings, priority, **options)
        self.own = sandbox.WORK / f"{host.name}.programs"
        shutil.rmtree(self.own, ignore_errors=True)
        self.own.mkdir(mode=0o755)
        self.install_anew()
        arguments = self.process.arguments
        arguments[arguments.index(str(probe.build_directory() / "vipd"))] = str(self.own / "vipd")

    def install(self, name, content=None):
        """Puts another file in the place of the old one, as a package does; without content, the program that was built."""
        new = self.own / "new"
        new.write_bytes((probe.build_directory() / name).read_bytes() if content is None else content)
        new.chmod(0o755)
        new.rename(self.own / name)

    def install_anew(self):
        for name in self.PROGRAMS:
            self.install(name)

    def install_from(self, directory):
        for name in self.PROGRAMS:
            self.install(name, (directory / name).read_bytes())


class Keepalived(Daemon):
    """Debian's keepalived, one vrrp_instance for each family."""

    kind = "keepalived"

    # It has no HTTP check for VRRP: a script, a second at least between two runs.
    CHECK_INTERVAL_MS = 1000
    CHECK = """\
vrrp_script nginx {{
  script "/usr/bin/python3 -I -S {directory}/check.py"
  interval 1
  timeout 1
  fall 2
  rise 2
  weight {weight}
}}
"""
    # Imports next to nothing, so that it is about as fast as a small program.
    CHECK_SCRIPT = """\
import _socket
nginx = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
nginx.settimeout(0.1)
nginx.connect(("127.0.0.1", 80))
nginx.sendall(b"GET /healthz HTTP/1.0\\r\\n\\r\\n")
assert nginx.recv(4096).split()[1] == b"200"
"""

    def __init__(self, host, settings, priority, extra_global="", check_weight=0):
        super().__init__(host, settings, priority)
        self._check_weight = check_weight
        self._log_begin = 0
        directory = sandbox.WORK / f"{host.name}.keepalived"
        directory.mkdir(exist_ok=True)
        (directory / "keepalived.conf").write_text(
            self.configuration(extra_global, directory), encoding="ascii"
        )
        (directory / "check.py").write_text(self.CHECK_SCRIPT, encoding="ascii")
        # Without -G and -l each line would go to a console that takes milliseconds for it.
        self.process = host.process(
            "keepalived",
            "keepalived",
            "-n",
            "-l",
            "-G",
            "-D",
            "-P",
            "-f",
            directory / "keepalived.conf",
            "-p",
            directory / "pid",
            "-r",
            directory / "vrrp.pid",
            "-c",
            directory / "checkers.pid",
        )

    def configuration(self, extra_global, directory):
        s = self.settings
        text = f"global_defs {{\n  vrrp_version 3\n  vrrp_garp_master_refresh 0\n  script_user root\n  {extra_global}\n}}\n"
        track = ""
        if self._check_weight:
            text += self.CHECK.format(directory=directory, weight=self._check_weight)
            track = "  track_script {\n    nginx\n  }\n"
        for family in s.families:
            addresses = "\n    ".join(f"{prefixed(each)}" for each in s.of_family(family))
            text += (
                f"vrrp_instance v{family} {{\n  state BACKUP\n  interface {s.interface}\n  virtual_router_id {s.vrid}\n"
                f"  priority {self.priority}\n  advert_int {s.interval_ms / 1000:g}\n"
                f"{'' if s.preempt else '  nopreempt' + chr(10)}{track}  virtual_ipaddress {{\n    {addresses}\n  }}\n}}\n"
            )
        return text

    def start(self):
        self._log_begin = len(self.log())
        self.process.start()
        return self

    def states(self):
        if not self.running:
            return {}
        words = {"MASTER": "Active", "BACKUP": "Backup", "FAULT": "Initialize"}
        found = re.findall(r"\(v([46])\) Entering (MASTER|BACKUP|FAULT) STATE", self._said())
        return {int(family): words[word] for family, word in found}  # the last one of each family stays

    def _said(self):
        """Its log since the last start."""
        return self.log()[self._log_begin :]

    def settled(self, state):
        """In this state, and its check has succeeded once."""
        checked = not self._check_weight or "VRRP_Script(nginx) succeeded" in self._said()
        return checked and self.state() == state

    def end(self):
        super().end()
        self.process.log_file.unlink(missing_ok=True)


class Frr(Daemon):
    """FRR's zebra and vrrpd, on the macvlans that they want to find. Needs the machine's root (user frr)."""

    kind = "frr"

    def __init__(self, host, settings, priority):
        super().__init__(host, settings, priority)
        self._user = pwd.getpwnam("frr")
        self.directory = sandbox.WORK / f"{host.name}.frr"
        self.directory.mkdir(exist_ok=True)
        os.chown(self.directory, self._user.pw_uid, self._user.pw_gid)
        self._zebra = self._program("zebra")
        self.process = self._program("vrrpd")
        self._write()
        self._interfaces()

    @staticmethod
    def installed():
        return shutil.which(f"{FRR_PROGRAMS}/vrrpd") is not None

    def _program(self, name):
        d = self.directory
        return self.host.process(
            name,
            f"{FRR_PROGRAMS}/{name}",
            "-f",
            d / "frr.conf",
            "-i",
            d / f"{name}.pid",
            "-z",
            d / "zserv.api",
            "--vty_socket",
            d,
            "-A",
            "127.0.0.1",
        )

    def _write(self):
        s = self.settings
        lines = [
            f"log file {self.directory}/frr.log",
            f"interface {s.interface}",
            f" vrrp {s.vrid} version 3",
            f" vrrp {s.vrid} priority {self.priority}",
            f" vrrp {s.vrid} advertisement-interval {s.interval_ms}",
        ]
        if not s.preempt:
            lines.append(f" no vrrp {s.vrid} preempt")
        lines += [f" vrrp {s.vrid} {'ip' if '.' in each else 'ipv6'} {each}" for each in s.addresses]
        file = self.directory / "frr.conf"
        file.write_text("\n".join(lines) + "\n", encoding="ascii")
        os.chown(file, self._user.pw_uid, self._user.pw_gid)

    def _interfaces(self):
        """One macvlan a family with the virtual router's MAC address and addresses; for IPv6 a link-local too.
        Only they may answer for the addresses: the kernel would answer on the cable as well, also as a Backup.
        """
        self.host.run("sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1")
        for family in self.settings.families:
            name = f"vrrp{family}-2-1"
            lines = [
                f"link add {name} link {self.settings.interface} type macvlan mode bridge",
                f"link set {name} addrgenmode none",
                f"link set {name} address 00:00:5e:00:0{1 if family == 4 else 2}:{self.settings.vrid:02x}",
            ]
            if family == 6:
                lines.append(f"address add fe80::5eff:fe00:{self.host.number:x}/64 dev {name} nodad")
            lines += [
                f"address add {prefixed(each)} dev {name}{' nodad' if family == 6 else ''}"
                for each in self.settings.of_family(family)
            ]
            self.host.ip("-batch", "-", text="\n".join([*lines, f"link set {name} up"]) + "\n")

    def start(self):
        if not self._zebra.running:
            self._zebra.start()
            wait_until((self.directory / "zserv.api").is_socket, PATIENCE, lambda: "zebra\n" + self._zebra.log())
        self.process.start()
        return self

    def status(self):
        text = run(
            "ip",
            "netns",
            "exec",
            self.host.name,
            "vtysh",
            "--vty_socket",
            self.directory,
            "-c",
            "show vrrp json",
            check=False,
        )
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(text)
        return []

    def states(self):
        if not self.running:
            return {}
        words = {"Master": "Active", "Backup": "Backup", "Initialize": "Initialize"}
        found = {}
        for router in self.status():
            for family in self.settings.families:
                found[family] = words.get(router.get(f"v{family}", {}).get("status"))
        return found

    def holds_addresses(self):
        """Its macvlans always have the addresses; they are protodown while it is not Active."""
        return self.state() == "Active"

    def end(self):
        super().end()
        self._zebra.kill()
