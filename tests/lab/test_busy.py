#!/usr/bin/env python3
"""A machine that is too busy: no node takes over from a healthy one, with the settings that vipd comes with."""
# timed: take-overs from a node that is short of processor time
import os

from vipdlab.case import LabCase, main
from vipdlab.many import ManyVipd, false_take_overs, many

# The figure in the manual is of 30 seconds; bench/busy_loops.py has it, beside keepalived.
SECONDS = float(os.environ.get("VIPD_LAB_SECONDS", "8"))
ROUTERS, INTERVAL_MS, LOOPS = 50, 10, 8


class Busy(LabCase):
    def test_nobody_takes_over_from_a_node_that_is_short_of_processor_time(self):
        makers, settings = many(ManyVipd, ROUTERS, INTERVAL_MS)
        group = self.group(makers, settings, (250, 200)).start()
        what = f"take-overs of {ROUTERS} virtual routers at {INTERVAL_MS} ms under {LOOPS} busy loops in {SECONDS:g} s"
        self.measure(group, what, lambda: false_take_overs(group, LOOPS, SECONDS), 0, 1, of=max)
        group.settle("a")


if __name__ == "__main__":
    main(needs_kernel=True)
