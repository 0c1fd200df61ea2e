"""A machine that has nothing left: disk, descriptors, memory, processor."""
import resource
import signal

from ..probe import build_directory
from ..processes import run
from .fault import Allowance, Fault, spread
from .lab import GUARDIAN, MONITOR, PROGRAMS, ROUTER


class FullDisk(Fault):
    """Nothing can be written to the run and state directories, while the router is replaced and a node reloads."""

    name = "full disk"

    def draw(self, dice):
        self.kill = dice.choice((ROUTER, MONITOR, None))
        self.lasts = spread(dice, 0.3, 1.5)

    @property
    def text(self):
        return self.name + (f", and {self.kill} killed" if self.kill else ", and a reload")

    def begin(self):
        self.node.fill_disk()
        if self.kill:
            self.node.signal(signal.SIGKILL, self.kill)
        else:
            self.node.reload(by_signal=True)

    def end(self):
        self.node.empty_disk()

    def allowance(self):
        return Allowance(ends=self.ending(self.kill) if self.kill else frozenset())


class NoDescriptors(Fault):
    """A program may open no further descriptor; perhaps another one dies just then and must be replaced."""

    name = "descriptors exhausted"

    def draw(self, dice):
        self.program = dice.choice(PROGRAMS)
        self.kill = dice.choice((None, None, ROUTER, MONITOR))
        self.lasts = spread(dice, 0.5, 3)

    @property
    def text(self):
        return f"{self.name} of {self.program}" + (f", and {self.kill} killed" if self.kill else "")

    def begin(self):
        self.node.limit(self.program, resource.RLIMIT_NOFILE, 3)
        if self.kill:
            self.node.signal(signal.SIGKILL, self.kill)
        elif self.program == MONITOR:
            run("timeout", "0.3", *self._vipctl(), check=False)
        else:
            self.node.signal(signal.SIGHUP, GUARDIAN)

    def _vipctl(self):
        return [build_directory() / "vipctl", "--run-dir", self.node.daemon.directory / "run", "status"]

    def end(self):
        self.node.limit(self.program, resource.RLIMIT_NOFILE, None)

    def allowance(self):
        # One that cannot receive a descriptor from another one ends, and is replaced.
        ends = self.ending(*(each for each in (self.program, self.kill) if each in (ROUTER, MONITOR)))
        return Allowance(ends=ends, settle=8)


class NoMemory(Fault):
    """A program may have no more memory than it has."""

    name = "memory exhausted"

    def draw(self, dice):
        self.program = dice.choice((ROUTER, MONITOR))
        self.lasts = spread(dice, 0.5, 2)

    @property
    def text(self):
        return f"{self.name} of {self.program}"

    def begin(self):
        self.node.limit(self.program, resource.RLIMIT_AS, 1 << 20)
        self.node.reload(by_signal=True)
        run("timeout", "0.5", *self._vipctl(), check=False)

    _vipctl = NoDescriptors._vipctl

    def end(self):
        self.node.limit(self.program, resource.RLIMIT_AS, None)

    def allowance(self):
        return Allowance(ends=self.ending(self.program))


class BusyLoops(Fault):
    """Eight busy loops beside everything: no node takes over from a healthy one."""

    name = "8 busy loops"
    joins = False
    weight = 0.6

    def draw(self, dice):
        self.lasts = spread(dice, 1.0, 4)

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.lab.load(8, self.lasts)

    def end(self):
        self.lab.join_loads()

    def allowance(self):
        return Allowance(gap=100, http=2000)
