#!/usr/bin/env python3
"""Conflicts: another host with a virtual address, and a peer that is heard one way only, are named; no take-over is."""
import time

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd, active_down_interval_ms, prefixed
from vipdlab.network import CABLE
from vipdlab.processes import wait_until

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
        wait_until(lambda: len(self.conflicts(a)) == 2, 10, lambda: f"a conflict in each family\n{a.said()[-2000:]}")
        for conflict in self.conflicts(a):
            self.assertEqual(conflict["mac"], rogue.mac)
        for address in group.settings.addresses:
            wait_until(
                lambda it=address: f"MAC address {rogue.mac} says that it has {it}" in a.said(),
                5,
                lambda: f"the event\n{a.said()[-2000:]}",
            )
        self.assertIn(f"MAC address {rogue.mac} says that it has", a.ctl("explain", "edge"))
        self.assertIn("conflict ", a.ctl("status"))
        # It is told and answered, and nobody's state changes for it.
        after(begin, 3000)
        self.assertEqual(group.active(), "a")
        self.assertEqual(a.times_active(), 2)
        self.assertNotIn("says that it has", group.daemons["b"].said())
        lines = a.said().count("says that it has")
        self.assertLessEqual(lines, 4, "the log is flooded")
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
            self.assertNotIn("says that it has", daemon.said(), name)
            self.assertNotIn("whatever this node answers", daemon.said(), name)

    def test_after_a_partition_the_survivor_announces_last(self):
        group = self.pair()
        group.quiet()
        for _ in range(5):
            group.network.cut_silently(group.host("b"))
            group.settle("a", aside=("b",))
            group.daemons["b"].wait_state("Active")
            begin = time.monotonic_ns()
            group.network.heal_silently(group.host("b"))
            group.settle("a")
            until = after(begin, 4 * INTERVAL_MS)
            # b may get a packet or two, if what it announces arrives last: for 20 ms at most.
            self.assert_outage(group, begin, until, 60)
            for address in group.settings.addresses:
                announcers = [group.network.name_of(mac) for _, mac in group.observer.announcements(address, begin, until)]
                if announcers:
                    self.assertEqual(announcers[-1], "a")

    def test_a_peer_that_is_heard_and_does_not_hear_is_named(self):
        group = self.pair()
        a, b = group.daemons["a"], group.daemons["b"]
        group.network.deafen(group.host("b"))
        b.wait_state("Active", 5)
        wait_until(
            lambda: all(each["deaf_peer"] for each in a.routers()),
            5 + active_down_interval_ms(INTERVAL_MS, PRIORITIES[1]) / 1000,
            lambda: f"a deaf peer\n{a.said()[-2000:]}",
        )
        self.assertEqual(a.routers()[0]["deaf_peer"], group.host("b").ipv4)
        self.assertIn("does not hear this node", a.ctl("explain", "edge"))
        self.assertIn(f"{group.host('b').ipv4} stays Active with priority 200, whatever this node answers", a.said())
        group.network.restore()
        group.settle("a")
        wait_until(lambda: not any(each["deaf_peer"] for each in a.routers()), 5, "an end of that")


if __name__ == "__main__":
    main()
