#!/usr/bin/env python3
"""The addresses on the interface, whatever somebody else does to it: removed, deleted, left over."""
import os
import time

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd, active_down_interval_ms, prefixed
from vipdlab.network import CABLE
from vipdlab.processes import wait_until

INTERVAL_MS = 100
PRIORITIES = (250, 200)


class Addresses(LabCase):
    def pair(self, **settings):
        return self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS, **settings), PRIORITIES)

    def test_an_address_that_somebody_removes_comes_back_at_once_and_nobody_moves(self):
        group = self.pair().start()
        before = {name: each.times_active() for name, each in group.daemons.items()}
        begin = time.monotonic_ns()
        for address in group.settings.addresses:
            with self.subTest(address):

                def once(address=address):
                    moment = time.monotonic_ns()
                    group.host("a").ip("address", "del", prefixed(address), "dev", CABLE)
                    wait_until(lambda: group.host("a").holds(address), 2, f"{address} back on a")
                    until = after(moment, 300)
                    return group.client.udp(address, moment, until).outage, moment, until

                # IPv6 routes and the group of its solicitations come back with the address, a little later.
                self.measure(
                    group, f"outage after {address} was removed by hand, ms", once, 30, repetitions=3
                )
                time.sleep(1.2)  # what comes back at once does so a bounded number of times a second
        until = after(time.monotonic_ns(), 300)
        self.assertEqual(group.active(), "a")
        self.assert_moved(group, begin, until, "a")
        self.assertEqual({name: each.times_active() for name, each in group.daemons.items()}, before)

    def test_an_interface_that_is_deleted_and_comes_again_is_used_again(self):
        group = self.pair().start()
        moment = time.monotonic_ns()
        group.network.unplug(group.host("a"))
        group.daemons["a"].wait_state("Initialize")
        group.settle("b", aside=("a",))
        until = after(moment, 600)
        self.assert_outage(group, moment, until, active_down_interval_ms(INTERVAL_MS, PRIORITIES[1]) + 50)
        moment = time.monotonic_ns()
        group.network.plug(group.host("a"))
        group.settle("a")
        self.assert_outage(group, moment, after(moment, 1000), 50)

    def test_a_router_waits_for_its_interface_and_says_so(self):
        group = self.pair()
        group.network.unplug(group.host("a"))
        group.start(settle=False)
        group.daemons["b"].wait_state("Active")
        group.daemons["a"].wait_state("Initialize")
        self.assertIn(CABLE, group.daemons["a"].ctl("explain", group.settings.name))
        group.network.plug(group.host("a"))
        group.settle("a")

    def test_what_a_killed_predecessor_left_does_not_stay_on_a_backup(self):
        group = self.pair(preempt=False).start_in_order("a")
        group.daemons["a"].kill_all()
        group.settle("b")
        self.assertTrue(
            group.host("a").addresses() & set(group.settings.addresses), "nothing was left: nothing to test"
        )
        group.daemons["a"].start()
        moment = time.monotonic_ns()
        group.settle("b")
        wait_until(
            lambda: not group.host("a").addresses() & set(group.settings.addresses),
            1,
            "a without the addresses",
        )
        until = after(moment, 600)
        self.assert_moved(group, until - 300_000_000, until, "b")

    def test_what_nobody_is_in_charge_of_any_more_is_removed_at_the_next_start(self):
        group = self.pair().start()
        a = group.daemons["a"]
        other = "192.0.2.77/24"
        a.write(a.configuration(options={"dead_man": "off"}).replace("addresses: [", f"addresses: [{other}, "))
        a.reload()
        wait_until(lambda: group.host("a").holds("192.0.2.77"), 5, "the address on a")
        a.kill_all()
        group.settle("b", aside=("a",))
        self.assertTrue(group.host("a").holds("192.0.2.77"), "nobody has removed it")
        a.write(a.configuration())
        a.start()
        wait_until(lambda: not group.host("a").holds("192.0.2.77"), 5, "it is gone")
        self.assertIn(f"{other} was on {CABLE}, where an earlier vipd has left it, and is no virtual address any more; removed", a.said())

    def test_a_node_alone_that_was_killed_and_is_started_again_serves_again(self):
        group = self.group([Vipd], RouterSettings(interval_ms=INTERVAL_MS), (250,)).start()
        moment = group.daemons["a"].kill_all()
        group.daemons["a"].start()
        group.settle("a")
        until = after(moment, 1500)
        self.assert_outage(group, moment, until, active_down_interval_ms(INTERVAL_MS, 250) + 500)
        group.daemons["a"].stop()
        self.assertFalse(group.host("a").addresses() & set(group.settings.addresses))

    def test_addresses_that_are_not_ours_are_left_alone(self):
        group = self.pair()
        group.host("a").ip("address", "add", "192.0.2.77/24", "dev", CABLE)
        group.start()
        group.daemons["a"].stop()
        self.assertTrue(group.host("a").holds("192.0.2.77", group.host("a").ipv4, group.host("a").ipv6))


class Reload(LabCase):
    def test_a_virtual_router_that_a_reload_removes_serves_until_its_successor_is_heard_and_no_longer(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=1000), PRIORITIES).start()
        a, b = group.daemons["a"], group.daemons["b"]
        a.write(
            a.config_file.read_text(encoding="utf-8")
            .replace("vrid: ", "vrid: 1")
            .replace("192.0.2.10/24", "192.0.2.90/24")
            .replace("2001:db8::10/64", "2001:db8::90/64")
        )
        a.reload()
        wait_until(lambda: b.state() == "Active", 5, "b Active")
        # Well within an interval, which is how long it would serve on if nobody came.
        wait_until(
            lambda: not group.host("a").addresses() & set(group.settings.addresses), 0.5, "a has let go"
        )

    def test_a_configuration_that_cannot_be_read_without_waiting_is_refused(self):
        group = self.group([Vipd], RouterSettings(interval_ms=INTERVAL_MS), (250,)).start()
        a = group.daemons["a"]
        a.config_file.unlink()
        os.mkfifo(a.config_file)
        a.reload()
        a.process.wait_log("not a regular file")
        a.config_file.unlink()
        a.kill_router()
        moment = time.monotonic_ns()
        group.settle("a")
        self.assert_outage(group, moment, after(moment, 500), 50)

    def test_the_hosts_own_address_stays_when_a_virtual_one_of_its_subnet_goes(self):
        group = self.group([Vipd], RouterSettings(interval_ms=INTERVAL_MS), (250,))
        a = group.daemons["a"]
        a.write(a.config_file.read_text(encoding="utf-8").replace("192.0.2.10/24", "198.51.100.10/24"))
        a.start()
        wait_until(lambda: group.host("a").holds("198.51.100.10"), 5, "the virtual address")
        group.host("a").ip("address", "add", "198.51.100.5/24", "dev", CABLE)
        a.stop()
        self.assertFalse(group.host("a").holds("198.51.100.10"))
        self.assertTrue(group.host("a").holds("198.51.100.5"))

    def test_a_reload_moves_nothing_that_has_not_changed_and_refuses_what_is_wrong(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()
        a = group.daemons["a"]
        good = a.config_file.read_text(encoding="utf-8")
        group.quiet()
        begin = time.monotonic_ns()
        a.reload()
        after(time.monotonic_ns(), 500)
        position = len(a.log())
        a.write(good.replace("priority: 250", "priorty: 100"))
        a.reload()
        a.process.wait_log("priorty", since=position)
        until = after(time.monotonic_ns(), 500)
        self.assert_moved(group, begin, until, "a")
        self.assertLessEqual(self.most_lost(group, begin, until), 5)
        for address in group.settings.addresses:
            self.assertEqual(
                group.observer.announcements(address, begin, until), [], "announced again for nothing"
            )
        a.write(good.replace("priority: 250", "priority: 100"))
        a.reload()
        group.settle("b")
        a.write(good)
        a.reload()
        group.settle("a")


if __name__ == "__main__":
    main()
