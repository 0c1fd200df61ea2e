"""Programs that the lab starts: commands that end, daemons that stay, and what /proc says of them."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time

from . import sandbox


class Timeout(AssertionError):
    """Something that should have happened did not, within its bound."""


PATIENCE = 30  # seconds to wait for a fact: they cost nothing when it comes


def wait_until(condition, timeout, what, pause=0.002):
    """Polls until condition() is true and returns its value; after timeout seconds raises Timeout(what)."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise Timeout(f"{what() if callable(what) else what}: not within {timeout:g} s")
        time.sleep(pause)
        pause = max(pause, min(pause * 1.3, 0.02))


def run(*arguments, text=None, check=True, timeout=2 * PATIENCE):
    """A command that ends by itself; its output. A failure shows the command and what it said."""
    done = subprocess.run(
        [str(each) for each in arguments],
        input=text,
        text=True,
        timeout=timeout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if check and done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(str(each) for each in arguments)}: exit status {done.returncode}\n{done.stdout}"
        )
    return done.stdout


def alive(pid):
    """Runs, and is no zombie."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def children(pid):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(encoding="utf-8")
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == pid:
            found.append(int(entry.name))
    return sorted(found)


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def command_of(pid):
    """The name of the program file, as started."""
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return os.path.basename(words[0].decode(errors="replace"))


def send_signal(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def kill_tree(pid):
    """SIGKILL for a process and all below it, so that none can react to the death of another."""
    send_signal(pid, signal.SIGSTOP)
    below = descendants(pid)
    for each in below:
        send_signal(each, signal.SIGKILL)
    send_signal(pid, signal.SIGKILL)
    return [pid, *below]


def reap(pids):
    """Orphans come to us, the first process in here."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


class Process:
    """A daemon in the foreground, its output in a file."""

    def __init__(self, name, arguments, environment=None):
        self.name = name
        self.arguments = [str(each) for each in arguments]
        self.log_file = sandbox.WORK / f"{name}.log"
        self._environment = {**os.environ, **(environment or {})}
        self._popen = None

    def start(self):
        with open(self.log_file, "ab") as log:
            self._popen = subprocess.Popen(
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )
        return self

    @property
    def pid(self):
        return self._popen.pid

    @property
    def running(self):
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_status(self):
        return self._popen.poll()

    def log(self):
        try:
            return self.log_file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def wait_log(self, pattern, timeout=PATIENCE, since=0):
        """Waits for a line of the log that comes after position `since`."""
        return wait_until(
            lambda: re.search(pattern, self.log()[since:]),
            timeout,
            lambda: f'{self.name}: "{pattern}" in its log\n{self.log()[since:][-2000:]}',
        )

    def signal(self, number):
        self._popen.send_signal(number)

    def stop(self, timeout=10):
        """SIGTERM and wait; SIGKILL, with all below it, for who does not obey. True if it obeyed."""
        if self._popen is None:
            return True
        if self.running:
            self.signal(signal.SIGTERM)
            try:
                self._popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                return False
        return True

    def kill(self):
        if self._popen is None or self._popen.poll() is not None:
            return
        pids = kill_tree(self._popen.pid)
        self._popen.wait()
        wait_until(lambda: not any(alive(pid) for pid in pids), PATIENCE, f"the end of {self.name}")
        reap(pids[1:])
