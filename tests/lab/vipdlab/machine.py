"""The machine below the tests: when it stood still, as a process of its own at real-time priority sees it.

Started before the test enters its namespaces, because only there is that priority granted (to root). Times are
nanoseconds of CLOCK_MONOTONIC.
"""
import subprocess
import threading
import time

from .probe import Series, build_directory

PATIENCE = 30.0  # seconds until it must have said what it saw


class Machine:
    """Keeps the stalls of this machine from now until the calling process ends."""

    def __init__(self):
        self._popen = subprocess.Popen(
            [build_directory() / "lab_probe", "stalls"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
            process_group=0,  # whoever interrupts the test does not interrupt what it is judged by
        )
        self._stalls = Series()
        self._known = 0
        self._progress = threading.Condition()

    def listen(self):
        """Once, in the process that asks: it may be a child of the one that made us."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._popen.stdout:
            kind, moment, *late = line.split()
            with self._progress:
                if kind == "s":
                    self._stalls.add(int(moment), (int(moment) - int(late[0]), int(moment)))
                else:
                    self._known = int(moment)
                self._progress.notify_all()

    def stalls(self, since, until):
        """[(began, ended)] of each that ended in this stretch of time, in nanoseconds."""
        with self._progress:
            if not self._progress.wait_for(lambda: self._known >= until, PATIENCE):
                raise RuntimeError("lab_probe does not say when the machine stood still")
            return self._stalls.between(since, until)

    def longest_stall(self, since):
        """From a moment to now, in milliseconds; 0 if it was always in time."""
        return max((ended - began for began, ended in self.stalls(since, time.monotonic_ns())), default=0) / 1e6
