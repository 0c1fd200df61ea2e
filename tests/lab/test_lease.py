#!/usr/bin/env python3
"""The lease in the kernel: nobody answers for an address when all of vipd is dead, stopped or frozen. Beside keepalived,
which has none.

VIPD_LEASE_RUNS is how often each fault is tried; ./dev lease sets it.
"""
import contextlib
import os
import sys
import time

from vipdlab import packets
from vipdlab.case import after, main
from vipdlab.daemons import Keepalived, Vipd, active_down_interval_ms
from vipdlab.lease import PRIORITIES, Freeze, Kill, LeaseCase, Stop
from vipdlab.network import CABLE, VIP4, VIP6
from vipdlab.processes import run, wait_until

RUNS = int(os.environ.get("VIPD_LEASE_RUNS", "0"))


# A service that sends whenever it can, and a client that reads.
SOURCE = """
import socket
server = socket.create_server(("", 7071))
print("ready", flush=True)
connection = server.accept()[0]
while True:
    connection.sendall(bytes(1 << 16))
"""
READER = """
import socket, sys, time
connection = socket.create_connection((sys.argv[1], 7071))
connection.recv(1)
print("reads", flush=True)
while connection.recv(1 << 16):
    time.sleep(0.01)
"""


class Lease(LeaseCase):
    def falls_silent(self, fault, interval_ms):
        """Both nodes in turn."""
        group = self.lasting_pair(interval_ms)
        take_over = active_down_interval_ms(interval_ms, min(PRIORITIES))
        outages = []

        def once():
            node = wait_until(group.active, 10, "an Active")
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

        try:
            what = f"{fault.what} at {interval_ms} ms: two nodes answer, ms"
            self.measure(group, what, once, 0, RUNS or (2 if interval_ms == 100 else 1), of=max)
            print(f"    outages {[round(each) for each in outages]} ms", flush=True)
        finally:
            fault.close()
            group.close()

    def test_two_nodes_never_answer_when_all_of_vipd_is_killed(self):
        for interval_ms in (100, 1000):
            with self.subTest(interval_ms):
                self.falls_silent(Kill(), interval_ms)

    def test_two_nodes_never_answer_when_all_of_vipd_is_stopped(self):
        for interval_ms in (100, 1000):
            with self.subTest(interval_ms):
                self.falls_silent(Stop(), interval_ms)

    def test_two_nodes_never_answer_when_the_cgroup_of_vipd_is_frozen(self):
        for interval_ms in (100, 1000):
            with self.subTest(interval_ms):
                try:
                    fault = Freeze()
                except OSError as error:
                    self.skipTest(str(error))
                self.falls_silent(fault, interval_ms)

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

    def test_what_has_run_out_stays_so_until_the_next_start_has_removed_the_addresses(self):
        group = self.lasting_pair(100)
        node = wait_until(group.active, 10, "an Active")
        other = "b" if node == "a" else "a"
        moment = group.daemons[node].kill_all()
        group.settle(other, aside=(node,))
        after(moment, 4000)  # longer than any lifetime
        self.assertTrue(group.host(node).holds(VIP4, VIP6))
        group.daemons[node].start()
        group.daemons[node].wait_state("Backup")
        until = after(time.monotonic_ns(), 300)
        self.assertEqual(self.double(group, moment, until), 0)
        self.assertFalse(group.host(node).holds(VIP4))
        self.assertGreater(self.drops(group, node), 100, "the counter goes on, so the memory was adopted")
        self.assertTrue(all(each["on"] and each["remaining_ms"] is None for each in self.leases(group, node)))

    def test_a_dead_node_sends_nothing_from_the_address_either(self):
        # What its kernel sends for a connection that is still open, retransmissions and ARP requests, would teach
        # neighbours that the address is there.
        group = self.lasting_pair(100)
        node = wait_until(group.active, 10, "an Active")
        host = group.host(node)
        source = host.process("source", sys.executable, "-c", SOURCE).start()
        client = group.network.client.process("reader", sys.executable, "-c", READER, VIP4)
        try:
            source.wait_log("ready")
            client.start().wait_log("reads")
            group.daemons[node].kill_all()
            group.settle("b" if node == "a" else "a", aside=(node,))
            capture = packets.Capture(group.network.client)
            after(time.monotonic_ns(), 1500)
            capture.stop()
            sent = capture.tshark(
                f"eth.src == {host.mac} && (ip.src == {VIP4} || arp.src.proto_ipv4 == {VIP4})", "frame.time_epoch"
            )
            tried = group.host(node).run("ss", "-Htno", "state", "established", f"src {VIP4}")
            self.assertIn("timer:", tried, "it has nothing to retransmit")
            self.assertEqual(len(sent), 0)
        finally:
            source.kill()
            client.kill()

    def test_a_recreated_interface_is_guarded_again(self):
        group = self.pair(100)
        group.network.unplug(group.host("a"))
        group.settle("b", aside=("a",))
        group.network.plug(group.host("a"))
        group.settle("a")
        wait_until(lambda: "vipd_lease_in" in self.filters(group), 5, "the program on the new interface")
        self.assertIn("vipd_lease_out", self.filters(group, "egress"))
        wait_until(lambda: all(each["on"] for each in self.leases(group)), 5, "the leases")
        moment = group.daemons["a"].kill_all()
        until = after(moment, 1000)
        self.assertEqual(self.double(group, moment, until), 0)

    def test_each_of_several_interfaces_is_guarded(self):
        config = """\
virtual_routers:
  edge:
    interface: eth0
    vrid: 51
    advertisement_interval: 100ms
    priority: 250
    addresses: [192.0.2.10/24]
  back:
    interface: eth1
    vrid: 52
    advertisement_interval: 200ms
    addresses: [198.51.100.10/24]
"""

        def two(host, settings, priority):
            run("ip", "-n", "a", "link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", "b")
            for name, number in (("a", 1), ("b", 2)):
                run("ip", "-n", name, "address", "add", f"198.51.100.{number}/24", "dev", "eth1")
                run("ip", "-n", name, "link", "set", "eth1", "up")
            return Vipd(host, settings, priority, config=config)

        group = self.pair(100, (two, Vipd), addresses=(VIP4,))
        routers = lambda: group.daemons["a"].status().get("routers", [])
        both = lambda: [each["state"] for each in routers()] == ["Active", "Active"]
        wait_until(both, 10, "both Active")
        self.assertTrue(all(each["lease"]["on"] for each in routers()))
        answers = lambda: "1 received" in group.host("b").run(
            "ping", "-c1", "-W1", "-I", "eth1", "198.51.100.10", check=False
        )
        self.assertTrue(answers())
        moment = group.daemons["a"].kill_all()
        after(moment, 600)
        self.assertFalse(answers())
        self.assertIn("vipd_lease_in", self.filters(group, interface="eth1"))
        group.daemons["a"].start()
        wait_until(both, 10, "both Active")
        self.assertTrue(answers())
        group.daemons["a"].stop()
        for interface in (CABLE, "eth1"):
            self.assertNotIn("clsact", group.host("a").run("tc", "qdisc", "show", "dev", interface))


if __name__ == "__main__":
    main(needs_kernel=True)
