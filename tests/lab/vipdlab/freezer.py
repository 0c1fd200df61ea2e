"""Processes that stand still: a cgroup that is frozen, as a container engine or systemd does it.

cgroup v2 where it is mounted: what is frozen there can still be killed. Directories that an aborted run has left
behind are empty, and are removed by a later one.
"""
import contextlib
import os
import pathlib
import time

from .processes import PATIENCE, wait_until

PREFIX = "vipd-lab-"
STALE = 3600  # seconds after which an empty one cannot belong to a test that still runs


def _roots():
    """(version, mount point), the better ones first."""
    found = []
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, where, kind, options = line.split()[:4]
        if kind == "cgroup2":
            found.append((2, pathlib.Path(where)))
        elif kind == "cgroup" and "freezer" in options.split(","):
            found.append((1, pathlib.Path(where)))
    return sorted(found, reverse=True)


class Freezer:
    def __init__(self, version, directory):
        self._version, self._directory = version, directory

    @staticmethod
    def make():
        """None where there are no cgroups that we may use."""
        for version, root in _roots():
            for left in root.glob(f"{PREFIX}*"):
                with contextlib.suppress(OSError):
                    if time.time() - left.stat().st_mtime > STALE:
                        left.rmdir()
            directory = root / f"{PREFIX}{os.urandom(6).hex()}"
            with contextlib.suppress(OSError):
                directory.mkdir()
                return Freezer(version, directory)
        return None

    def freeze(self, pids):
        """All of them at once; returns when none moves any more."""
        for pid in pids:
            (self._directory / "cgroup.procs").write_text(str(pid), encoding="ascii")
        self._set(True)

    def thaw(self):
        """All processes run again, in the top group, where as far as known they came from."""
        self._set(False)
        for pid in (self._directory / "cgroup.procs").read_text(encoding="ascii").split():
            with contextlib.suppress(OSError):
                (self._directory.parent / "cgroup.procs").write_text(pid, encoding="ascii")

    def _set(self, frozen):
        if self._version == 2:
            (self._directory / "cgroup.freeze").write_text("1" if frozen else "0", encoding="ascii")
            events = self._directory / "cgroup.events"
            wait_until(lambda: f"frozen {int(frozen)}" in events.read_text(encoding="ascii"), PATIENCE, "the freezer")
        else:
            state = self._directory / "freezer.state"
            state.write_text("FROZEN" if frozen else "THAWED", encoding="ascii")
            wanted = "FROZEN" if frozen else "THAWED"
            wait_until(lambda: wanted in state.read_text(encoding="ascii"), PATIENCE, "the freezer")

    def close(self):
        self.thaw()
        with contextlib.suppress(OSError):
            self._directory.rmdir()
