#!/usr/bin/env python3
"""The lease in the kernel: nobody answers for an address when all of vipd is dead, stopped or frozen. Beside keepalived,
which has none.

VIPD_LEASE_RUNS is how often each fault is tried; ./dev lease sets it.
"""
import contextlib
import os
import time

from vipdlab.case import after, main
from vipdlab.daemons import Keepalived, active_down_interval_ms
from vipdlab.lease import PRIORITIES, Freeze, Kill, LeaseCase, Stop
from vipdlab.network import VIP4
from vipdlab.processes import PATIENCE, wait_until

RUNS = int(os.environ.get("VIPD_LEASE_RUNS", "0"))


class Lease(LeaseCase):
    def falls_silent(self, group, fault, interval_ms):
        """Both nodes in turn."""
        take_over = active_down_interval_ms(interval_ms, min(PRIORITIES))
        outages = []

        def once():
            node = wait_until(group.active, PATIENCE, "an Active")
            other = "b" if node == "a" else "a"
            group.settle(node)
            group.quiet()
            moment = fault.strike(group.daemons[node])
            until = after(moment, take_over + 1000)
            double = self.double(group, moment, until)
            outages.append(self.worst_outage(group, moment, until))
            self.assertEqual(self.answering(group, until - 200_000_000, until), {other})
            self.assertTrue(group.host(node).holds(VIP4), "the address itself is gone")
            mark, back = group.daemons[node].mark(), time.monotonic_ns()
            fault.undo(group.daemons[node])
            silent = after(back, 600)
            self.assertEqual(self.answering(group, back, silent), {other}, "it answers before it has listened")
            group.daemons[node].wait_state("Backup")
            self.assertEqual(group.daemons[node].events(mark, "held"), [], "the guardian has not listened")
            return double, moment, until

        what = f"{fault.what} at {interval_ms} ms: two nodes answer, ms"
        self.measure(group, what, once, 0, RUNS or (2 if interval_ms == 100 else 1), of=max)
        print(f"    outages {[round(each) for each in outages]} ms", flush=True)

    def all_faults(self, interval_ms):
        """One after the other, as each leaves a node that is back, and a Backup."""
        group = self.lasting_pair(interval_ms)
        for make in (Kill, Stop, Freeze):
            with self.subTest(make.what):
                try:
                    fault = make()
                except OSError as error:
                    self.skipTest(str(error))
                try:
                    self.falls_silent(group, fault, interval_ms)
                finally:
                    fault.close()

    def test_two_nodes_never_answer_when_all_of_vipd_is_killed_stopped_or_frozen_at_100_ms(self):
        self.all_faults(100)

    def test_two_nodes_never_answer_when_all_of_vipd_is_killed_stopped_or_frozen_at_1_s(self):
        self.all_faults(1000)

    def test_keepalived_answers_without_end(self):
        group = self.pair(100, (Keepalived, Keepalived))
        faults = [Stop(), Kill()]
        with contextlib.suppress(OSError):
            faults.insert(0, Freeze())
        for fault in faults:
            group.settle("a")
            moment = fault.strike(group.daemons["a"])
            until = after(moment, 2500)
            double = self.double(group, moment, until)
            print(f"    keepalived, {fault.what} at 100 ms: two nodes answer for {double:.0f} ms of 2500 observed")
            self.assertGreater(double, 1500)
            fault.undo(group.daemons["a"])
            group.daemons["a"].wait_state("Active")
            fault.close()

if __name__ == "__main__":
    main(needs_kernel=True)
