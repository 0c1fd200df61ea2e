#!/usr/bin/env python3
"""A program of vipd that ends or hangs is replaced, and no virtual router moves. What a client notices: test_hold.py."""
import os
import signal
import time

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.processes import PATIENCE, alive, send_signal, wait_until


class Programs(LabCase):
    def pair(self):
        return self.group([Vipd, Vipd], RouterSettings(interval_ms=100), (250, 200)).start()

    def test_a_router_that_somebody_ends_hands_over_and_its_successor_lives(self):
        group = self.pair()
        a = group.daemons["a"]
        mark = a.mark()
        os.kill(a.child("vipd-router"), signal.SIGTERM)
        a.wait_event(mark, "program_restarted", program="vipd-router")
        group.settle("a")
        router = a.child("vipd-router")
        time.sleep(11)  # the time that an end may take
        self.assertEqual(a.child("vipd-router"), router)
        self.assertEqual(len(a.events(mark, "program_restarted")), 1)

    def test_a_monitor_that_hangs_is_replaced_and_nothing_moves(self):
        group = self.pair()
        before = group.daemons["b"].times_active()
        old = group.daemons["a"].child("vipd-monitor")
        moment = time.monotonic_ns()
        send_signal(old, signal.SIGSTOP)
        wait_until(
            lambda: group.daemons["a"].child("vipd-monitor") not in (None, old), PATIENCE, "a new monitor process"
        )
        self.assertFalse(alive(old))
        group.settle("a")
        self.assert_moved(group, moment, after(time.monotonic_ns(), 300), "a")
        self.assertEqual(group.daemons["b"].times_active(), before)

    def test_a_monitor_that_dies_is_replaced_and_nothing_moves(self):
        group = self.pair()
        before = group.daemons["b"].times_active()
        old = group.daemons["a"].child("vipd-monitor")
        moment = group.daemons["a"].kill_monitor()
        wait_until(
            lambda: group.daemons["a"].child("vipd-monitor") not in (None, old), PATIENCE, "a new monitor process"
        )
        group.settle("a")
        until = after(moment, 1000)
        self.assert_moved(group, moment, until, "a")
        self.assertEqual(group.daemons["b"].times_active(), before)


if __name__ == "__main__":
    main()
