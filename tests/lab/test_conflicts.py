#!/usr/bin/env python3
"""Conflicts: another host with a virtual address, and a peer that is heard one way only, are named; no take-over is."""
import json
import time

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd, prefixed
from vipdlab.network import CABLE
from vipdlab.processes import PATIENCE, wait_until

INTERVAL_MS = 100
PRIORITIES = (250, 200)


def asking(host, settings, priority):
    """Asks once a second whether anybody else has the addresses."""
    return Vipd(host, settings, priority, options={"announce": "{repeat: 2, refresh: 1s}"})


class Conflicts(LabCase):
    def pair(self, maker=Vipd):
        return self.group([maker, maker], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()

    def conflicts(self, daemon):
        return [each["conflict"] for each in daemon.routers() if each["conflict"]]

    def test_a_host_that_answers_for_a_virtual_address_is_named_with_its_mac_address(self):
        group = self.pair(asking)
        a, rogue = group.daemons["a"], group.network.observer
        begin = time.monotonic_ns()
        for address in group.settings.addresses:
            nodad = ["nodad"] if ":" in address else []
            rogue.ip("address", "add", prefixed(address), "dev", CABLE, *nodad)
        wait_until(
            lambda: len(self.conflicts(a)) == 2, PATIENCE, lambda: f"a conflict in each family\n{a.said()[-2000:]}"
        )
        for conflict in self.conflicts(a):
            self.assertEqual(conflict["mac"], rogue.mac)
        for address in group.settings.addresses:
            a.wait_event(None, "address_conflict", data=[rogue.mac, address], router="edge", severity="P0")
        for command in (("explain", "edge"), ("status",)):
            self.assertIn(rogue.mac, a.ctl(*command))
        # vipd reports it and answers it, and no state changes.
        after(begin, 3000)
        self.assertEqual(group.active(), "a")
        self.assertEqual(a.times_active(), 2)
        self.assertEqual(group.daemons["b"].events(name="address_conflict"), [])
        self.assertLessEqual(len(a.events(name="address_conflict")), 4, "a flood of events")
        lines = [line for line in a.said().splitlines() if rogue.mac in line]
        self.assertLessEqual(len(lines), 4, "the log is flooded")
        for address in group.settings.addresses:
            rogue.ip("address", "del", prefixed(address), "dev", CABLE)
        counted = [each["counters"]["address_claims"] for each in a.routers()]
        after(time.monotonic_ns(), 2500)
        later = [each["counters"]["address_claims"] for each in a.routers()]
        for before, now in zip(counted, later):
            self.assertLessEqual(now - before, 2, "claims go on without a claimant")

    def test_take_overs_are_no_conflicts(self):
        group = self.pair(asking)
        for _ in range(3):
            group.daemons["a"].stop()
            group.settle("b")
            group.daemons["a"].start()
            group.settle("a")
            group.daemons["a"].switch()
            group.settle("b")
            group.daemons["a"].ctl("switch", "edge", "--back")
            group.settle("a")
            group.network.cut_silently(group.host("a"))
            group.settle("b", aside=("a",))
            group.network.heal_silently(group.host("a"))
            group.settle("a")
        after(time.monotonic_ns(), 10 * INTERVAL_MS)
        for name, daemon in group.daemons.items():
            self.assertEqual(daemon.events(name="address_conflict"), [], name)
            self.assertEqual(daemon.events(name="one_way"), [], name)

    def test_a_peer_that_is_heard_and_does_not_hear_is_named(self):
        group = self.pair()
        a, b = group.daemons["a"], group.daemons["b"]
        group.network.deafen(group.host("b"))
        b.wait_state("Active", PATIENCE)
        peer = group.host("b").ipv4
        wait_until(
            lambda: all(each["deaf_peer"] for each in a.routers()),
            PATIENCE,
            lambda: f"a deaf peer\n{a.said()[-2000:]}",
        )
        self.assertEqual(a.routers()[0]["deaf_peer"], peer)
        of_ipv4 = next(each for each in json.loads(a.ctl("explain", "edge", "--json")) if each["family"] == "IPv4")
        self.assertTrue([sentence for sentence in of_ipv4["sentences"] if peer in sentence], of_ipv4)
        a.wait_event(None, "one_way", data=[peer, str(PRIORITIES[1])], router="edge", family="IPv4", severity="P0")
        group.network.restore()
        group.settle("a")
        wait_until(lambda: not any(each["deaf_peer"] for each in a.routers()), PATIENCE, "an end of that")


if __name__ == "__main__":
    main()
