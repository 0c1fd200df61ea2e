"""Cables, switches, interfaces and addresses that fail, and packets that come unasked."""
import dataclasses
import math
import time

from ..network import CABLE, VIP4, VIP6
from ..packets import Advertisement
from .fault import EVERYBODY, MARGIN, Allowance, Fault, spread
from .lab import ASK_AGAIN_MS


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
        return Allowance(gap=self.replaced() + ASK_AGAIN_MS, moves=2) if self.hits_active else Allowance()


class FlapCable(Fault):
    """A loose contact."""

    name = "cable flaps"

    def draw(self, dice):
        self.pauses = [
            (round(dice.uniform(0.01, 0.3), 3), round(dice.uniform(0.01, 0.3), 3))
            for _ in range(dice.randint(3, 8))
        ]
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
        if not self.hits_active:
            return Allowance()
        # Whenever it was plugged in for long enough it may have taken over again.
        back = sum(plugged > 3 * self.lab.interval_ms / 1000 for _, plugged in self.pauses[:-1])
        return Allowance(gap=(self.replaced() + ASK_AGAIN_MS) * (1 + back), moves=2 + 2 * back)


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
        gap = self.replaced() if self.hits_active else 0
        return Allowance(gap=gap + self.exchange(), two=self.exchange(), moves=2)


class CutEverybody(Fault):
    """No node can serve; afterwards the best one must."""

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
        worst = self.lab.worst_take_over_ms()
        return Allowance(gap=self.lasts * 1000 + worst + MARGIN + ASK_AGAIN_MS, moves=2)


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
        return (
            Allowance(gap=self.replaced() + self.exchange(), two=self.exchange(), moves=2)
            if self.hits_active
            else Allowance()
        )


class Deafen(Fault):
    """It hears no node, but all hear it: as the Active it serves no client, and no other node can know; as a Backup it
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
        stays = self.lasts * 1000 + self.exchange()
        if self.best:
            return Allowance(gap=stays)
        # Announcements of the deaf one draw clients to it until the better one announces again.
        return Allowance(
            gap=stays, two=self.exchange(), moves=2 + 8 * math.ceil(self.lasts * 1000 / self.lab.interval_ms)
        )


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
            rules += [
                f"iifname {self.node.host.port} oifname {other} drop",
                f"iifname {other} oifname {self.node.host.port} drop",
            ]
        self.lab.network.filter(*rules, table="partition")

    def end(self):
        self.lab.network.restore("partition")

    def allowance(self):
        stays = self.lasts * 1000
        return Allowance(gap=self.exchange(), two=stays + self.exchange(), moves=12)


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
        self.lab.network.filter(f"{way} ip protocol 112 drop", f"{way} ip6 nexthdr 112 drop", table="one_way")

    def end(self):
        self.lab.network.restore("one_way")

    def allowance(self):
        if not self.hits_active:
            return Allowance()
        stays = self.lasts * 1000
        return Allowance(
            gap=self.exchange(),
            two=stays + self.exchange(),
            moves=2 + 8 * math.ceil(self.lasts * 1000 / self.lab.interval_ms),
        )


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
        turns = self.lasts * 1000 / self.lab.interval_ms
        chance = math.ceil(turns * (self.percent / 100) ** 3 * 4)
        if self.percent <= 10:
            chance = min(chance, 1)
        exchanges = chance * self.exchange() / (1 - self.percent / 100)
        return Allowance(
            gap=chance * self.exchange(), two=exchanges + self.exchange() if chance else 0, moves=4 * chance
        )


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
        self.node.plug()

    def allowance(self):
        return Allowance(gap=self.replaced() + ASK_AGAIN_MS, moves=2) if self.hits_active else Allowance()


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
        return Allowance(gap=self.replaced() + ASK_AGAIN_MS, moves=2) if self.hits_active else Allowance()


class OwnAddressGone(Fault):
    """The node's own address is removed by hand: without it there is nothing to advertise from."""

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
        return Allowance(gap=self.replaced(), moves=2) if self.hits_active else Allowance()


class RemoveAddress(Fault):
    """A virtual address is removed by hand; it comes back at once."""

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
        if self.address in self.node.host.addresses():
            return  # another fault has made it the Active
        prefix = f"{self.address}/{24 if self.address == VIP4 else 64}"
        for _ in range(self.times):
            self.node.host.ip("address", "del", prefix, "dev", CABLE, check=False)
            time.sleep(0.3)

    def allowance(self):
        # At once, after that after growing pauses.
        return Allowance(gap=(40, 600)[self.times > 1] * self.times)


class AddressOnBackup(Fault):
    """A Backup is given a virtual address by hand; it is removed, once a second at most."""

    name = "virtual address added to a Backup"
    needs_best = False

    def draw(self, dice):
        self.address = dice.choice((VIP4, VIP6))
        self.lasts = 1.1

    @property
    def text(self):
        return f"{self.name}: {self.address}"

    def begin(self):
        if self.address in self.node.host.addresses():
            return  # another fault has made it the Active
        prefix = f"{self.address}/{24 if self.address == VIP4 else 64}"
        self.node.host.ip("address", "add", prefix, "dev", CABLE, "nodad")

    def allowance(self):
        return Allowance(two=1000 + MARGIN)


def forged(lab, priority):
    """A valid advertisement in the intruder's own name."""
    return Advertisement(
        source=lab.network.intruder.ipv4,
        addresses=(VIP4,),
        priority=priority,
        interval_cs=lab.interval_ms // 10,
    )


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
            source=source, addresses=(VIP4,) if four else (VIP6,), priority=dice.choice((1, 100, 254, 255))
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
    """Valid advertisements of priority 1: answered, at a bounded rate, and followed by no node."""

    name = "flood of inferior advertisements"

    def _frame(self, dice):
        intruder = self.lab.network.intruder
        return forged(self.lab, 1).frame(intruder.mac)


class ForgedBetter(Fault):
    """One valid advertisement that claims to be better: it costs one Active_Down_Interval, and no more."""

    name = "one forged advertisement of priority 255"
    joins = False

    def draw(self, dice):
        self.lasts = 0.6

    def begin(self):
        intruder = self.lab.network.intruder
        self.lab.flood([forged(self.lab, 255).frame(intruder.mac)], 1000, 1)

    def end(self):
        self.lab.join_loads()

    def allowance(self):
        return Allowance(gap=self.lab.worst_take_over_ms() + MARGIN, moves=2)


class ForgedInterval(ForgedBetter):
    """The same with the longest interval there is: at most three times the own one is believed."""

    name = "one forged advertisement with an interval of 40.95 s"
    BELIEVED = 3  # max_adopted_interval: as many of the own

    def begin(self):
        made = dataclasses.replace(forged(self.lab, 255), interval_cs=4095)
        self.lab.flood([made.frame(self.lab.network.intruder.mac)], 1000, 1)

    def allowance(self):
        # No wait is longer than that of a Backup that believes the longest interval it may.
        gap = self.BELIEVED * self.lab.worst_take_over_ms() + MARGIN
        return Allowance(gap=gap, moves=4, settle=max(5.0, gap / 1000 + 2))


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
        self.lab.flood([forged(self.lab, 0).frame(intruder.mac)], 1000, self.times)

    def end(self):
        self.lab.join_loads()

    def allowance(self):
        # A Backup's Skew_Time is shorter than the pause between two answers: it may come, and goes again.
        few = self.times == 1
        return Allowance(
            two=0 if few else self.times + self.exchange(),
            gap=0 if few else self.exchange(),
            moves=0 if few else 6,
        )
