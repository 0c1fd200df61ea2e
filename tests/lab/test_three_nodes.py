#!/usr/bin/env python3
"""Three nodes: the best that is left serves, and nobody else moves."""
# timed: outages, in milliseconds
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd, active_down_interval_ms

INTERVAL_MS = 100
PRIORITIES = (250, 200, 150)


class ThreeNodes(LabCase):
    def test_the_address_goes_down_the_ranks_and_up_again(self):
        group = self.group([Vipd] * 3, RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()
        gone = []
        for leaving, taking, priority in (("a", "b", 200), ("b", "c", 150)):
            moment = group.network.cut_silently(group.host(leaving))
            gone.append(leaving)
            group.settle(taking, aside=gone)
            until = after(moment, 600)
            self.assert_outage(group, moment, until, active_down_interval_ms(INTERVAL_MS, priority) + 50)
            self.assert_moved(group, moment + 50_000_000, until, taking)
        for leaving, taking in (("c", "b"), ("b", "a")):
            moment = group.network.heal_silently(group.host(taking))
            gone.remove(taking)
            group.settle(taking, aside=gone)
            until = after(moment, 500)
            self.assert_moved(group, moment, until, leaving, taking)
            self.assertLessEqual(self.most_lost(group, moment, until), 20)

    def test_a_planned_stop_hands_over_to_the_next_best_alone(self):
        group = self.group([Vipd] * 3, RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()

        def once():
            moment = group.daemons["a"].stop()
            group.settle("b")
            until = after(moment, 600)
            self.assert_moved(group, moment, until, "a", "b")
            lost = self.most_lost(group, moment, until)
            group.daemons["a"].start()
            group.settle("a")
            return lost, moment, until

        self.measure(group, "datagrams lost to a planned stop among three", once, 5)


if __name__ == "__main__":
    main()
