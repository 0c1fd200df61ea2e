#!/usr/bin/env python3
"""The guardian in the router's place: killed, stopped, again and again, and one that never comes back."""
# timed: the longest gap between advertisements, and datagrams that are lost
import math
import os
import resource
import signal
import time

from vipdlab import packets
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import OwnVipd, RouterSettings, Vipd, active_down_interval_ms
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import alive, children, command_of, send_signal, wait_until

PRIORITIES = (250, 200)
# How often the router is killed in the loop; the figure in the manual is of a hundred.
LOOPS = int(os.environ.get("VIPD_LAB_LOOPS", "6"))


class Hold(LabCase):
    def pair(self, interval_ms=100, makers=(Vipd, Vipd)):
        settings = RouterSettings(interval_ms=interval_ms, addresses=(VIP4, VIP6))
        return self.group(list(makers), settings, PRIORITIES).start()

    def unnoticed(self, group, what, deed):
        """deed(group) -> until when to look; the client loses nothing, the peer hears no gap, nobody moves."""
        interval_ms = group.settings.interval_ms

        def once():
            before = group.daemons["b"].times_active()
            capture = packets.Capture(group.network.observer)
            moment = time.monotonic_ns()
            deed(group)
            until = after(moment, max(6 * interval_ms, (time.monotonic_ns() - moment) / 1e6))
            capture.stop()
            gap = self.longest_gap_ms(capture, group.host("a"))
            lost = self.most_lost(group, moment, until)
            if group.daemons["b"].times_active() != before:
                print(f"    {what}: the peer has taken over, after a gap of {gap:.1f} ms", flush=True)
                group.settle("a")
                return math.inf, moment, until
            self.assert_moved(group, moment, until, "a")
            print(f"    {what}: longest gap between advertisements {gap:.1f} ms, {lost} datagrams lost", flush=True)
            # In intervals, and one for each datagram lost: what is measured is the worse of both.
            return max(gap / interval_ms, 1.5 + lost if lost else 0), moment, until

        what = f"{what} at {interval_ms} ms"
        with self.subTest(what):
            self.measure(group, f"{what}: longest gap, in intervals", once, 1.5 + 10 / interval_ms, 1)

    def stopped_and_continued(self, group):
        router = group.daemons["a"].child("vipd-router")
        for pause in (50, 200, 400, 700):
            send_signal(router, signal.SIGSTOP)
            after(time.monotonic_ns(), pause)
            send_signal(router, signal.SIGCONT)
            after(time.monotonic_ns(), 300)
        self.assertEqual(group.daemons["a"].child("vipd-router"), router, "it was replaced without need")
        return time.monotonic_ns()

    def stopped_for_good(self, group):
        old = group.daemons["a"].child("vipd-router")
        send_signal(old, signal.SIGSTOP)
        wait_until(
            lambda: group.daemons["a"].child("vipd-router") not in (None, old), 10, "a new router process"
        )
        self.assertFalse(alive(old))
        group.settle("a")
        return after(time.monotonic_ns(), 1000)

    def killed_again_and_again(self, group):
        for _ in range(LOOPS):
            old = group.daemons["a"].child("vipd-router")
            group.daemons["a"].kill_router()
            wait_until(
                lambda o=old: group.daemons["a"].child("vipd-router") not in (None, o), 10, "a new router process"
            )
            after(time.monotonic_ns(), 150)
        group.settle("a")
        return after(time.monotonic_ns(), 300)

    def killed_while_no_descriptor_is_left(self, group):
        guardian = group.daemons["a"].process.pid
        old = group.daemons["a"].child("vipd-router")
        limits = resource.prlimit(guardian, resource.RLIMIT_NOFILE)
        resource.prlimit(guardian, resource.RLIMIT_NOFILE, (3, limits[1]))
        group.daemons["a"].kill_router()
        after(time.monotonic_ns(), 1500)
        self.assertIsNone(group.daemons["a"].child("vipd-router"), "one was started without descriptors")
        resource.prlimit(guardian, resource.RLIMIT_NOFILE, limits)
        wait_until(
            lambda: group.daemons["a"].child("vipd-router") not in (None, old), 10, "a new router process"
        )
        group.settle("a")
        return after(time.monotonic_ns(), 300)

    def stopped_and_hanging(self, group):
        """A router that stands still for a moment goes on as if nothing had been; one that hangs is replaced."""
        self.unnoticed(group, "stopped for a moment", self.stopped_and_continued)
        self.unnoticed(group, "a hanging router", self.stopped_for_good)

    def test_nobody_notices_a_router_that_stands_still_hangs_or_is_killed_again_and_again_at_100_ms(self):
        # One after the other: each ends with a group that is as it was.
        group = self.pair(100)
        self.stopped_and_hanging(group)
        self.unnoticed(group, f"the router killed {LOOPS} times", self.killed_again_and_again)
        # The guardian holds for the router until it can start another.
        self.unnoticed(group, "killed while no descriptor is left", self.killed_while_no_descriptor_is_left)

    def test_nobody_notices_a_router_that_stands_still_or_hangs_at_1_s(self):
        self.stopped_and_hanging(self.pair(1000))

    def test_when_the_guardian_is_killed_the_others_hand_over_and_end(self):
        group = self.pair()
        guardian = group.daemons["a"].process.pid
        programs = [pid for pid in children(guardian) if command_of(pid).startswith("vipd-")]
        self.assertEqual(len(programs), 2)

        moment = time.monotonic_ns()
        send_signal(guardian, signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in programs), 5, "the end of the router and the monitor")
        group.settle("b")
        until = after(moment, 1000)
        self.assert_moved(group, moment, until, "a", "b")
        self.assertLessEqual(self.most_lost(group, moment, until), 5)
        self.assertFalse(group.host("a").addresses() & {VIP4, VIP6})

    def test_a_router_that_cannot_be_started_any_more_ends_in_a_handover(self):
        group = self.group(
            [OwnVipd, Vipd], RouterSettings(interval_ms=100, addresses=(VIP4, VIP6)), PRIORITIES
        ).start()
        group.daemons["a"].install("vipd-router", b"#!/bin/sh\nexit 1\n")
        moment = group.daemons["a"].kill_router()
        group.settle("b", aside=("a",), served=False)
        held_for = (time.monotonic_ns() - moment) / 1e9
        wait_until(lambda: not group.host("a").addresses() & {VIP4, VIP6}, 5, "a without the addresses")
        until = after(time.monotonic_ns(), 500)
        self.assertGreater(held_for, 9, "the guardian holds for ten seconds")
        self.assert_moved(group, moment, until, "a", "b")
        self.assert_outage(group, moment, until, active_down_interval_ms(100, PRIORITIES[1]))
        group.daemons["a"].wait_event(None, "given_up", severity="P0")


if __name__ == "__main__":
    main()
