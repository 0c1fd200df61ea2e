"""The time-travel machine: User Mode Linux with simulated time, on this machine's own files.

Its clock stands still while any of its processes runs, and jumps ahead when all of them sleep. So programs run
unmodified, computing costs no time, nothing outside disturbs what is measured, and an hour of waiting is over at once.
It needs no root and changes nothing outside: all that is written inside is forgotten with it.
"""
import contextlib
import dataclasses
import os
import pathlib
import shlex
import signal
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TIMED_OUT = 124
DIED = 125  # without leaving an exit status


@dataclasses.dataclass(frozen=True)
class Outcome:
    status: int  # of the command; TIMED_OUT, DIED
    output: str
    errors: str
    seconds: float  # of real time


def kernel():
    """The directory of the kernel, or None if it has not been built."""
    done = subprocess.run([HERE / "kernel", "path"], stdout=subprocess.PIPE, text=True, check=False)
    return pathlib.Path(done.stdout.strip()) if done.returncode == 0 else None


def kernel_place():
    """Where it would be."""
    return subprocess.run(
        [HERE / "kernel", "path"], stdout=subprocess.PIPE, text=True, check=False
    ).stdout.strip()


_running = set()


def end_all():
    """Ends all machines that run; their run() returns with DIED."""
    for process in list(_running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


class Reader(threading.Thread):
    """Collects what comes through a pipe; passes each line on at once if wanted."""

    def __init__(self, descriptor, tell=None):
        super().__init__(daemon=True)
        self._pipe = os.fdopen(descriptor, encoding="utf-8", errors="replace")
        self._tell = tell
        self.lines = []
        self.start()

    def run(self):
        with self._pipe:
            for line in self._pipe:
                self.lines.append(line)
                if self._tell:
                    self._tell(line.rstrip("\n"))

    def text(self):
        self.join(5)
        return "".join(self.lines)


def run(command, environment=None, simulated=True, limit=600, memory_mb=1024, tell=None):
    """Boots the machine, runs the command in it as root, and returns its Outcome.

    limit: seconds of real time. tell: a function that gets each line of output as it comes.
    """
    place = kernel()
    if place is None:
        raise FileNotFoundError(f"no kernel in {kernel_place()}")
    begin = time.monotonic()
    # Not below a path with spaces, which the kernel's command line could not carry.
    with tempfile.TemporaryDirectory(prefix="vipd-vm-", dir="/tmp") as name:
        share = pathlib.Path(name)
        lines = [f"export {key}={shlex.quote(str(value))}" for key, value in (environment or {}).items()]
        lines.append("exec " + " ".join(shlex.quote(str(each)) for each in command))
        (share / "command").write_text("\n".join(lines) + "\n", encoding="utf-8")
        console_out, console = os.pipe()
        output_out, output = os.pipe()
        errors_out, errors = os.pipe()
        # A process namespace of its own: when its first process ends, everything of the machine ends; and it ends
        # when we do.
        arguments = ["setpriv", "--pdeathsig", "KILL", "unshare", *([] if os.geteuid() == 0 else ["-Ur"])]
        arguments += ["--pid", "--fork", "--kill-child", "--mount-proc", str(place / "linux")]
        arguments += ["time-travel=inf-cpu"] if simulated else []
        arguments += [
            f"mem={memory_mb}M",
            "rootfstype=hostfs",
            "rootflags=/",
            "ro",
            "selinux=0",
            "loglevel=4",
        ]
        arguments += [f"init={place / 'init'}", f"vm.share={share}", f"uml_dir={share}/uml", "umid=vm"]
        arguments += [
            f"con0=null,fd:{console}",
            f"con1=null,fd:{output}",
            f"con2=null,fd:{errors}",
            "con=null",
        ]
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            pass_fds=(console, output, errors),
            start_new_session=True,
            env={**os.environ, "LD_PRELOAD": str(place / "xsave.so"), "TMPDIR": "/dev/shm"},
        )
        _running.add(process)
        for each in (console, output, errors):
            os.close(each)
        readers = [Reader(console_out), Reader(output_out, tell), Reader(errors_out)]
        try:
            process.wait(limit)
            timed_out = False
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _running.discard(process)
        console_text, output_text, errors_text = (each.text() for each in readers)
        with contextlib.suppress(OSError, ValueError):
            status = int((share / "status").read_text(encoding="ascii"))
            return Outcome(status, output_text, errors_text, time.monotonic() - begin)
        status = TIMED_OUT if timed_out else DIED
        return Outcome(status, output_text, errors_text + console_text[-4000:], time.monotonic() - begin)
