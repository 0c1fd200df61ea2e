#!/usr/bin/env python3
"""The laboratory measures right: with keepalived, whose figures are known, it finds them again."""
# timed: outages, in milliseconds
import statistics

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import Keepalived, RouterSettings, active_down_interval_ms, skew_time_ms


class KeepalivedBaseline(LabCase):
    def test_a_planned_stop_of_keepalived_costs_one_skew_time(self):
        group = self.group([Keepalived, Keepalived], RouterSettings(interval_ms=1000), (200, 100)).start()
        moment = group.daemons["a"].stop()
        until = after(moment, 1500)
        for address in group.settings.addresses:
            outage = group.client.udp(address, moment, until)
            print(f"{address}: outage {outage.outage:.1f} ms, lost {outage.lost}, {outage.nodes}")
            self.assertAlmostEqual(outage.outage, skew_time_ms(1000, 100), delta=25)
            self.assertEqual(outage.nodes[-1], "b")

    def test_a_silent_cut_costs_up_to_one_active_down_interval(self):
        group = self.group([Keepalived, Keepalived], RouterSettings(interval_ms=100), (200, 100)).start()
        outages = []
        for _ in range(3):
            moment = group.network.cut_silently(group.host("a"))
            until = after(moment, 800)
            outages += [
                group.client.udp(address, moment, until).outage for address in group.settings.addresses
            ]
            group.network.heal_silently(group.host("a"))
            group.settle("a")
        print("outages", [round(each, 1) for each in outages])
        limit = active_down_interval_ms(100, 100)
        self.assertLessEqual(statistics.median(outages), limit + 10)
        self.assertGreaterEqual(statistics.median(outages), limit - 100 - 10)

    def test_two_nodes_answer_after_all_of_keepalived_was_killed(self):
        group = self.group([Keepalived, Keepalived], RouterSettings(interval_ms=100), (200, 100)).start()
        moment = group.daemons["a"].kill_all()
        until = after(moment, 1500)
        for address in group.settings.addresses:
            both = group.observer.two_repliers(address, moment, until)
            print(f"{address}: two repliers for {both:.0f} ms")
            self.assertGreater(both, 900)
        self.assertTrue(group.host("a").holds(*group.settings.addresses))
        self.assertTrue(group.host("b").holds(*group.settings.addresses))


if __name__ == "__main__":
    main()
