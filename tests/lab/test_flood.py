#!/usr/bin/env python3
"""Floods of malformed and forged advertisements: no state changes, adverts stay on time, little CPU is used.

keepalived is flooded in the same way in the same run; the table at the end has both.
"""
# timed: the longest gap between advertisements, processor time
import os
import pathlib
import time

from vipdlab import packets, probe
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import Keepalived, RouterSettings, Vipd
from vipdlab.network import CABLE, VIP4, VIP6
from vipdlab.processes import descendants

INTERVAL_MS = 100
PRIORITIES = (250, 200)
RATE = 100_000
SECONDS = 3
FAREWELL_RATE = 20_000
# Of the rate, for the comparison to count: the machine may have other things to do.
LEAST_SENT = 0.3


def malformed():
    good = (
        packets.Advertisement("192.0.2.254", (VIP4,)),
        packets.Advertisement("fe80::fe", (VIP6,)),
    )
    return [advertisement for each in good for advertisement, _ in packets.wrong(each).values()]


def inferior():
    """Valid in every field, by fifty senders of a low priority: each could be an Active that hears nobody."""
    return [
        packets.Advertisement(source, (vip,), priority=1)
        for number in range(150, 200)
        for source, vip in ((f"192.0.2.{number}", VIP4), (f"fe80::{number:x}", VIP6))
    ]


FLOODS = {"malformed": malformed, "inferior": inferior}


def cpu_seconds(daemon):
    """Of all its processes so far."""
    total = 0
    for pid in [daemon.process.pid, *descendants(daemon.process.pid)]:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


class Flood(LabCase):
    results = {}

    @classmethod
    def tearDownClass(cls):
        print(f"\n    {'':24}{'sent a second':>14}{'CPU of a':>10}{'CPU of b':>10}{'longest gap':>13}{'log lines':>11}")
        for (kind, flood), (rate, cpu, gap, lines) in cls.results.items():
            print(
                f"    {kind + ', ' + flood:24}{rate:14.0f}{cpu['a']:9.1%} {cpu['b']:9.1%} {gap:10.0f} ms{lines:11}"
            )

    def flood(self, group, advertisements):
        """Sends for SECONDS. Returns (a second, CPU share of each daemon, the longest gap of a's advertisements)."""
        observer = group.network.observer
        frames = "".join(each.frame(observer.mac).hex() + "\n" for each in advertisements)
        a = group.host("a")
        capture = packets.Capture(
            group.network.client, "flood", f"proto 112 and src {a.ipv4} or ip6 proto 112 and ether src {a.mac}"
        )
        before = {name: cpu_seconds(daemon) for name, daemon in group.daemons.items()}
        begin = time.monotonic()
        sent = observer.run(
            probe.build_directory() / "lab_probe", "flood", CABLE, RATE, 1000 * SECONDS, text=frames, timeout=60
        )
        time.sleep(0.2)
        took = time.monotonic() - begin
        cpu = {name: (cpu_seconds(daemon) - before[name]) / took for name, daemon in group.daemons.items()}
        capture.stop()
        gaps = []
        for family in ("ip", "ipv6"):
            times = [float(row[0]) for row in capture.tshark(f"vrrp && {family}", "frame.time_epoch")]
            gaps += [second - first for first, second in zip(times, times[1:])]
        self.assertGreater(len(gaps), SECONDS * 1000 / INTERVAL_MS, "advertisements of a in the capture")
        return int(sent) / SECONDS, cpu, 1000 * max(gaps)

    @staticmethod
    def times_active(group):
        return sum(each.times_active() for each in group.daemons.values() if isinstance(each, Vipd))

    def one(self, maker, name):
        group = self.group([maker, maker], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES, udp_rate=100)
        group.start()
        begin = time.monotonic_ns()
        active = self.times_active(group)
        lines = sum(len(daemon.log().splitlines()) for daemon in group.daemons.values())
        rate, cpu, gap = self.flood(group, FLOODS[name]())
        lines = sum(len(daemon.log().splitlines()) for daemon in group.daemons.values()) - lines
        self.results[maker.kind, name] = rate, cpu, gap, lines
        return group, begin, cpu, gap, rate, active

    def undisturbed(self, name):
        """Vipd under a flood; once more if something happened while the machine stood still for an interval."""
        for attempts_left in (2, 1, 0):
            group, begin, cpu, gap, rate, active = self.one(Vipd, name)
            stall = group.client.longest_stall(begin, time.monotonic_ns())
            moved = self.times_active(group) != active
            if not attempts_left or stall < INTERVAL_MS or not (moved or gap >= 2 * INTERVAL_MS):
                break
            print(f"    {name}: repeated, because the machine stood still for {stall:.0f} ms")
            group.close()
        logs = "\n".join(f"--- {node}\n{daemon.said()[-3000:]}" for node, daemon in group.daemons.items())
        self.assertFalse(moved, f"somebody became Active; longest stall of the machine {stall:.0f} ms\n{logs}")
        self.assertEqual(group.active(), "a")
        self.assertLess(gap, 2 * INTERVAL_MS, "an advertisement was late by an interval")
        group.close()
        return cpu, rate

    def test_a_farewell_is_heard_under_a_flood_and_nothing_is_lost(self):
        # Long enough that a stopped node does not go on serving until the other one has missed it.
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=300), PRIORITIES).start()
        group.quiet()
        observer = group.network.observer
        flood = (probe.build_directory() / "lab_probe", "flood", CABLE, FAREWELL_RATE, 1000)
        for name, advertisements in FLOODS.items():
            with self.subTest(name):
                frames = "".join(each.frame(observer.mac).hex() + "\n" for each in advertisements())
                observer.run(*flood, text=frames, timeout=60)

                def once(frames=frames):
                    observer.run(*flood, text=frames, timeout=60)
                    moment = group.daemons["a"].stop()
                    until = after(moment, 500)
                    lost = self.most_lost(group, moment, until)
                    group.daemons["a"].start()
                    group.settle("a")
                    return lost, moment, until

                self.measure(group, f"{name}: datagrams lost at a planned stop", once, 3, 2, of=max)

    def compare(self, name):
        cpu, rate = self.undisturbed(name)
        _, _, other, _, other_rate, _ = self.one(Keepalived, name)
        if min(rate, other_rate) < LEAST_SENT * RATE:
            print(f"    {name}: only {rate:.0f} and {other_rate:.0f} a second could be sent: no comparison")
            return
        for node in ("a", "b"):
            self.assertLess(cpu[node] / rate, other[node] / other_rate, f"CPU a packet on {node}, to keepalived's")

    def test_malformed(self):
        self.compare("malformed")

    def test_inferior(self):
        self.compare("inferior")


if __name__ == "__main__":
    main()
