"""Machines for the life of the package: a clean Debian each, with a real systemd as process 1, on one network.

They are containers (systemd-nspawn) on this kernel, with a copy-on-write layer over the root that tests/packaging/root
has made, in namespaces that end with the test. Nothing of the host is touched: neither its files, nor its network, nor
its systemd.
"""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INSIDE = "VIPD_LIFE_INSIDE"
MAY_NOT = 77


def run(*command, check=True, **options):
    done = subprocess.run(
        [str(each) for each in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        stdin=subprocess.DEVNULL, **options,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(str(each) for each in command)}: exit code {done.returncode}\n{done.stdout}")
    return done


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.05)


def has_capability(number):
    status = pathlib.Path("/proc/self/status").read_text(encoding="ascii")
    return bool(int(re.search(r"CapEff:\s+(\w+)", status)[1], 16) >> number & 1)


def is_inside():
    return bool(os.environ.get(INSIDE))


def enter(arguments):
    """Runs this program again, with these arguments too, in namespaces of its own: mounts, network, processes."""
    if is_inside():
        run("mount", "--make-rprivate", "/")
        run("mount", "-t", "tmpfs", "tmpfs", "/run/netns" if os.path.isdir("/run/netns") else "/run")
        run("ip", "link", "set", "lo", "up")
        return
    missing = [each for each in ("systemd-nspawn", "nsenter", "ip") if not shutil.which(each)]
    if os.geteuid() != 0 or missing:
        print(f"skipped: this needs {'root' if os.geteuid() != 0 else ' and '.join(missing)}")
        sys.exit(MAY_NOT)
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable]
    before = groups()
    try:
        status = subprocess.run([*command, *sys.argv, *arguments], env={**os.environ, INSIDE: "1"}, check=False).returncode
    finally:
        for each in sorted(groups() - before, key=lambda path: -len(path.parts)):
            with contextlib.suppress(OSError):
                each.rmdir()
    sys.exit(status)


def groups():
    """Control groups that systemd-nspawn makes, and leaves."""
    top = pathlib.Path("/sys/fs/cgroup")
    return {
        each
        for pattern in ("payload*", "supervisor*", "*/payload*", "*/supervisor*")
        for found in top.glob(pattern)
        for each in (found, *found.rglob("*"))
        if each.is_dir()
    }


class Network:
    """A bridge, and on it an eth0 in the network namespace of each name."""

    def __init__(self, **addresses):
        os.makedirs("/run/netns", exist_ok=True)
        run("ip", "link", "add", "lan", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        run("ip", "link", "set", "lan", "up")
        for name, address in addresses.items():
            run("ip", "netns", "add", name)
            run("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
            run("ip", "link", "set", f"to-{name}", "master", "lan", "up")
            for words in (("lo", "up"), ("eth0", "up")):
                run("ip", "-n", name, "link", "set", *words)
            run("ip", "-n", name, "address", "add", address, "dev", "eth0")


class Machine:
    """A clean Debian with systemd as process 1, in the network namespace of its name."""

    def __init__(self, name, root, layers):
        self.name = name
        place = pathlib.Path(layers) / name
        self.root = place / "root"
        for each in ("upper", "work", "root"):
            (place / each).mkdir(parents=True)
        run(
            "mount", "-t", "overlay", "overlay", self.root,
            "-o", f"lowerdir={root},upperdir={place}/upper,workdir={place}/work",
        )
        (self.root / "etc/hostname").write_text(f"{name}\n", encoding="ascii")
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n", encoding="ascii")
        (self.root / "var/www/html/index.html").write_text(f"{name}\n", encoding="ascii")
        self.log = open(place / "log", "w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            [
                "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--link-journal=no", "--console=pipe",
                f"--machine={name}", f"--directory={self.root}", f"--network-namespace-path=/run/netns/{name}",
                "--capability=all", "--system-call-filter=bpf", "--boot",
            ],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
        )
        self.leader = None
        wait_until(self._booted, 60, lambda: f"{name} has booted\n{self.console()}")

    def _booted(self):
        assert self.process.poll() is None, self.console()
        if self.leader is None:
            for entry in pathlib.Path("/proc").iterdir():
                if not entry.name.isdigit():
                    continue
                with contextlib.suppress(OSError):
                    words = (entry / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
                    comm = (entry / "comm").read_text(encoding="ascii").strip()
                    if int(words[1]) == self.process.pid and comm == "systemd":
                        self.leader = int(entry.name)
            return False
        return self("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def console(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()[-4000:]

    def __call__(self, *command, check=True):
        """Runs a command inside; its output and errors are together in stdout."""
        return run(
            "nsenter", "--target", self.leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
            "--wd=/", "--", "env", "-i", "--chdir=/root", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8", "TERM=dumb", *command,
            check=check,
        )

    def shell(self, text, check=True):
        return self("bash", "-c", text, check=check)

    def say(self, *command):
        """What a command says, without the line's end."""
        return self(*command).stdout.strip()

    def property(self, unit, name):
        return self.say("systemctl", "show", "--value", "--property", name, unit)

    def journal(self):
        return self("journalctl", "--no-pager", "--output=short-precise", "--unit=vipd", "--lines=60", check=False).stdout

    def since(self, moment):
        """What it has written to the journal since then (time.monotonic())."""
        ago = time.monotonic() - moment
        return self("journalctl", "--no-pager", "--output=cat", "--unit=vipd", f"--since=-{ago:.3f}s").stdout

    def addresses(self):
        return self.say("ip", "-4", "-o", "address", "show", "dev", "eth0")

    def close(self):
        if self.process.poll() is None:
            if self.leader:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.leader, signal.SIGRTMIN + 14)  # systemd: power off, without stopping each unit
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        run("umount", self.root, check=False)


class Client:
    """Asks the service over and over, in a network namespace, and notes when it was answered by whom.

    "-": the connection was not made. "broken": it was, and then the address moved, with a request on its way.
    """

    ASK = r"""
import socket, sys, time
address, pause = sys.argv[1], float(sys.argv[2])
while True:
    begin = time.monotonic()
    name = "-"
    try:
        with socket.create_connection((address, 80), timeout=0.25) as connection:
            name = "broken"
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while more := connection.recv(4096):
                answer += more
        name = answer.split()[-1].decode() if answer else name
    except ConnectionResetError:
        name = "broken"  # who is not connected yet is refused, not reset
    except OSError:
        pass
    print(time.monotonic(), name, flush=True)
    time.sleep(max(0, begin + pause - time.monotonic()))
"""

    def __init__(self, namespace, address, pause=0.02):
        self.file = tempfile.NamedTemporaryFile("r", encoding="ascii")
        with open(self.file.name, "w", encoding="ascii") as output:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", namespace, sys.executable, "-c", self.ASK, address, str(pause)],
                stdin=subprocess.DEVNULL, stdout=output,
            )

    def answers(self, since=0.0, until=float("inf")):
        lines = pathlib.Path(self.file.name).read_text(encoding="ascii").split("\n")[:-1]
        pairs = [(float(line.split()[0]), line.split()[1]) for line in lines]
        return [(when, who) for when, who in pairs if since <= when <= until]

    def last(self):
        answers = self.answers()
        return answers[-1][1] if answers else "-"

    def failed(self, since):
        return sum(who == "-" for _, who in self.answers(since))

    def outage(self, since):
        """The longest time between two good answers, in seconds."""
        good = [when for when, who in self.answers(since) if who not in ("-", "broken")]
        moments = [since, *good, time.monotonic()]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.file.close()
