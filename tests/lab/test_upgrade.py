#!/usr/bin/env python3
"""vipctl upgrade: the running program is replaced by the installed one, and nobody notices. What is refused, and what is
as before: test_upgrade_facts.py."""
# timed: the longest gap between advertisements, and datagrams that are lost
import functools
import os
import time

from vipdlab import packets
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import OwnVipd, RouterSettings, Vipd
from vipdlab.network import VIP4, VIP6

PRIORITIES = (250, 200)
# How often it is done in the loop; the figure in the manual is of fifty.
LOOPS = int(os.environ.get("VIPD_LAB_LOOPS", "8"))
CHECK = """
alive:
  script: [/bin/sleep, "0.01"]
  user: root
  interval: 100ms
"""


class Upgrade(LabCase):
    def upgraded_again_and_again(self, interval_ms):
        settings = RouterSettings(interval_ms=interval_ms, addresses=(VIP4, VIP6))
        group = self.group([functools.partial(OwnVipd, checks=CHECK), Vipd], settings, PRIORITIES).start()
        a, b = group.daemons["a"], group.daemons["b"]
        before = b.times_active()
        since = a.times_active()

        def once():
            capture = packets.Capture(group.network.observer)
            moment = time.monotonic_ns()
            for _ in range(LOOPS):
                programs = a.programs()
                a.install_anew()
                answer = a.upgrade()
                self.assertEqual(answer["changed"], [])
                now = a.programs()
                self.assertEqual(now["guardian"], programs["guardian"])
                self.assertNotEqual(now["router"], programs["router"])
                self.assertNotEqual(now["monitor"], programs["monitor"])
            until = after(moment, max(6 * interval_ms, (time.monotonic_ns() - moment) / 1e6 + 300))
            capture.stop()
            self.assert_moved(group, moment, until, "a")
            gap, lost = self.longest_gap_ms(capture, group.host("a")), self.most_lost(group, moment, until)
            print(f"    longest gap between advertisements {gap:.1f} ms, {lost} datagrams lost", flush=True)
            return max(gap / interval_ms, 1.5 + lost if lost else 0), moment, until

        what = f"{LOOPS} upgrades at {interval_ms} ms: longest gap, in intervals"
        self.measure(group, what, once, 1.5 + 10 / interval_ms, 1, of=max)
        self.assertEqual(b.times_active(), before, "the peer has taken over in between")
        self.assertEqual(a.times_active(), since, "it has become Active anew")
        self.assertEqual(a.status()["programs"]["router"]["restarts"], 0, "an upgrade is no failure")
        group.close()

    def test_nobody_notices_an_upgrade_at_100_ms(self):
        self.upgraded_again_and_again(100)

    def test_nobody_notices_an_upgrade_at_1_s(self):
        self.upgraded_again_and_again(1000)


if __name__ == "__main__":
    main()
