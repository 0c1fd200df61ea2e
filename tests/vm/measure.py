"""What a group does, to the microsecond: runs inside the time-travel machine, once for vipd and once for keepalived.

    measure.py DAEMON CASE...     prints an object of JSON a line: {"case": ..., "figure": ..., "us": [...]} or "count"

All times are simulated and all moments exact: nothing here waits for a processor. The same lines of this file drive
both daemons; what one of them cannot do is left out.
"""
import json
import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

from vipdlab import sandbox  # noqa: E402
from vipdlab.daemons import Keepalived, RouterSettings, Vipd  # noqa: E402
from vipdlab.group import Group  # noqa: E402
from vipdlab.network import VIP4, Network  # noqa: E402
from vipdlab.processes import children, command_of, send_signal, wait_until  # noqa: E402
from vipdlab.watch import AddressWatch  # noqa: E402

DAEMONS = {"vipd": Vipd, "keepalived": Keepalived}
PRIORITIES = (250, 200)
MS = 1_000_000
PHASES = 5  # an interval is cut into so many parts, and the fault comes once in each
LOSS_PERIOD = 4096  # packets after which the pattern of losses repeats


def tell(case, figure, **values):
    print(json.dumps({"case": case, "figure": figure, **values}), flush=True)


def microseconds(nanoseconds):
    return round(nanoseconds / 1000, 1)


class Pair:
    """Two nodes with a client that counts datagrams and an observer that sees the wire."""

    def __init__(self, make, interval_ms, udp_rate=1000):
        self.interval_ms = interval_ms
        addresses = (VIP4,)
        settings = RouterSettings(interval_ms=interval_ms, addresses=addresses)
        self.group = Group([make] * 2, settings, PRIORITIES, udp_rate=udp_rate, observe_us=100_000)
        self.watch = AddressWatch(self.group.network, addresses, refresh=None)
        self.group.start(settle=False)
        self.settle()

    def settle(self):
        """Waits until a alone has the address. Sleeping costs nothing here, asking does."""
        while self.watch.present("a") != {VIP4} or self.watch.present("b"):
            time.sleep(self.interval_ms / 1000)
        self.calm()

    def calm(self):
        time.sleep(3 * self.interval_ms / 1000 + 0.3)

    def host(self, name):
        return self.group.host(name)

    def at_phase(self, part):
        """Waits until this part of an interval has passed since an advertisement of the Active."""
        mac = self.host("a").mac
        now = time.monotonic_ns()
        last = self.group.observer.adverts(mac, now - 2 * self.interval_ms * MS, now)[-1].seen
        wanted = last + int((4 + part) * self.interval_ms * MS)
        time.sleep(max(0, wanted - time.monotonic_ns()) / 1e9)

    def coming(self, name, since, came=True):
        """When the address came to a node (or left it) after a moment, or None."""
        for moment, node, _, each in self.watch.history(since, time.monotonic_ns()):
            if node == name and each == came:
                return moment
        return None

    def last_advert(self, name, before):
        seen = self.group.observer.adverts(self.host(name).mac, 0, before)
        return seen[-1].seen

    def announced(self, name, since):
        mac = self.host(name).mac
        seen = [
            at
            for at, each in self.group.observer.announcements(VIP4, since, time.monotonic_ns())
            if each == mac
        ]
        return seen[0] if seen else None

    def client(self, since):
        return self.group.client.udp(VIP4, since, time.monotonic_ns())

    def advert_gaps(self, since):
        seen = [
            each.seen
            for host in ("a", "b")
            for each in self.group.observer.adverts(self.host(host).mac, since, time.monotonic_ns())
        ]
        seen.sort()
        return [later - earlier for earlier, later in zip(seen, seen[1:])]

    def close(self):
        self.watch.stop()
        self.group.close()


def failover(make, interval_ms):
    """The switch forwards nothing more for the Active: from its last advertisement to the other's first acts."""
    pair = Pair(make, interval_ms, udp_rate=200)
    case = f"failover, {interval_ms} ms"
    taken, announced, outages = [], [], []
    for phase in range(PHASES):
        pair.at_phase((phase + 0.5) / PHASES)
        cut = pair.group.network.cut_silently(pair.host("a"))
        time.sleep(5 * interval_ms / 1000)
        last = pair.last_advert("a", cut)
        taken.append(microseconds(pair.coming("b", cut) - last))
        announced.append(microseconds(pair.announced("b", cut) - last))
        outages.append(microseconds(pair.client(cut).outage * MS))
        pair.group.network.heal_silently(pair.host("a"))
        pair.settle()
    pair.close()
    tell(case, "last advertisement to address on the other node", us=taken)
    tell(case, "last advertisement to announcement", us=announced)
    tell(case, "outage that a client sees", us=outages)


def handover(make, interval_ms):
    """A planned stop of the Active, and its return."""
    pair = Pair(make, interval_ms)
    case = f"handover, {interval_ms} ms"
    overlaps, lost, back_overlaps, back_lost, back = [], [], [], [], []
    for _ in range(PHASES):
        stopped = pair.group.daemons["a"].stop()
        time.sleep(4 * interval_ms / 1000 + 1)
        overlaps.append(microseconds(pair.coming("a", stopped, came=False) - pair.coming("b", stopped)))
        lost.append(pair.client(stopped).lost)
        started = time.monotonic_ns()
        pair.group.daemons["a"].start()
        pair.settle()
        time.sleep(2)
        back.append(microseconds(pair.coming("a", started) - started))
        back_overlaps.append(microseconds(pair.coming("b", started, came=False) - pair.coming("a", started)))
        back_lost.append(pair.client(started).lost)
        pair.calm()
    pair.close()
    tell(case, "stop: address on both nodes (negative: on none)", us=overlaps)
    tell(case, "stop: datagrams lost", count=lost)
    tell(case, "start to address on the preferred node", us=back)
    tell(case, "return: address on both nodes (negative: on none)", us=back_overlaps)
    tell(case, "return: datagrams lost", count=back_lost)


def reload(make, interval_ms):
    """The Active reads the same configuration again."""
    pair = Pair(make, interval_ms)
    gaps, lost, moves = [], [], 0
    for phase in range(PHASES):
        pair.at_phase((phase + 0.5) / PHASES)
        begin = time.monotonic_ns() - 2 * interval_ms * MS
        pair.group.daemons["a"].reload()
        time.sleep(5 * interval_ms / 1000)
        gaps.append(microseconds(max(pair.advert_gaps(begin))))
        lost.append(pair.client(begin).lost)
        moves += len(pair.watch.history(begin, time.monotonic_ns()))
        pair.calm()
    pair.close()
    case = f"reload, {interval_ms} ms"
    tell(case, "longest time between two advertisements", us=gaps)
    tell(case, "datagrams lost", count=lost)
    tell(case, "addresses that came or went", count=[moves])


def protocol_process(daemon):
    """The process that speaks VRRP."""
    if daemon.kind == "vipd":
        return daemon.child("vipd-router")
    below = [pid for pid in children(daemon.process.pid) if command_of(pid).startswith("keepalived")]
    return below[0] if below else None


def crash(make, interval_ms):
    """SIGKILL for the process that speaks VRRP; the rest of the daemon lives and starts it again."""
    pair = Pair(make, interval_ms)
    gaps, lost, moves = [], [], []
    for phase in range(PHASES):
        pair.at_phase((phase + 0.5) / PHASES)
        begin = time.monotonic_ns() - 2 * interval_ms * MS
        old = protocol_process(pair.group.daemons["a"])
        send_signal(old, signal.SIGKILL)
        time.sleep(8 * interval_ms / 1000 + 3)
        wait_until(
            lambda before=old: protocol_process(pair.group.daemons["a"]) not in (None, before),
            30,
            "a new process",
        )
        gaps.append(microseconds(max(pair.advert_gaps(begin))))
        lost.append(pair.client(begin).lost)
        moves.append(
            sum(
                came
                for *_, node, _, came in [
                    (each[0], each[1], each[2], each[3])
                    for each in pair.watch.history(begin, time.monotonic_ns())
                ]
                if node == "b"
            )
        )
        pair.settle()
    pair.close()
    case = f"protocol process killed, {interval_ms} ms"
    tell(case, "longest time between two advertisements", us=gaps)
    tell(case, "datagrams lost", count=lost)
    tell(case, "take-overs by the other node", count=moves)


def clock(make, interval_ms):
    """Somebody sets the time of day, on both nodes at once: back and forth, by seconds and by years."""
    pair = Pair(make, interval_ms)
    gaps, lost, moves = [], [], 0
    for step in (30, -30, 3600, -7200, 400 * 86400, -400 * 86400):
        pair.at_phase(0.5)
        begin = time.monotonic_ns() - 2 * interval_ms * MS
        time.clock_settime(time.CLOCK_REALTIME, time.time() + step)
        time.sleep(6 * interval_ms / 1000 + 3.5)  # longer than dead_man, too
        gaps.append(microseconds(max(pair.advert_gaps(begin))))
        lost.append(pair.client(begin).lost)
        moves += len(pair.watch.history(begin, time.monotonic_ns()))
        pair.calm()
    pair.close()
    case = f"clock set, {interval_ms} ms"
    tell(case, "longest time between two advertisements", us=gaps)
    tell(case, "datagrams lost", count=lost)
    tell(case, "addresses that came or went", count=[moves])


def flap(make, interval_ms):
    """A loose contact: the cable of the Active is out for a while, twenty times."""
    pair = Pair(make, interval_ms, udp_rate=200)
    dice = random.Random(7)
    begin = time.monotonic_ns()
    for _ in range(20):
        pair.group.network.cut(pair.host("a"))
        time.sleep(dice.uniform(0.02, 1.5) * interval_ms / 1000)
        pair.group.network.heal(pair.host("a"))
        time.sleep(dice.uniform(0.1, 8) * interval_ms / 1000)
    pair.settle()
    time.sleep(2)
    came = [each for each in pair.watch.history(begin, time.monotonic_ns()) if each[1] == "b" and each[3]]
    client = pair.client(begin)
    pair.close()
    case = f"cable flaps 20 times, {interval_ms} ms"
    tell(case, "take-overs by the other node", count=[len(came)])
    tell(case, "time without service", us=[microseconds(client.outage * MS)])


def holders(history, begin, end):
    """(nanoseconds with two holders, with none) of an address that a alone has at the begin."""
    two = none = 0
    have, since = {"a"}, begin
    for moment, node, _, came in [*history, (end, "", "", False)]:
        if len(have) == 2:
            two += moment - since
        if not have:
            none += moment - since
        (have.add if came else have.discard)(node)
        since = moment
    return two, none


def loss(make, interval_ms, percent=20, seconds=3600):
    """An hour in which the switch loses a fifth of all advertisements, the same ones for each daemon."""
    network = Network()
    settings = RouterSettings(interval_ms=interval_ms, addresses=(VIP4,))
    daemons = {host.name: make(host, settings, priority) for host, priority in zip(network.nodes, PRIORITIES)}
    watch = AddressWatch(network, (VIP4,), refresh=None)
    for daemon in daemons.values():
        daemon.start()
    time.sleep(10 * interval_ms / 1000 + 5)
    lost = random.Random(3).sample(range(LOSS_PERIOD), LOSS_PERIOD * percent // 100)
    numbers = ", ".join(str(each) for each in sorted(lost))
    network.filter(f"ip protocol 112 numgen inc mod {LOSS_PERIOD} {{ {numbers} }} drop")
    begin = time.monotonic_ns()
    time.sleep(seconds)
    end = time.monotonic_ns()
    history = watch.history(begin, end)
    for daemon in daemons.values():
        daemon.end()
    watch.stop()
    network.close()
    two, none = holders(history, begin, end)
    case = f"{percent} % of advertisements lost for {seconds // 60} minutes, {interval_ms} ms"
    tell(
        case,
        "take-overs by the other node",
        count=[sum(node == "b" and came for _, node, _, came in history)],
    )
    tell(case, "time with the address on both", us=[microseconds(two)])
    tell(case, "time with the address on none", us=[microseconds(none)])


def soak(make, interval_ms):
    """Days, with a failover, a planned stop and a reload each: nothing grows, and nobody moves without need."""
    days = int(os.environ["SOAK_DAYS"])
    network = Network()
    settings = RouterSettings(interval_ms=interval_ms, addresses=(VIP4,))
    daemons = {host.name: make(host, settings, priority) for host, priority in zip(network.nodes, PRIORITIES)}
    watch = AddressWatch(network, (VIP4,), refresh=None)
    for daemon in daemons.values():
        daemon.start()
    time.sleep(60)
    memory, moves = [], 0
    for _ in range(days):
        memory.append(sum(memory_kb(pid) for each in daemons.values() for pid in all_of(each)))
        begin = time.monotonic_ns()
        time.sleep(86400 - 180)
        moves += len(watch.history(begin, time.monotonic_ns()))
        network.cut_silently(network.node("a"))
        time.sleep(30)
        network.heal_silently(network.node("a"))
        time.sleep(30)
        daemons["a"].stop()
        time.sleep(30)
        daemons["a"].start()
        time.sleep(60)
        daemons["b"].reload()
        time.sleep(30)
    memory.append(sum(memory_kb(pid) for each in daemons.values() for pid in all_of(each)))
    right = network.node("a").holds(VIP4) and not network.node("b").holds(VIP4)
    for daemon in daemons.values():
        daemon.end()
    watch.stop()
    network.close()
    case = f"{days} days, {interval_ms} ms"
    tell(case, "addresses that came or went on quiet days", count=[moves])
    tell(case, "the preferred node alone has the address at the end", count=[int(right)])
    tell(case, "memory of all processes, first and last day, kB", count=[memory[1], memory[-1]])


def all_of(daemon):
    found = [daemon.process.pid]
    for pid in found:
        found += children(pid)
    return found


def memory_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


CASES = {each.__name__: each for each in (failover, handover, reload, crash, clock, flap, loss, soak)}


def main():
    sandbox.WORK.mkdir(parents=True, exist_ok=True)
    pathlib.Path("/run/lock").mkdir(exist_ok=True)
    make = DAEMONS[sys.argv[1]]
    for text in sys.argv[2:]:
        name, _, interval = text.partition(":")
        CASES[name](make, int(interval))


if __name__ == "__main__":
    main()
