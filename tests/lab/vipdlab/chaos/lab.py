"""The chaos lab's nodes: a group of three with tiny disks, what can be asked of them, and what can be done to them.

Faults (faults.py) act through this; it allows and judges nothing.
"""
import contextlib
import dataclasses
import errno
import os
import pathlib
import random
import resource
import signal
import subprocess
import time

from .. import probe, sandbox
from ..daemons import RouterSettings, Vipd, active_down_interval_ms
from ..group import Group
from ..network import CABLE
from ..processes import alive, reap, run, send_signal, wait_until
from ..web import Nginx
from ..watch import AddressWatch

PROGRAMS = ("vipd", "vipd-router", "vipd-monitor")
GUARDIAN, ROUTER, MONITOR = PROGRAMS
DEAD_MAN = 3.0  # seconds, the default
CHECK_INTERVAL_MS, CHECK_TIMEOUT_MS, CHECK_FALL = 250, 1000, 3
CHECK = f"""\
nginx:
  http: http://127.0.0.1/healthz
  expect: {{status: 200}}
  interval: {CHECK_INTERVAL_MS}ms
  timeout: {CHECK_TIMEOUT_MS}ms
  fall: {CHECK_FALL}
  rise: 2
  on_failure: {{priority: -110}}
"""
# If a cut cable has lost a kernel's request for a neighbour, the kernel asks again only after this time. With the
# default, a second, a node that is back could not answer its neighbour for that long.
ASK_AGAIN_MS = 100
NEIGHBOURS = [f"net.ipv{family}.neigh.{CABLE}.retrans_time_ms={ASK_AGAIN_MS}" for family in (4, 6)]
HTTP_RATE, HTTP_TIMEOUT_MS = 50, 300
DISK = "256k"
STALE_CGROUP = 3600  # seconds after which an empty control group of ours is a leftover


class Freezer:
    """The kernel's cgroup freezer, where we may use it (root of the machine, cgroup2)."""

    def __init__(self):
        self._token = f"{random.SystemRandom().getrandbits(48):012x}"
        self._root = self._find()
        self._frozen = []

    @staticmethod
    def _find():
        for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
            _, place, kind = line.split()[:3]
            if kind == "cgroup2" and os.access(place, os.W_OK) and Freezer._works(pathlib.Path(place)):
                return pathlib.Path(place)
        return None

    @staticmethod
    def _works(root):
        for left in root.glob("vipd-chaos-*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > STALE_CGROUP:
                    left.rmdir()
        trial = root / f"vipd-chaos-trial-{random.SystemRandom().getrandbits(48):012x}"
        try:
            trial.mkdir()
        except OSError:
            return False
        works = (trial / "cgroup.freeze").exists()
        trial.rmdir()
        return works

    @property
    def works(self):
        return self._root is not None

    def freeze(self, name, pids):
        group = self._root / f"vipd-chaos-{self._token}-{name}"
        group.mkdir(exist_ok=True)
        self._frozen.append(group)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                self._write(group / "cgroup.procs", str(pid))
        self._write(group / "cgroup.freeze", "1")
        wait_until(
            lambda: "frozen 1" in (group / "cgroup.events").read_text(encoding="ascii"), 2, "a frozen cgroup"
        )

    def thaw(self, name):
        group = self._root / f"vipd-chaos-{self._token}-{name}"
        self._write(group / "cgroup.freeze", "0")
        for pid in (group / "cgroup.procs").read_text(encoding="ascii").split():
            with contextlib.suppress(OSError):
                self._write(self._root / "cgroup.procs", pid)

    @staticmethod
    def _write(file, text):
        with open(file, "w", encoding="ascii") as out:
            out.write(text)

    def close(self):
        for group in self._frozen:
            with contextlib.suppress(OSError):
                self._write(group / "cgroup.freeze", "0")
            for _ in range(50):
                try:
                    group.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError as error:
                    if error.errno != errno.EBUSY:
                        break
                    time.sleep(0.02)


@dataclasses.dataclass(frozen=True)
class Running:
    """A process of ours: its number, and which program it is."""

    pid: int
    program: str

    def cpu(self):
        """Seconds used so far, or None if it has gone."""
        try:
            words = (
                pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            )
        except OSError:
            return None
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except OSError:
            return 0

    def memory_mb(self):
        try:
            pages = int(pathlib.Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, IndexError):
            return 0
        return pages * resource.getpagesize() / (1 << 20)


class Node:
    """One of the three: its host, vipd, nginx, echo server, and disk."""

    def __init__(self, lab, name):
        self.name, self._lab = name, lab
        self.host = lab.group.host(name)
        self.daemon = lab.group.daemons[name]
        self.web = lab.group.webs[name]
        self.wanted = True  # shall it run? A fault that stops or kills it says no until it starts it again

    def plug(self):
        """Gives it its interface back."""
        self._lab.network.plug(self.host)
        self.host.run("sysctl", "-qw", *NEIGHBOURS)

    @property
    def priority(self):
        return self.daemon.priority

    def processes(self):
        """All processes of vipd in this node's network, however they came there; zombies not."""
        network = os.stat(f"/run/netns/{self.name}").st_ino
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                program = os.path.basename(os.readlink(entry / "exe")).removesuffix(" (deleted)")
                if program in PROGRAMS and os.stat(entry / "ns/net").st_ino == network:
                    found.append(Running(int(entry.name), program))
            except OSError:
                continue
        return [each for each in found if alive(each.pid)]

    def pids(self, *programs):
        return [each.pid for each in self.processes() if not programs or each.program in programs]

    def signal(self, number, *programs):
        for pid in self.pids(*programs):
            send_signal(pid, number)

    def stop_all(self, *programs):
        """SIGSTOP, the guardian first so that it does not see the others stand still."""
        for program in programs or PROGRAMS:
            self.signal(signal.SIGSTOP, program)

    def continue_all(self, *programs):
        self.signal(signal.SIGCONT, *programs)

    def kill_all(self):
        """SIGKILL for all of them, in such an order that none can react."""
        self.wanted = False
        self.stop_all()
        pids = self.pids()
        for pid in pids:
            send_signal(pid, signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in pids), 20, f"the end of {self.name}")
        reap([pid for pid in pids if pid != self.daemon.process.pid])

    def start(self):
        self.wanted = True
        wait_until(lambda: not self.daemon.running, 5, f"the end of the last vipd on {self.name}")
        self.daemon.start()

    def reload(self, text=None, by_signal=False):
        """With another configuration, or None: the usual one."""
        self.daemon.write(text if text is not None else self.configuration())
        if by_signal:
            self.signal(signal.SIGHUP, GUARDIAN)
            return ""
        return self.daemon.ctl("reload", check=False)

    def configuration(self, priority=None, **changes):
        return self.daemon.configuration(
            CHECK, settings=dataclasses.replace(self.daemon.settings, **changes), priority=priority
        )

    def limit(self, program, kind, value):
        """A soft limit of a running program; what it was."""
        for pid in self.pids(program):
            before = resource.prlimit(pid, kind)
            soft = before[1] if value is None else value
            resource.prlimit(pid, kind, (soft, before[1]))

    def disk(self):
        return [self.daemon.directory / each for each in ("run", "state")]

    def fill_disk(self):
        for place in self.disk():
            with open(place / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(1024))

    def empty_disk(self):
        for place in self.disk():
            (place / "filler").unlink(missing_ok=True)


class Lab:
    """Everything that runs. rebuild() starts from nothing, after a violation that left it in an unknown state."""

    def __init__(self, interval_ms=100, priorities=(250, 200, 150)):
        self.interval_ms, self.priorities = interval_ms, priorities
        self.freezer = Freezer()
        self.group = self.watch = None
        self.nodes = {}
        self._loads = []
        self.build()

    def build(self):
        self._mount_disks()
        settings = RouterSettings(interval_ms=self.interval_ms)

        def make(host, node_settings, priority):
            return Vipd(host, node_settings, priority, checks=CHECK)

        self.group = Group(
            [make] * 3,
            settings,
            self.priorities,
            http_rate=HTTP_RATE,
            http_timeout=HTTP_TIMEOUT_MS,
            web=Nginx,
            intruder=True,
        )
        self.addresses = settings.addresses
        self.watch = AddressWatch(self.group.network, self.addresses)
        self.nodes = {name: Node(self, name) for name in self.group.daemons}
        for host in self.network.nodes:
            host.run("sysctl", "-qw", *NEIGHBOURS)
        self.group.start(settle=False).settle(self.by_rank()[0].name)
        self._ask_for_lease()

    @staticmethod
    def _mount_disks():
        for name in ("a", "b", "c"):
            for each in ("run", "state"):
                place = sandbox.WORK / f"{name}.vipd" / each
                place.mkdir(parents=True, exist_ok=True)
                if not place.is_mount():
                    run("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "vipd-chaos", place)

    @property
    def network(self):
        return self.group.network

    def _ask_for_lease(self):
        """Does the kernel silence a node whose programs stand still? As the status of every virtual router says."""
        off = {
            router["lease"]["why_not"]
            for node in self.nodes.values()
            for router in node.daemon.routers()
            if not router["lease"]["on"]
        }
        self.lease = not off
        self.lease_text = f"off ({', '.join(sorted(off))})" if off else "on"

    def by_rank(self):
        return sorted(self.nodes.values(), key=lambda node: -node.priority)

    def take_over_ms(self, without):
        """How long the best of the others waits for an Active that has gone silent; 0 if no other is left."""
        left = [node.priority for node in self.by_rank() if node.name not in without]
        return active_down_interval_ms(self.interval_ms, left[0]) if left else 0.0

    def worst_take_over_ms(self):
        """How long the least of them waits."""
        return active_down_interval_ms(self.interval_ms, min(self.priorities))

    def unsettled(self):
        """What is still missing until the best node is Active, all others are Backup, and it serves; "" if nothing."""
        best = self.by_rank()[0]
        for node in self.nodes.values():
            programs = sorted(each.program for each in node.processes())
            if programs != sorted(PROGRAMS):
                return f"{node.name} runs {', '.join(programs) or 'nothing'}"
            wanted = "Active" if node is best else "Backup"
            if not node.daemon.settled(wanted):
                return f"{node.name} is {node.daemon.states()}, priority {node.daemon.effective_priority()}, not {wanted}"
            have = self.watch.present(node.name)
            if have != (set(self.addresses) if node is best else set()):
                return f"{node.name} ({wanted}) has the addresses {sorted(have)}"
        for address in self.addresses:
            for kind, count in (("u", 50), ("h", 3)):
                recent = self.group.client.latest(kind, address, count).samples
                if len(recent) < count or any(each.node != best.name for each in recent):
                    return f"the last {count} {kind} at {address} were not all served by {best.name}"
        return ""

    # --- load and floods: processes that end with the fault

    def load(self, count, seconds):
        """Busy loops of ordinary priority; they end by themselves."""
        program = f"import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"
        self._loads += [
            subprocess.Popen(["/usr/bin/python3", "-S", "-c", program], stdin=subprocess.DEVNULL)
            for _ in range(count)
        ]

    def flood(self, frames, rate, milliseconds):
        """Frames from the intruder's cable, so many a second; does not wait."""
        flood = subprocess.Popen(
            [
                *("ip", "netns", "exec", self.network.intruder.name),
                *(probe.build_directory() / "lab_probe", "flood", CABLE, str(rate), str(milliseconds)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        flood.stdin.write("".join(f"{frame.hex()}\n" for frame in frames))
        flood.stdin.close()
        self._loads.append(flood)

    def join_loads(self, timeout=20):
        for each in self._loads:
            try:
                each.wait(timeout)
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()
        self._loads.clear()

    def close(self):
        self.join_loads(1)
        for node in self.nodes.values():
            with contextlib.suppress(OSError, AssertionError):
                node.continue_all()
        self.freezer.close()
        if self.watch:
            self.watch.stop()
        if self.group:
            pids = [pid for node in self.nodes.values() for pid in node.pids()]
            for node in self.nodes.values():
                node.kill_all()
                node.empty_disk()
            self.group.close()
            reap(pids)
            self.group = self.watch = None

    def rebuild(self, interval_ms=None, priorities=None):
        self.close()
        self.interval_ms = interval_ms or self.interval_ms
        self.priorities = priorities or self.priorities
        self.build()
