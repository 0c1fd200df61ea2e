#!/usr/bin/env python3
"""The lease in the kernel, while vipd is well: it drops nothing.

VIPD_LEASE_SECONDS is for how long traffic runs each time; ./dev lease sets it.
"""
# timed: packets that are dropped at full rate and under load
import os
import re
import signal
import subprocess
import sys
import time

from vipdlab.case import after, main
from vipdlab.lease import LeaseCase
from vipdlab.network import VIP4
from vipdlab.processes import run, send_signal, wait_until

SECONDS = int(os.environ.get("VIPD_LEASE_SECONDS", "2"))
BUSY_LOOPS = 8

# A service that takes whatever comes, and a client that sends as fast as it can.
SINK = """
import socket
server = socket.create_server(("", 7070))
print("ready", flush=True)
while True:
    connection = server.accept()[0]
    while connection.recv(1 << 20):
        pass
"""
STREAM = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], 7070))
end = time.monotonic() + float(sys.argv[2])
sent, block = 0, bytes(1 << 18)
while time.monotonic() < end:
    sent += connection.send(block)
print("sent", sent, flush=True)
"""


class LeaseHarmless(LeaseCase):
    def harmless(self, interval_ms):
        """Traffic as fast as it goes, without and with load, and not one packet dropped."""
        group = self.pair(interval_ms)
        for loops in (0, BUSY_LOOPS):
            rates = []

            def once(loops=loops, rates=rates):
                before = self.both_drops(group)
                moment = time.monotonic_ns()
                rate = self.stream(group, loops)
                until = time.monotonic_ns()
                if rate is not None:
                    rates.append(rate)
                # A connection that breaks is as bad as a packet that is dropped.
                return self.both_drops(group) - before + (rate is None), moment, until

            under = f" under {loops} busy loops" if loops else ""
            what = f"packets dropped in {SECONDS} s at {interval_ms} ms{under}"
            with self.subTest(what):
                self.measure(group, what, once, 0, 1, of=max)
                print(f"    at {', '.join(f'{each:.1f}' for each in rates)} Gbit/s", flush=True)

    def both_drops(self, group):
        return self.drops(group, "a") + self.drops(group, "b")

    def stream(self, group, loops):
        """From the client to the address, for SECONDS, in Gbit/s; None: the connection broke, the address has moved."""
        burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
        sinks = [group.host(node).process("sink", sys.executable, "-c", SINK) for node in ("a", "b")]
        client = group.network.client.process("stream", sys.executable, "-c", STREAM, VIP4, str(SECONDS))
        try:
            for sink in sinks:
                sink.start().wait_log("ready", 30, len(sink.log()))
            since = len(client.log())
            client.start()
            wait_until(lambda: not client.running, SECONDS + 20, "the end of the stream")
            sent = re.search(r"sent (\d+)", client.log()[since:])
        finally:
            for each in burning:
                each.kill()
                each.wait()
            for each in (*sinks, client):
                each.kill()
        if not sent:
            return None
        self.assertGreater(int(sent.group(1)), 1_000_000)
        return int(sent.group(1)) * 8 / SECONDS / 1e9

    def test_a_healthy_node_drops_nothing_at_full_rate_nor_under_load_at_10_ms(self):
        self.harmless(10)

    def test_a_healthy_node_drops_nothing_at_full_rate_nor_under_load_at_100_ms(self):
        self.harmless(100)

    def test_a_healthy_node_drops_nothing_at_full_rate_nor_under_load_at_1_s(self):
        self.harmless(1000)

    def test_a_planned_move_is_not_disturbed(self):
        group = self.pair(100)
        for _ in range(3):
            group.daemons["a"].switch()
            group.settle("b")
            group.daemons["a"].ctl("switch", "--back", "edge")
            group.settle("a")
        self.assertEqual([self.drops(group, node) for node in ("a", "b")], [0, 0])
        # Alone: it keeps serving for a while, and the lease lasts for that.
        group.daemons["b"].stop()
        moment = group.daemons["a"].begin_stop()
        until = after(moment, 200)
        self.assertEqual(self.most_lost(group, moment, until), 0)
        group.daemons["a"].stop()
        self.assertEqual(self.filters(group), "")

    def test_a_router_that_dies_or_hangs_costs_nothing(self):
        group = self.pair(100)

        def once():
            before = self.drops(group)
            moment = time.monotonic_ns()
            for number in (signal.SIGKILL, signal.SIGSTOP):
                old = group.daemons["a"].child("vipd-router")
                send_signal(old, number)
                wait_until(lambda: group.daemons["a"].child("vipd-router") not in (None, old), 10, "a new router")
                group.settle("a")
            until = after(time.monotonic_ns(), 300)
            self.assert_moved(group, moment, until, "a")
            return self.drops(group) - before, moment, until

        self.measure(group, "packets dropped when the router dies and hangs", once, 0, 2, of=max)

    def test_an_upgrade_costs_nothing_and_goes_on_with_the_same_memory(self):
        group = self.pair(100)
        memory = self.memory(group)

        def once():
            before = self.drops(group)
            guardian, router = group.daemons["a"].process.pid, group.daemons["a"].child("vipd-router")
            moment = time.monotonic_ns()
            group.daemons["a"].upgrade()
            wait_until(lambda: group.daemons["a"].child("vipd-router") not in (None, router), 10, "a new router")
            group.settle("a")
            until = after(time.monotonic_ns(), 300)
            self.assertEqual(group.daemons["a"].process.pid, guardian)
            self.assert_moved(group, moment, until, "a")
            self.assertTrue(all(each["on"] and each["remaining_ms"] > 0 for each in self.leases(group)))
            return self.drops(group) - before, moment, until

        self.measure(group, "packets dropped by an upgrade", once, 0, 3, of=max)
        self.assertEqual(self.memory(group), memory)

    def memory(self, group):
        """The numbers of the maps that the program in the kernel uses."""
        number = re.search(r"vipd_lease_in .* id (\d+)", self.filters(group)).group(1)
        return re.search(r"map_ids (\S+)", run("bpftool", "prog", "show", "id", number)).group(1)


if __name__ == "__main__":
    main(needs_kernel=True)
