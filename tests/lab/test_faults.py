#!/usr/bin/env python3
"""What a client sees of faults of the network and of the processes: two nodes, advertisements every 100 ms."""
# timed: outages, in milliseconds
import resource
import time

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd, active_down_interval_ms
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import alive, wait_until

INTERVAL_MS = 100
PRIORITIES = (250, 200)
TAKE_OVER_MS = active_down_interval_ms(INTERVAL_MS, PRIORITIES[1])
MARGIN_MS = 10


class Faults(LabCase):
    def pair(self, **settings):
        return self.group(
            [Vipd, Vipd], RouterSettings(**{"interval_ms": INTERVAL_MS, **settings}), PRIORITIES
        ).start()

    def cuts(self, group, cut, heal, what):
        def once():
            moment = cut(group.host("a"))
            group.settle("b", aside=("a",))
            until = after(moment, 600)
            outage = self.worst_outage(group, moment, until)
            self.assert_moved(group, moment + 50_000_000, until, "b")
            heal(group.host("a"))
            group.settle("a")
            return outage, moment, until

        self.measure(group, what, once, TAKE_OVER_MS + MARGIN_MS)

    def test_a_pulled_cable_costs_at_most_an_active_down_interval(self):
        group = self.pair()
        self.cuts(group, group.network.cut, group.network.heal, "outage of a pulled cable, ms")

    def test_a_switch_that_forwards_nothing_costs_at_most_an_active_down_interval(self):
        group = self.pair()
        self.cuts(
            group, group.network.cut_silently, group.network.heal_silently, "outage of a silent cut, ms"
        )

    def test_each_family_works_without_the_other(self):
        for address in (VIP4, VIP6):
            with self.subTest(address):
                group = self.pair(addresses=(address,))
                moment = group.network.cut_silently(group.host("a"))
                group.settle("b", aside=("a",))
                self.assert_outage(group, moment, after(moment, 500), TAKE_OVER_MS + 50)
                group.close()

    def test_the_return_of_the_preferred_node_is_not_felt(self):
        group = self.pair()

        def once():
            cut = group.network.cut(group.host("a"))
            group.settle("b", aside=("a",))
            after(cut, 700)
            moment = group.network.heal(group.host("a"))
            group.settle("a")
            until = after(moment, 1200)
            self.assert_moved(group, moment, until, "b", "a")
            return self.most_lost(group, moment, until), moment, until

        self.measure(group, "datagrams lost to the return of the preferred node", once, 5)

    def test_a_node_that_nobody_hears_does_not_keep_the_address_for_itself(self):
        # It hears the peer that takes over, and gives way only to a better one: both are Active, one is served.
        group = self.pair()
        moment = group.network.mute(group.host("a"))
        group.daemons["b"].wait_state("Active")
        until = after(moment, 600)
        self.assert_outage(group, moment, until, TAKE_OVER_MS + 50)
        group.network.restore()
        group.settle("a")

    def test_when_two_nodes_that_were_cut_off_meet_again_the_client_is_with_the_one_that_stays(self):
        # Whoever advertises first: the client has learnt from the one that gives way, and must be told.
        group = self.pair()
        phase_ms = iter(range(0, 1000, 17))

        def once():
            cut = group.network.cut_silently(group.host("a"))
            group.settle("b", aside=("a",))
            self.assertEqual(group.daemons["a"].state(), "Active")  # it does not know
            group.quiet()
            after(time.monotonic_ns(), next(phase_ms))
            moment = group.network.heal_silently(group.host("a"))
            group.settle("a")
            until = after(moment, 800)
            for address in group.settings.addresses:
                announced = group.observer.announcements(address, moment, until)
                self.assertIn(
                    "a",
                    [group.network.name_of(mac) for _, mac in announced],
                    f"{address} was not announced by the winner",
                )
                self.assertLessEqual(
                    group.observer.two_repliers(address, moment, until), INTERVAL_MS + 20, address
                )
            return self.worst_outage(group, moment, until), moment, until

        self.measure(group, "outage when two Actives meet, ms", once, INTERVAL_MS, repetitions=4, of=max)

    def killed_routers(self, interval_ms):
        group = self.pair(interval_ms=interval_ms)
        before = group.daemons["b"].times_active()  # it may have been first at the start

        def once():
            old = group.daemons["a"].child("vipd-router")
            moment = group.daemons["a"].kill_router()
            wait_until(
                lambda: group.daemons["a"].child("vipd-router") not in (None, old), 10, "a new router process"
            )
            self.assertFalse(alive(old))
            group.settle("a")
            until = after(moment, 4 * interval_ms + 300)
            self.assert_moved(group, moment, until, "a")
            for address in group.settings.addresses:
                macs = {mac for _, each in group.observer.repliers(address, moment, until) for mac in each}
                self.assertEqual({group.network.name_of(mac) for mac in macs}, {"a"})
            return self.most_lost(group, moment, until), moment, until

        self.measure(
            group,
            f"datagrams lost to the death of the router process at {interval_ms} ms",
            once,
            0,
            of=max,
        )
        self.assertEqual(group.daemons["b"].times_active(), before, "the peer has taken over in between")

    def test_nobody_notices_the_death_of_the_router_process_at_100_ms(self):
        self.killed_routers(100)

    def test_nobody_notices_the_death_of_the_router_process_at_1_s(self):
        self.killed_routers(1000)

    def test_nobody_notices_that_the_router_has_no_descriptors_left_when_its_monitor_is_replaced(self):
        group = self.pair()
        a = group.daemons["a"]
        router, monitor = a.child("vipd-router"), a.child("vipd-monitor")
        hard = resource.prlimit(router, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(router, resource.RLIMIT_NOFILE, (3, hard))
        moment = a.kill_monitor()
        wait_until(lambda: a.child("vipd-monitor") not in (None, monitor), 10, "a new monitor process")
        group.settle("a")
        until = after(moment, 1000)
        self.assert_moved(group, moment, until, "a")
        self.assert_outage(group, moment, until, 20)

    def test_when_all_processes_are_killed_the_peer_takes_over_and_the_dead_node_loses_the_address(self):
        group = self.pair()

        def once():
            moment = group.daemons["a"].kill_all()
            group.settle("b")
            wait_until(
                lambda: not group.host("a").addresses() & set(group.settings.addresses),
                4.0 - (time.monotonic_ns() - moment) / 1e9,
                "the addresses off the dead a, 4 s after its death",
            )
            until = after(time.monotonic_ns(), 200)
            taken = []
            for address in group.settings.addresses:
                announced = [
                    seen
                    for seen, mac in group.observer.announcements(address, moment, until)
                    if group.network.name_of(mac) == "b"
                ]
                self.assertTrue(announced, f"b has not announced {address}")
                taken.append((announced[0] - moment) / 1e6)
                both = group.observer.two_repliers(address, moment, until)
                print(
                    f"    {address}: b has it after {taken[-1]:.0f} ms; two repliers for {both:.0f} ms",
                    flush=True,
                )
            group.daemons["a"].start()
            group.settle("a")
            return max(taken), moment, until

        self.measure(
            group,
            "take-over after the death of all processes, ms",
            once,
            TAKE_OVER_MS + MARGIN_MS,
        )


if __name__ == "__main__":
    main()
