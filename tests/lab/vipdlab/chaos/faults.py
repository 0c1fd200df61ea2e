"""Everything that the chaos lab does to the nodes, and what each of it may cost.

A fault draws its parameters from a dice when it is made, so a seed repeats it; begin() does it, end() undoes it,
lasts is the time between. allowance() says what clients may notice. Times of allowances are milliseconds.
"""
import contextlib
import dataclasses
import math
import resource
import signal
import socket
import time

from ..network import CABLE, VIP4, VIP6
from ..packets import Advertisement
from ..probe import build_directory
from ..processes import children, run, send_signal, wait_until
from .lab import (
    CHECK_FALL,
    CHECK_INTERVAL_MS,
    CHECK_TIMEOUT_MS,
    DEAD_MAN,
    GUARDIAN,
    INTERVAL_MS,
    MONITOR,
    PROGRAMS,
    ROUTER,
)

MARGIN = 60  # of an unplanned take-over: scheduling, adding addresses, learning the new MAC address
MOVE_GAP = 25  # a move that is planned, or back to the preferred node
MOVE_TWO = 30  # make before break: for so long two may answer
EXCHANGE = INTERVAL_MS + 20  # until two Actives that hear each other have settled it
EVERYBODY = frozenset("abc")


@dataclasses.dataclass
class Allowance:
    """What may be noticed. Nothing, unless a fault says so."""

    gap: float = 0.0  # without service, added up, besides MOVE_GAP for each move
    http: float = 0.0  # of HTTP more than of datagrams: the service itself was disturbed
    two: float = 0.0  # two hosts answer for the address, added up, besides MOVE_TWO for each move
    moves: int = 0  # how often somebody else begins to serve
    ends: frozenset = frozenset()  # (node, program) that may end
    settle: float = 5.0  # seconds from end() until everything is as before
    silent: bool = False  # who serves and answers cannot be told: the address is claimed by a stranger
    busy: bool = False  # the programs may be busy

    def plus(self, other):
        return Allowance(
            self.gap + other.gap,
            self.http + other.http,
            self.two + other.two,
            self.moves + other.moves,
            self.ends | other.ends,
            max(self.settle, other.settle),
            self.silent or other.silent,
            self.busy or other.busy,
        )


def spread(dice, low, high):
    """A duration in seconds, short ones as often as long ones."""
    return round(math.exp(dice.uniform(math.log(low), math.log(high))), 3)


class Fault:
    name = ""
    weight = 1.0
    takes_out = frozenset()  # nodes that cannot serve meanwhile
    needs_best = None  # True: only the Active; False: only Backups; None: any
    joins = True  # may happen together with another fault on another node

    def __init__(self, lab, dice, node):
        self.lab, self.node = lab, node
        self.lasts = 0.0
        self.out = self.takes_out
        self.dead = []  # (node, moment of death, moment of its new start or None): no address after dead_man
        self.resumed = []  # (node, moment, seconds it stood still): it listens before it sends
        self.draw(dice)

    def draw(self, dice):
        pass

    @property
    def text(self):
        return self.name

    @property
    def best(self):
        """Is it done to the node that is Active?"""
        return self.node.name == self.lab.by_rank()[0].name

    def replaced(self):
        """The gap until the best of the others has taken over from an Active that has gone silent."""
        return self.lab.take_over_ms(self.out) + MARGIN

    def begin(self):
        raise NotImplementedError

    def end(self):
        pass

    def allowance(self):
        return Allowance()

    def possible(self):
        return True

    def ending(self, *programs):
        return frozenset((self.node.name, program) for program in programs)


# --- processes --------------------------------------------------------------------------------------------


class KillRouter(Fault):
    """The guardian holds for it: nobody notices."""

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
    """Nobody is left to hand over; the kernel removes the addresses, or the lease silences them before."""

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
        if not self.best:
            return Allowance(ends=self.ending(*PROGRAMS))
        both = 0 if self.lab.lease() else (min(self.lasts, DEAD_MAN) + 1) * 1000
        return Allowance(gap=self.replaced(), two=both, moves=2, ends=self.ending(*PROGRAMS))


class StopRouter(Fault):
    """SIGSTOP: it hangs. Until it is replaced or goes on, its kernel still answers."""

    name = "router stopped"

    def draw(self, dice):
        self.lasts = spread(dice, 0.2, 6)
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.stopped = self.node.pids(ROUTER)
        self.node.stop_all(ROUTER)

    def end(self):
        self.node.continue_all(ROUTER)
        if self.node.pids(ROUTER) == self.stopped:
            self.resumed.append((self.node.name, time.monotonic_ns(), self.lasts))

    def allowance(self):
        moved = self.best and self.lasts * 1000 > 2 * INTERVAL_MS
        both = (self.lasts + 1) * 1000 if moved and not self.lab.lease() else 0
        return Allowance(
            gap=self.replaced() if moved else 0,
            two=both,
            moves=2 if moved else 0,
            ends=self.ending(ROUTER),
        )


class StopMonitor(Fault):
    """Its checks grow old; nobody becomes Active for that."""

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
        self.resumed.append((self.node.name, moment, (moment - self.since) / 1e9))

    def allowance(self):
        moved = self.best and self.lasts * 1000 > 2 * INTERVAL_MS
        both = (min(self.lasts, DEAD_MAN) + 1) * 1000 if moved and not self.lab.lease() else 0
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
        self.times = dice.randint(3, 12)
        self.pauses = [(round(dice.uniform(0.01, 0.15), 3), round(dice.uniform(0.01, 0.1), 3)) for _ in range(self.times)]

    @property
    def text(self):
        return f"{self.name} {self.times} times, at most {max(still for still, _ in self.pauses) * 1000:.0f} ms"

    def begin(self):
        for still, moving in self.pauses:
            self.node.stop_all()
            time.sleep(still)
            self.node.continue_all()
            time.sleep(moving)


# --- the service ------------------------------------------------------------------------------------------


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
        noticed = CHECK_FALL * CHECK_INTERVAL_MS + INTERVAL_MS + MARGIN
        return Allowance(moves=2, http=noticed) if self.best else Allowance()


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
        noticed = CHECK_FALL * (CHECK_TIMEOUT_MS + CHECK_INTERVAL_MS) + INTERVAL_MS + MARGIN
        return Allowance(moves=2, http=noticed) if self.best else Allowance()


# --- the network ------------------------------------------------------------------------------------------


class CutCable(Fault):
    name = "cable cut"

    def draw(self, dice):
        self.lasts = spread(dice, 0.05, 4)
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.lab.network.cut(self.node.host)

    def end(self):
        self.lab.network.heal(self.node.host)

    def allowance(self):
        # Even when it is plugged in again at once it comes as a Backup, and listens first.
        return Allowance(gap=self.replaced(), moves=2) if self.best else Allowance()


class FlapCable(Fault):
    """A loose contact."""

    name = "cable flaps"

    def draw(self, dice):
        self.pauses = [(round(dice.uniform(0.01, 0.3), 3), round(dice.uniform(0.01, 0.3), 3)) for _ in range(dice.randint(3, 8))]
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name} {len(self.pauses)} times"

    def begin(self):
        for without, plugged in self.pauses:
            self.lab.network.cut(self.node.host)
            time.sleep(without)
            self.lab.network.heal(self.node.host)
            time.sleep(plugged)

    def allowance(self):
        return Allowance(gap=self.replaced(), moves=2) if self.best else Allowance()


class CutSilently(Fault):
    """The switch forwards nothing for the node, which sees nothing of it: each side has an Active."""

    name = "silent cut"

    def draw(self, dice):
        self.lasts = spread(dice, 0.05, 4)
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.lab.network.cut_silently(self.node.host)

    def end(self):
        self.lab.network.heal_silently(self.node.host)

    def allowance(self):
        gap = self.replaced() if self.best else 0
        return Allowance(gap=gap + EXCHANGE, two=EXCHANGE, moves=2)


class CutEverybody(Fault):
    """Nobody can serve; then the best must."""

    name = "all cables cut"
    joins = False

    def draw(self, dice):
        self.lasts = spread(dice, 0.1, 2)
        self.out = EVERYBODY

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        for node in self.lab.nodes.values():
            self.lab.network.cut(node.host)

    def end(self):
        for node in self.lab.nodes.values():
            self.lab.network.heal(node.host)

    def allowance(self):
        worst = self.lab.take_over_ms(frozenset("ab"))
        return Allowance(gap=self.lasts * 1000 + worst + MARGIN, moves=2)


class Mute(Fault):
    """Nothing of what it sends arrives, but it hears everybody."""

    name = "mute"

    def draw(self, dice):
        self.lasts = spread(dice, 0.1, 3)
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.lab.network.filter(f"iifname {self.node.host.port} drop", table="one_way")

    def end(self):
        self.lab.network.restore("one_way")

    def allowance(self):
        return Allowance(gap=self.replaced() + EXCHANGE, two=EXCHANGE, moves=2) if self.best else Allowance()


class Deafen(Fault):
    """It hears nobody, but everybody hears it: as the Active it serves nobody and nobody can know; as a Backup it
    becomes a second Active, which the first one answers."""

    name = "deaf"

    def draw(self, dice):
        self.lasts = spread(dice, 0.1, 2)
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.lab.network.filter(f"oifname {self.node.host.port} drop", table="one_way")

    def end(self):
        self.lab.network.restore("one_way")

    def allowance(self):
        stays = self.lasts * 1000 + EXCHANGE
        if self.best:
            return Allowance(gap=stays)
        # Announcements of the deaf one draw clients to it until the better one announces again.
        return Allowance(gap=stays, two=EXCHANGE, moves=2 + 2 * math.ceil(self.lasts * 10))


class Partition(Fault):
    """The nodes do not hear each other, but the clients hear all: two Actives cannot be avoided while it lasts."""

    name = "partition of the nodes"
    joins = False

    def draw(self, dice):
        self.lasts = spread(dice, 0.2, 3)

    @property
    def text(self):
        return f"{self.name}, {self.node.name} against the others, for {self.lasts:.2f} s"

    def begin(self):
        ports = [each.host.port for each in self.lab.nodes.values() if each is not self.node]
        rules = []
        for other in ports:
            rules += [f"iifname {self.node.host.port} oifname {other} drop", f"iifname {other} oifname {self.node.host.port} drop"]
        self.lab.network.filter(*rules, table="partition")

    def end(self):
        self.lab.network.restore("partition")

    def allowance(self):
        stays = self.lasts * 1000
        return Allowance(gap=EXCHANGE, two=stays + EXCHANGE, moves=2 + 2 * math.ceil(self.lasts))


class OneWay(Fault):
    """One node does not hear one other's advertisements, as behind a wrong firewall rule."""

    name = "one-way loss of advertisements"
    joins = False

    def draw(self, dice):
        self.lasts = spread(dice, 0.2, 3)
        self.other = dice.choice([each for each in self.lab.nodes.values() if each is not self.node])

    @property
    def text(self):
        return f"{self.name}: {self.other.name} does not hear {self.node.name} for {self.lasts:.2f} s"

    def begin(self):
        way = f"iifname {self.node.host.port} oifname {self.other.host.port}"
        self.lab.network.filter(
            f"{way} ip protocol 112 drop", f"{way} ip6 nexthdr 112 drop", table="one_way"
        )

    def end(self):
        self.lab.network.restore("one_way")

    def allowance(self):
        if not self.best:
            return Allowance()
        stays = self.lasts * 1000
        return Allowance(gap=EXCHANGE, two=stays + EXCHANGE, moves=2 + 2 * math.ceil(self.lasts * 10))


class LoseAdvertisements(Fault):
    """The switch drops advertisements by chance, and nothing else."""

    name = "advertisements lost by chance"
    joins = False

    def draw(self, dice):
        self.percent = dice.choice((5, 10, 20, 30, 50))
        self.lasts = spread(dice, 1, 4)

    @property
    def text(self):
        return f"{self.name}: {self.percent} % for {self.lasts:.2f} s"

    def begin(self):
        lost = f"numgen random mod 100 < {self.percent} drop"
        self.lab.network.filter(f"ip protocol 112 {lost}", f"ip6 nexthdr 112 {lost}", table="loss")

    def end(self):
        self.lab.network.restore("loss")

    def allowance(self):
        # Three in a row may be lost; then two are Active until the next one comes through.
        turns = self.lasts * 1000 / INTERVAL_MS
        chance = math.ceil(turns * (self.percent / 100) ** 3 * 4)
        if self.percent <= 10:
            chance = min(chance, 1)
        exchanges = chance * EXCHANGE / (1 - self.percent / 100)
        return Allowance(gap=chance * EXCHANGE, two=exchanges + EXCHANGE if chance else 0, moves=4 * chance)


class DeleteInterface(Fault):
    """The interface vanishes, with all addresses, and comes back as another one of the same name."""

    name = "interface deleted"

    def draw(self, dice):
        self.lasts = spread(dice, 0.1, 3)
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name}, back after {self.lasts:.2f} s"

    def begin(self):
        self.lab.network.unplug(self.node.host)

    def end(self):
        self.lab.network.plug(self.node.host)

    def allowance(self):
        return Allowance(gap=self.replaced(), moves=2) if self.best else Allowance()


class InterfaceDown(Fault):
    """`ip link set down` on the node; the kernel takes the IPv6 addresses away with it."""

    name = "interface down"

    def draw(self, dice):
        self.lasts = spread(dice, 0.1, 3)
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name} for {self.lasts:.2f} s"

    def begin(self):
        self.node.host.ip("link", "set", CABLE, "down")

    def end(self):
        self.node.host.ip("link", "set", CABLE, "up")
        self.node.host.ip("address", "replace", f"{self.node.host.ipv6}/64", "dev", CABLE, "nodad")

    def allowance(self):
        return Allowance(gap=self.replaced(), moves=2) if self.best else Allowance()


class OwnAddressGone(Fault):
    """Somebody removes the node's own address: without it there is nothing to advertise from."""

    name = "own address removed"

    def draw(self, dice):
        self.lasts = spread(dice, 0.2, 2)
        self.out = frozenset({self.node.name})

    @property
    def text(self):
        return f"{self.name}, back after {self.lasts:.2f} s"

    def begin(self):
        self.node.host.ip("address", "del", f"{self.node.host.ipv4}/24", "dev", CABLE)

    def end(self):
        self.node.host.ip("address", "add", f"{self.node.host.ipv4}/24", "dev", CABLE)

    def allowance(self):
        return Allowance(gap=self.replaced(), moves=2) if self.best else Allowance()


class RemoveAddress(Fault):
    """Somebody removes a virtual address by hand; it comes back at once."""

    name = "virtual address removed"
    needs_best = True

    def draw(self, dice):
        self.address = dice.choice((VIP4, VIP6))
        self.times = dice.choice((1, 1, 2, 4))
        self.lasts = 0.2

    @property
    def text(self):
        return f"{self.name}: {self.address}, {self.times} times"

    def begin(self):
        prefix = f"{self.address}/{24 if self.address == VIP4 else 64}"
        for _ in range(self.times):
            self.node.host.ip("address", "del", prefix, "dev", CABLE, check=False)
            time.sleep(0.3)

    def allowance(self):
        # At once, after that after growing pauses.
        return Allowance(gap=(40, 600)[self.times > 1] * self.times)


class AddressOnBackup(Fault):
    """Somebody gives a Backup a virtual address; it is removed, once a second at most."""

    name = "virtual address added to a Backup"
    needs_best = False

    def draw(self, dice):
        self.address = dice.choice((VIP4, VIP6))
        self.lasts = 1.1

    @property
    def text(self):
        return f"{self.name}: {self.address}"

    def begin(self):
        prefix = f"{self.address}/{24 if self.address == VIP4 else 64}"
        self.node.host.ip("address", "add", prefix, "dev", CABLE, "nodad")

    def allowance(self):
        return Allowance(two=1000 + MARGIN)


# --- floods and forgeries ---------------------------------------------------------------------------------


class Flood(Fault):
    """Packets that are none of our business, or no valid advertisements, at high rate: no effect at all."""

    name = "flood of malformed packets"
    weight = 0.6
    joins = False
    RATE = 20_000

    def draw(self, dice):
        self.lasts = round(dice.uniform(0.5, 1.5), 2)
        self.seed = dice.getrandbits(32)
        self.frames = [self._frame(dice) for _ in range(64)]

    def _frame(self, dice):
        intruder = self.lab.network.intruder
        four = dice.random() < 0.5
        source = intruder.ipv4 if four else "fe80::66"
        made = Advertisement(
            source=source,
            addresses=(VIP4,) if four else (VIP6,),
            priority=dice.choice((1, 100, 254, 255)),
        )
        wrong = dice.choice(("checksum", "hop_limit", "version", "kind", "count", "keep", "vrid", "noise"))
        changes = {
            "checksum": {"checksum": dice.randrange(1, 65535)},
            "hop_limit": {"hop_limit": dice.choice((1, 64, 254))},
            "version": {"version": dice.choice((0, 1, 2, 4, 15))},
            "kind": {"kind": dice.choice((0, 2, 15))},
            "count": {"count": dice.choice((0, 2, 200))},
            "keep": {"keep": dice.randrange(0, 8)},
            "vrid": {"vrid": 77},
            "noise": {"keep": 0},
        }[wrong]
        if wrong == "noise":
            made = dataclasses.replace(made, trailing=dice.randbytes(40))
            return made.frame(intruder.mac)[:34] + dice.randbytes(dice.randrange(8, 60))
        return dataclasses.replace(made, **changes).frame(intruder.mac)

    @property
    def text(self):
        return f"{self.name}, {self.RATE} a second for {self.lasts:.2f} s"

    def begin(self):
        self.lab.flood(self.frames, self.RATE, int(self.lasts * 1000))

    def end(self):
        self.lab.join_loads()

    def allowance(self):
        return Allowance(busy=True)


class FloodOfInferior(Flood):
    """Valid advertisements of priority 1: answered, at a bounded rate, and followed by nobody."""

    name = "flood of inferior advertisements"

    def _frame(self, dice):
        intruder = self.lab.network.intruder
        return Advertisement(source=intruder.ipv4, addresses=(VIP4,), priority=1).frame(intruder.mac)


class ForgedBetter(Fault):
    """One valid advertisement that claims to be better: it costs one Active_Down_Interval, and no more."""

    name = "one forged advertisement of priority 255"
    joins = False

    def draw(self, dice):
        self.lasts = 0.6

    def begin(self):
        intruder = self.lab.network.intruder
        made = Advertisement(source=intruder.ipv4, addresses=(VIP4,), priority=255)
        self.lab.flood([made.frame(intruder.mac)], 1000, 1)

    def end(self):
        self.lab.join_loads()

    def allowance(self):
        return Allowance(gap=self.lab.take_over_ms(frozenset("ab")) + MARGIN, moves=2)


class ForgedFarewell(Fault):
    """Priority 0 in the name of a stranger: the Active answers before anybody takes over."""

    name = "forged farewells"

    def draw(self, dice):
        self.times = dice.choice((1, 5, 50))
        self.lasts = 0.5

    @property
    def text(self):
        return f"{self.name}: {self.times}"

    def begin(self):
        intruder = self.lab.network.intruder
        made = Advertisement(source=intruder.ipv4, addresses=(VIP4,), priority=0)
        self.lab.flood([made.frame(intruder.mac)], 1000, self.times)

    def end(self):
        self.lab.join_loads()

    def allowance(self):
        # A Backup's Skew_Time is shorter than the pause between two answers: it may come, and goes again.
        few = self.times == 1
        return Allowance(two=0 if few else self.times + EXCHANGE, gap=0 if few else EXCHANGE, moves=0 if few else 6)


# --- configuration and commands ---------------------------------------------------------------------------


class ReloadPriority(Fault):
    """The priority is changed, and changed back: a planned move, if it is one."""

    name = "reload with another priority"

    def draw(self, dice):
        self.priority = dice.choice((1, 100, 175, 225, 253))
        self.by_signal = dice.random() < 0.5
        self.lasts = spread(dice, 0.3, 1.5)

    @property
    def text(self):
        return f"{self.name}: {self.priority}{', by SIGHUP' if self.by_signal else ''}"

    def begin(self):
        self.node.reload(self.node.configuration(priority=self.priority), self.by_signal)

    def end(self):
        self.node.reload(by_signal=self.by_signal)

    def allowance(self):
        ranks = [each.priority for each in self.lab.nodes.values() if each is not self.node]
        moves = (self.priority > max(ranks)) != self.best
        return Allowance(moves=2 if moves else 0)


class ReloadInterval(Fault):
    """All nodes, one after the other, get another interval, and the old one back: nobody notices."""

    name = "reload with another interval"
    joins = False

    def draw(self, dice):
        self.interval_ms = dice.choice((20, 50, 150, 300, 500))
        self.order = dice.sample(sorted(EVERYBODY), 3)
        self.lasts = spread(dice, 0.3, 1.5)

    @property
    def text(self):
        return f"{self.name}: {self.interval_ms} ms, in the order {' '.join(self.order)}"

    def begin(self):
        for name in self.order:
            node = self.lab.nodes[name]
            node.reload(node.configuration(interval_ms=self.interval_ms))

    def end(self):
        for name in self.order:
            self.lab.nodes[name].reload()

    def allowance(self):
        return Allowance(settle=8)


class ReloadAddresses(Fault):
    """Addresses come and go; those that stay are not touched."""

    name = "reload with other addresses"

    def draw(self, dice):
        self.extra = tuple(
            dice.sample([f"192.0.2.{20 + i}" for i in range(8)] + [f"2001:db8::{20 + i}" for i in range(8)], dice.randint(1, 6))
        )
        self.lasts = spread(dice, 0.3, 1.5)

    @property
    def text(self):
        return f"{self.name}: {len(self.extra)} more"

    def begin(self):
        self.node.reload(self.node.configuration(addresses=(VIP4, VIP6, *self.extra)))

    def end(self):
        self.node.reload()


class ReloadWithout(Fault):
    """The virtual router is taken out of the configuration, and put back: it hands over as at a stop."""

    name = "reload without the virtual router"

    def draw(self, dice):
        self.lasts = spread(dice, 0.5, 1.5)
        self.out = frozenset({self.node.name})

    def begin(self):
        text = self.node.daemon.configuration(
            settings=dataclasses.replace(self.node.daemon.settings, name="other", vrid=99, addresses=("192.0.2.30",))
        )
        self.node.reload(text)

    def end(self):
        self.node.reload()

    def allowance(self):
        return Allowance(moves=2 if self.best else 0)


class ReloadBroken(Fault):
    """Files that are no configuration: refused, and nothing changes."""

    name = "reload of a broken file"

    def draw(self, dice):
        self.seed = dice.getrandbits(32)
        self.kind = dice.choice(("cut", "noise", "empty", "gone", "unknown key", "directory"))
        self.cut = dice.random()
        self.noise = dice.randbytes(300)
        self.lasts = 0.3

    @property
    def text(self):
        return f"{self.name}: {self.kind}"

    def begin(self):
        file, text = self.node.daemon.config_file, self.node.configuration()
        if self.kind == "cut":
            # In the middle of the first word of a line, so that it cannot be valid.
            lines = text.splitlines()
            at = int(self.cut * (len(lines) - 1)) + 1
            file.write_text("\n".join(lines[:at]) + "\n  nonsens", encoding="ascii")
        elif self.kind == "noise":
            file.write_bytes(self.noise)
        elif self.kind == "empty":
            file.write_bytes(b"")
        elif self.kind == "unknown key":
            file.write_text(text.replace("vrid:", "wrid:"), encoding="ascii")
        else:
            file.unlink()
            if self.kind == "directory":
                file.mkdir()
        answer = self.node.daemon.ctl("reload", check=False)
        if "reloaded" in answer:
            raise AssertionError(f"a broken configuration ({self.kind}) was accepted: {answer}")

    def end(self):
        with contextlib.suppress(OSError):
            self.node.daemon.config_file.rmdir()
        self.node.reload()


class ReloadStorm(Fault):
    name = "many reloads"

    def draw(self, dice):
        self.times = dice.randint(20, 100)
        self.lasts = 0.2

    @property
    def text(self):
        return f"{self.name}: {self.times} SIGHUP"

    def begin(self):
        for _ in range(self.times):
            self.node.signal(signal.SIGHUP, GUARDIAN)
            time.sleep(0.002)

    def allowance(self):
        return Allowance(busy=True)


class Switch(Fault):
    """vipctl switch, and --back."""

    name = "vipctl switch"
    needs_best = True

    def draw(self, dice):
        self.lasts = spread(dice, 0.4, 1.5)
        self.out = frozenset({self.node.name})

    def begin(self):
        self.node.daemon.ctl("switch", self.node.daemon.settings.name)

    def end(self):
        self.node.daemon.ctl("switch", self.node.daemon.settings.name, "--back")

    def allowance(self):
        return Allowance(moves=2)


class StopNode(Fault):
    """SIGTERM, and a new start: a planned move."""

    name = "node stopped and started"

    def draw(self, dice):
        self.lasts = spread(dice, 0.05, 1.5)
        self.out = frozenset({self.node.name})

    def begin(self):
        self.node.wanted = False
        self.node.daemon.stop()

    def end(self):
        left = self.node.processes()
        if left:
            raise AssertionError(f"after its stop {self.node.name} still runs {[each.program for each in left]}")
        self.node.start()

    def allowance(self):
        return Allowance(moves=2 if self.best else 0, ends=self.ending(*PROGRAMS))


class StopAllNodes(Fault):
    """All are told to stop, one after the other; the last one goes on to the end."""

    name = "all nodes stopped and started"
    joins = False
    weight = 0.5

    def draw(self, dice):
        self.order = dice.sample(sorted(EVERYBODY), 3)
        self.pause = spread(dice, 0.2, 0.8)
        self.out = EVERYBODY

    @property
    def text(self):
        return f"{self.name}, in the order {' '.join(self.order)}"

    def begin(self):
        self.gone = 0.0
        for name in self.order:
            node = self.lab.nodes[name]
            node.wanted = False
            node.daemon.stop()
            time.sleep(self.pause)
        self.since = time.monotonic()

    def end(self):
        for name in self.order:
            self.lab.nodes[name].start()
        self.gone = (time.monotonic() - self.since + self.pause) * 1000

    def allowance(self):
        # The new ones wait for their first check results, and listen; the lowest may have been first.
        start = 2 * CHECK_INTERVAL_MS + self.lab.take_over_ms(frozenset("ab")) + 400
        return Allowance(
            gap=self.gone + start,
            moves=6,
            ends=frozenset((name, program) for name in EVERYBODY for program in PROGRAMS),
        )


class SecondStart(Fault):
    """A second vipd with the same directories is refused."""

    name = "a second vipd"

    def draw(self, dice):
        self.lasts = 0.1

    def begin(self):
        second = self.node.host.process("second", *self.node.daemon.process.arguments[4:]).start()
        wait_until(lambda: not second.running, 5, "the end of the second vipd")
        if second.exit_status != 3:
            raise AssertionError(f"a second vipd ended with {second.exit_status}, not 3: {second.log()[-500:]}")


class AbuseControl(Fault):
    """Connections that say nothing, nonsense, or do not read their answers."""

    name = "abused control socket"

    def draw(self, dice):
        self.noise = [dice.randbytes(dice.randrange(1, 2000)) for _ in range(30)]
        self.lasts = round(dice.uniform(0.3, 1.0), 2)

    def begin(self):
        self.open = []
        path = str(self.node.daemon.directory / "run" / "control")
        for number, noise in enumerate(self.noise):
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.settimeout(0.2)
            with contextlib.suppress(OSError):
                made.connect(path)
                self.open.append(made)
                if number % 3 == 1:
                    made.send(noise)
                if number % 3 == 2:
                    made.send(b'{"command": "status"}\n' * 200)

    def end(self):
        for made in self.open:
            made.close()

    def allowance(self):
        return Allowance(busy=True)


# --- resources --------------------------------------------------------------------------------------------


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
    """Eight busy loops beside everything: nobody takes over from a healthy node."""

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


class Together(Fault):
    """Two faults, on two nodes, that overlap; what they may cost is added up, and neither counts on the other's node."""

    name = "two at once"

    def __init__(self, lab, first, second, delay):
        self.first, self.second, self.delay = first, second, delay
        first.out = second.out = first.out | second.out
        super().__init__(lab, None, first.node)

    @property
    def text(self):
        one, two = self.first, self.second
        return f"{one.node.name}: {one.text}, and {self.delay:.2f} s later {two.node.name}: {two.text}"

    def begin(self):
        begin = time.monotonic()
        turns = [
            (0.0, self.first.begin),
            (self.first.lasts, self.first.end),
            (self.delay, self.second.begin),
            (self.delay + self.second.lasts, self.second.end),
        ]
        for moment, turn in sorted(turns, key=lambda each: each[0]):
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            turn()

    def allowance(self):
        self.dead = self.first.dead + self.second.dead
        self.resumed = self.first.resumed + self.second.resumed
        both = self.first.allowance().plus(self.second.allowance())
        # The better of the two returns past the other one.
        return dataclasses.replace(both, moves=both.moves + 2, gap=both.gap + (EXCHANGE if both.gap else 0))


KINDS = [
    each
    for each in list(globals().values())
    if isinstance(each, type) and issubclass(each, Fault) and each.name and each is not Together
]
