#!/usr/bin/env python3
"""The lease in the kernel: what it guards, and for how long; it touches nobody else's, and leaves nothing behind."""
import contextlib
import errno
import os
import re
import sys
import time

from vipdlab import packets
from vipdlab.case import after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.lease import PRIORITIES, LeaseCase, loaded_programs
from vipdlab.network import CABLE, VIP4, VIP6
from vipdlab.processes import PATIENCE, run, wait_until

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


class LeaseGuards(LeaseCase):
    def test_what_has_run_out_stays_so_until_the_next_start_has_removed_the_addresses(self):
        group = self.lasting_pair(100)
        node = wait_until(group.active, PATIENCE, "an Active")
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
        node = wait_until(group.active, PATIENCE, "an Active")
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
        wait_until(lambda: "vipd_lease_in" in self.filters(group), PATIENCE, "the program on the new interface")
        self.assertIn("vipd_lease_out", self.filters(group, "egress"))
        wait_until(lambda: all(each["on"] for each in self.leases(group)), PATIENCE, "the leases")
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
        wait_until(both, PATIENCE, "both Active")
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
        wait_until(both, PATIENCE, "both Active")
        self.assertTrue(answers())
        group.daemons["a"].stop()
        for interface in (CABLE, "eth1"):
            self.assertNotIn("clsact", group.host("a").run("tc", "qdisc", "show", "dev", interface))

    def test_the_programs_of_others_stay_and_run(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=100), PRIORITIES)
        host = group.host("a")
        prefs = {"first": 1, "last": 60000}
        for name in prefs:
            host.ip("link", "add", name, "type", "veth", "peer", "name", f"{name}-far")
            host.ip("link", "set", name, "up")
            host.ip("link", "set", f"{name}-far", "up")

        def add(name):
            # Mirrors all that it sees to an interface whose counter shows that it runs.
            host.run(
                *f"tc filter add dev {CABLE} ingress pref {prefs[name]} protocol all u32 match u32 0 0".split(),
                *f"action mirred egress mirror dev {name} continue".split(),
            )

        def seen(name):
            text = host.ip("-s", "link", "show", name)
            return int(re.search(r"TX:.*\n\s*\d+\s+(\d+)", text).group(1))

        def grows(name):
            before = seen(name)
            host.run("true")
            with contextlib.suppress(Exception):
                wait_until(lambda: seen(name) > before + 20, 2, name)
            return seen(name) > before + 20

        try:
            host.run("tc", "qdisc", "add", "dev", CABLE, "clsact")
            add("last")
        except RuntimeError as error:
            self.skipTest(f"this kernel has no u32 or mirred: {error}")
        group.start()
        add("first")
        self.assertIn("vipd_lease_in", self.filters(group))
        for name in prefs:
            self.assertTrue(grows(name), name)
        moment = group.daemons["a"].kill_all()
        after(moment, 1000)
        for name in prefs:
            self.assertTrue(grows(name), f"{name}, while the lease has run out")
        group.daemons["a"].start()
        group.settle("a")
        group.daemons["a"].stop()
        self.assertNotIn("vipd", self.filters(group))
        for name in prefs:
            self.assertIn(f"pref {prefs[name]} u32", self.filters(group))
            self.assertTrue(grows(name), f"{name}, afterwards")

    def test_it_is_put_back_when_somebody_takes_it_away(self):
        group = self.pair(100)
        group.host("a").run("tc", "qdisc", "del", "dev", CABLE, "clsact")
        wait_until(lambda: "vipd_lease_in" in self.filters(group), PATIENCE, "the program in its place")
        group.daemons["a"].wait_line(CABLE, "lease")

    def test_nothing_is_left_after_an_orderly_stop(self):
        group = self.pair(100)
        numbers = {
            match
            for hook in ("ingress", "egress")
            for match in re.findall(r"vipd_lease_\w+ .* id (\d+)", self.filters(group, hook))
        }
        self.assertEqual(len(numbers), 2)
        group.daemons["a"].stop()
        self.assertEqual(self.filters(group), "")
        self.assertNotIn("clsact", group.host("a").run("tc", "qdisc", "show", "dev", CABLE))
        wait_until(lambda: not numbers & loaded_programs(), PATIENCE, "the end of the programs")

    def test_an_address_that_a_reload_brings_or_takes_is_guarded_as_long_as_it_is_ours(self):
        group = self.pair(100)
        daemon = group.daemons["a"]
        config = daemon.configuration()
        daemon.write(config.replace(f"{VIP4}/24", f"{VIP4}/24, 192.0.2.77/24"))
        daemon.reload()
        wait_until(lambda: group.host("a").holds("192.0.2.77"), PATIENCE, "the new address")
        moment = daemon.kill_all()
        after(moment, 600)
        answers = lambda: "bytes from" in group.host("b").run("ping", "-c1", "-W1", "192.0.2.77", check=False)
        self.assertTrue(group.host("a").holds("192.0.2.77"))
        self.assertFalse(answers())
        daemon.start()
        group.settle("a")
        self.assertTrue(answers())
        daemon.write(config)
        daemon.reload()
        wait_until(lambda: not group.host("a").holds("192.0.2.77"), PATIENCE, "the end of the new address")
        daemon.write(config + "    lease: off\n")
        daemon.reload()
        wait_until(lambda: self.filters(group) == "", PATIENCE, "no lease")
        self.assertEqual({each["on"] for each in self.leases(group)}, {False})
        daemon.write(config)
        daemon.reload()
        wait_until(lambda: all(each["on"] for each in self.leases(group)), PATIENCE, "the lease again")
        moment = daemon.kill_all()
        until = after(moment, 1000)
        self.assertEqual(self.double(group, moment, until), 0)

    def test_where_the_kernel_refuses_it_says_so_once_and_goes_on(self):
        def without(host, settings, priority):
            return Vipd(host, settings, priority, under=("setpriv", "--bounding-set=-bpf,-sys_admin"))

        group = self.pair(100, (without, Vipd))
        a = group.daemons["a"]
        (why_not,) = {each["why_not"] for each in self.leases(group)}
        self.assertIn(os.strerror(errno.EPERM), why_not)
        told = a.events(name="lease_changed", data=[why_not], router="edge", severity="P1")
        self.assertEqual((len(told), len({each["virtual_router"] for each in told})), (2, 2), "once for each family")
        self.assertIn(why_not, " ".join(a.ctl("status").split()))  # its lines are wrapped
        self.assertEqual(self.filters(group), "")
        self.assertTrue(all(each["on"] for each in self.leases(group, "b")))


if __name__ == "__main__":
    main(needs_kernel=True)
