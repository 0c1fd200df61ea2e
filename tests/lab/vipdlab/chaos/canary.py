"""A process of ordinary priority that sleeps and notes when it is woken late: what the kernel's own workers have to wait
for as well. An IPv6 address serves only after such a worker has run; the programs under test and those that look on are
of real-time priority and notice nothing of that.
"""
import subprocess
import sys
import threading

LATE_MS = 20
PROGRAM = f"""
import os, time
parent = os.getppid()
while os.getppid() == parent:
    before = time.monotonic_ns()
    time.sleep(0.005)
    late = time.monotonic_ns() - before - 5_000_000
    if late > {LATE_MS} * 1_000_000:
        print(before, late, flush=True)
"""


class Canary:
    def __init__(self):
        self._late = []
        # In a session of its own: a scheduler that shares the processor between sessions treats it as it does a worker.
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", PROGRAM], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            at, late = line.split()
            self._late.append((int(at), int(late)))

    def waited_ms(self, since, until):
        """All together, between two moments."""
        return sum(late for at, late in list(self._late) if since <= at + late and at <= until) / 1e6

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._reader.join(1)
