#!/usr/bin/env python3
"""The addresses on the interface: what is left over goes, what is not ours stays. What a client notices:
test_unnoticed.py."""
import functools
import time

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import CABLE
from vipdlab.processes import PATIENCE, wait_until

INTERVAL_MS = 100
PRIORITIES = (250, 200)


class Addresses(LabCase):
    def pair(self, **settings):
        return self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS, **settings), PRIORITIES)

    def test_a_router_waits_for_its_interface_and_says_so(self):
        group = self.pair()
        group.network.unplug(group.host("a"))
        group.start(settle=False)
        group.daemons["b"].wait_state("Active")
        group.daemons["a"].wait_state("Initialize")
        for each in group.daemons["a"].routers():
            self.assertTrue([obstacle for obstacle in each["obstacles"] if CABLE in obstacle], each)
        self.assertIn(CABLE, group.daemons["a"].ctl("explain", group.settings.name))
        group.network.plug(group.host("a"))
        group.settle("a")

    def test_what_a_killed_predecessor_left_does_not_stay_on_a_backup(self):
        # Without a lifetime, so that the next vipd alone can have removed it.
        makers = [functools.partial(Vipd, options={"dead_man": "off"}), Vipd]
        settings = RouterSettings(interval_ms=INTERVAL_MS, preempt=False)
        group = self.group(makers, settings, PRIORITIES).start_in_order("a")
        group.daemons["a"].kill_all()
        group.settle("b")
        self.assertTrue(
            group.host("a").addresses() & set(group.settings.addresses), "nothing was left: nothing to test"
        )
        group.daemons["a"].start()
        group.settle("b")
        wait_until(
            lambda: not group.host("a").addresses() & set(group.settings.addresses),
            PATIENCE,
            "a without the addresses",
        )
        moment = time.monotonic_ns()
        self.assert_moved(group, moment, after(moment, 300), "b")

    def test_what_nobody_is_in_charge_of_any_more_is_removed_at_the_next_start(self):
        group = self.pair().start()
        a = group.daemons["a"]
        other = "192.0.2.77/24"
        a.write(a.configuration(options={"dead_man": "off"}).replace("addresses: [", f"addresses: [{other}, "))
        a.reload()
        wait_until(lambda: group.host("a").holds("192.0.2.77"), PATIENCE, "the address on a")
        a.kill_all()
        group.settle("b", aside=("a",))
        self.assertTrue(group.host("a").holds("192.0.2.77"), "nobody has removed it")
        a.write(a.configuration())
        a.start()
        wait_until(lambda: not group.host("a").holds("192.0.2.77"), PATIENCE, "it is gone")
        a.wait_event(None, "leftover_removed", address=other, interface=CABLE, severity="P1")

    def test_addresses_that_are_not_ours_are_left_alone(self):
        group = self.pair()
        group.host("a").ip("address", "add", "192.0.2.77/24", "dev", CABLE)
        group.start()
        group.daemons["a"].stop()
        self.assertTrue(group.host("a").holds("192.0.2.77", group.host("a").ipv4, group.host("a").ipv6))


class Reload(LabCase):
    def test_the_hosts_own_address_stays_when_a_virtual_one_of_its_subnet_goes(self):
        group = self.group([Vipd], RouterSettings(interval_ms=INTERVAL_MS), (250,))
        a = group.daemons["a"]
        a.write(a.config_file.read_text(encoding="utf-8").replace("192.0.2.10/24", "198.51.100.10/24"))
        a.start()
        wait_until(lambda: group.host("a").holds("198.51.100.10"), PATIENCE, "the virtual address")
        group.host("a").ip("address", "add", "198.51.100.5/24", "dev", CABLE)
        a.stop()
        self.assertFalse(group.host("a").holds("198.51.100.10"))
        self.assertTrue(group.host("a").holds("198.51.100.5"))


if __name__ == "__main__":
    main()
