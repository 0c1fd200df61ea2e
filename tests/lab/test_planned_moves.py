#!/usr/bin/env python3
"""A planned move costs a client next to nothing: SIGTERM and `vipctl switch`, at 1 s and at 100 ms."""
# timed: datagrams that are lost
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd, active_down_interval_ms

MOST_LOST = 5  # of the datagrams of a client that sends 1,000 a second
LOOK_ON_MS = 700


class PlannedMoves(LabCase):
    def pair(self, interval_ms):
        # Without preemption the pair is whole again as soon as the stopped node is back, whoever is Active.
        return self.group(
            [Vipd, Vipd], RouterSettings(interval_ms=interval_ms, preempt=False), (250, 250)
        ).start_in_order("a")

    def stops(self, group, interval_ms):
        def once():
            leaving = group.active()
            taking = "b" if leaving == "a" else "a"
            moment = group.daemons[leaving].stop()
            group.settle(taking)
            until = after(moment, LOOK_ON_MS)
            self.assert_moved(group, moment, until, leaving, taking)
            self.assertFalse(
                group.host(leaving).addresses() & set(group.settings.addresses),
                f"{leaving} has left addresses behind",
            )
            group.daemons[leaving].start()
            group.settle(taking)
            return self.most_lost(group, moment, until), moment, until

        self.measure(group, f"datagrams lost to a planned stop at {interval_ms} ms", once, MOST_LOST)

    def switches(self, group, interval_ms):
        def once():
            leaving = group.active()
            taking = "b" if leaving == "a" else "a"
            moment = group.daemons[leaving].switch()
            group.settle(taking)
            until = after(moment, LOOK_ON_MS)
            self.assert_moved(group, moment, until, leaving, taking)
            return self.most_lost(group, moment, until), moment, until

        self.measure(group, f"datagrams lost to a switch at {interval_ms} ms", once, MOST_LOST)

    def moves(self, interval_ms):
        """Each leaves a pair that is whole."""
        group = self.pair(interval_ms)
        for move in (self.stops, self.switches):
            with self.subTest(move.__name__):
                move(group, interval_ms)

    def test_planned_stops_and_switches_at_1_s_lose_at_most_5_datagrams(self):
        self.moves(1000)

    def test_planned_stops_and_switches_at_100_ms_lose_at_most_5_datagrams(self):
        self.moves(100)

    def test_after_a_switch_the_preferred_node_comes_back_when_its_peer_fails_but_not_before(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=100)).start()
        moment = group.daemons["a"].switch()
        group.settle("b")
        after(moment, 1500)  # several times what a preemption would take
        group.settle("b")
        cut = group.network.cut(group.host("b"))
        group.settle("a", aside=("b",))
        self.assert_outage(group, cut, after(cut, 600), active_down_interval_ms(100, 250) + 50)


if __name__ == "__main__":
    main()
