"""Programs that are killed, hang, stand still, and the service behind them."""
import signal
import time

from ..processes import children, send_signal, wait_until
from .fault import MARGIN, Allowance, Fault, spread
from .lab import (
    CHECK_FALL,
    CHECK_INTERVAL_MS,
    CHECK_TIMEOUT_MS,
    DEAD_MAN,
    GUARDIAN,
    MONITOR,
    PROGRAMS,
    ROUTER,
)


class KillRouter(Fault):
    """The guardian holds for it: clients lose nothing."""

    name = "router killed"

    def draw(self, dice):
        self.times = dice.choice((1, 1, 1, 2, 3))
        self.pause = spread(dice, 0.05, 0.6)
        self.lasts = 0.3

    @property
    def text(self):
        return self.name + (f" {self.times} times, every {self.pause:.2f} s" if self.times > 1 else "")

    def begin(self):
        for turn in range(self.times):
            if turn:
                time.sleep(self.pause)
            self.node.signal(signal.SIGKILL, ROUTER)

    def allowance(self):
        return Allowance(ends=self.ending(ROUTER))


class KillMonitor(Fault):
    name = "monitor killed"

    def draw(self, dice):
        self.lasts = 0.5

    def begin(self):
        self.node.signal(signal.SIGKILL, MONITOR)

    def allowance(self):
        return Allowance(ends=self.ending(MONITOR))


class KillBoth(Fault):
    name = "router and monitor killed"

    def draw(self, dice):
        self.lasts = 0.5

    def begin(self):
        self.node.signal(signal.SIGKILL, ROUTER, MONITOR)

    def allowance(self):
        return Allowance(ends=self.ending(ROUTER, MONITOR))


class KillGuardian(Fault):
    """The others hand over and end in order."""

    name = "guardian killed"

    def draw(self, dice):
        self.lasts = spread(dice, 1.0, 2.5)
        self.out = frozenset({self.node.name})

    def begin(self):
        self.node.wanted = False
        self.node.signal(signal.SIGKILL, GUARDIAN)

    def end(self):
        wait_until(lambda: not self.node.processes(), 3, f"the end of all programs on {self.node.name}")
        self.node.start()

    def allowance(self):
        return Allowance(moves=2 if self.best else 0, ends=self.ending(*PROGRAMS))


class KillAll(Fault):
    """No program is left to hand over; the kernel removes the addresses, or the lease silences them before."""

    name = "everything killed"

    def draw(self, dice):
        self.lasts = spread(dice, 0.3, 4.5)
        self.out = frozenset({self.node.name})

    def begin(self):
        self.died = time.monotonic_ns()
        self.node.kill_all()

    def end(self):
        self.dead.append((self.node.name, self.died, time.monotonic_ns()))
        self.node.start()

    def allowance(self):
        if not self.hits_active:
            return Allowance(ends=self.ending(*PROGRAMS))
        both = 0 if self.lab.lease else (min(self.lasts, DEAD_MAN) + 1) * 1000
        return Allowance(gap=self.replaced(), two=both, moves=2, ends=self.ending(*PROGRAMS))


class StopRouter(Fault):
    """SIGSTOP: it hangs. The guardian stands in for it and replaces it: clients lose nothing."""

    name = "router stopped"

    def draw(self, dice):
        self.lasts = spread(dice, 0.2, 6)

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.node.stop_all(ROUTER)

    def end(self):
        self.node.continue_all(ROUTER)

    def allowance(self):
        return Allowance(ends=self.ending(ROUTER))


class StopMonitor(Fault):
    """Its checks grow old; no node becomes Active because of that."""

    name = "monitor stopped"

    def draw(self, dice):
        self.lasts = spread(dice, 0.2, 5)

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.node.stop_all(MONITOR)

    def end(self):
        self.node.continue_all(MONITOR)

    def allowance(self):
        return Allowance(ends=self.ending(MONITOR))


class StopGuardian(Fault):
    name = "guardian stopped"

    def draw(self, dice):
        self.lasts = spread(dice, 0.2, 6)

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.node.stop_all(GUARDIAN)

    def end(self):
        self.node.continue_all(GUARDIAN)


class StopAll(Fault):
    """SIGSTOP for everything: a machine that stands still, but for its kernel."""

    name = "everything stopped"

    def draw(self, dice):
        self.lasts = spread(dice, 0.2, 10)
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def stand_still(self):
        self.node.stop_all()

    def go_on(self):
        self.node.continue_all()

    def begin(self):
        self.stand_still()
        self.since = time.monotonic_ns()

    def end(self):
        moment = time.monotonic_ns()
        self.go_on()
        if self.best:
            self.resumed.append((self.node.name, moment, (moment - self.since) / 1e9))

    def allowance(self):
        moved = self.hits_active and self.lasts * 1000 > 2 * self.lab.interval_ms
        both = (min(self.lasts, DEAD_MAN) + 1) * 1000 if moved and not self.lab.lease else 0
        return Allowance(
            gap=self.replaced() if moved else 0,
            two=both,
            moves=2 if moved else 0,
            # A guardian that wakes up first may think that the router hangs.
            ends=self.ending(ROUTER),
        )


class Freeze(StopAll):
    """The cgroup freezer: as SIGSTOP, but no program can tell."""

    name = "everything frozen"

    def stand_still(self):
        self.lab.freezer.freeze(self.node.name, self.node.pids())

    def go_on(self):
        self.lab.freezer.thaw(self.node.name)

    def possible(self):
        return self.lab.freezer.works


class Stutter(Fault):
    """Stopped and continued again and again, each time for less than anybody would notice."""

    name = "everything stutters"

    def draw(self, dice):
        interval = self.lab.interval_ms / 1000
        self.pauses = [
            (round(dice.uniform(0.1, 1.5) * interval, 3), round(dice.uniform(0.02, 0.1), 3))
            for _ in range(dice.randint(3, 12))
        ]

    @property
    def text(self):
        return f"{self.name} {len(self.pauses)} times, at most {max(still for still, _ in self.pauses) * 1000:.0f} ms"

    def begin(self):
        for still, moving in self.pauses:
            self.node.stop_all()
            time.sleep(still)
            self.node.continue_all()
            time.sleep(moving)


class KillNginx(Fault):
    """The checks see it, and a better node takes over while the address still answers."""

    name = "nginx killed"

    def draw(self, dice):
        self.lasts = spread(dice, 1.0, 2.5)

    def begin(self):
        self.node.web.kill()

    def end(self):
        self.node.web.start()

    def allowance(self):
        noticed = CHECK_FALL * CHECK_INTERVAL_MS + self.lab.interval_ms + MARGIN
        return Allowance(moves=2 * self.best, http=noticed) if self.hits_active else Allowance()


class StopNginx(Fault):
    """It accepts and never answers."""

    name = "nginx stopped"

    def draw(self, dice):
        self.lasts = spread(dice, 2.0, 4.5)

    def begin(self):
        self.pids = [self.node.web.pid, *children(self.node.web.pid)]
        for pid in self.pids:
            send_signal(pid, signal.SIGSTOP)

    def end(self):
        for pid in self.pids:
            send_signal(pid, signal.SIGCONT)

    def allowance(self):
        noticed = CHECK_FALL * (CHECK_TIMEOUT_MS + CHECK_INTERVAL_MS) + self.lab.interval_ms + MARGIN
        return Allowance(moves=2 * self.best, http=noticed) if self.hits_active else Allowance()
