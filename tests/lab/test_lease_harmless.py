#!/usr/bin/env python3
"""The lease in the kernel, while vipd is well: it drops nothing, touches nobody else's, and leaves nothing behind.

VIPD_LEASE_SECONDS is for how long traffic runs each time; ./dev lease sets it.
"""
import contextlib
import errno
import os
import re
import signal
import subprocess
import sys
import time

from vipdlab.case import after, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.lease import PRIORITIES, LeaseCase, loaded_programs
from vipdlab.network import CABLE, VIP4
from vipdlab.processes import run, send_signal, wait_until

SECONDS = int(os.environ.get("VIPD_LEASE_SECONDS", "3"))
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
    def harmless(self, interval_ms, loops=0):
        """Traffic as fast as it goes, and not one packet dropped."""
        group = self.pair(interval_ms)
        rates = []

        def once():
            before = self.both_drops(group)
            moment = time.monotonic_ns()
            rate = self.stream(group, loops)
            until = time.monotonic_ns()
            if rate is not None:
                rates.append(rate)
            # A connection that breaks is as bad as a packet that is dropped.
            return self.both_drops(group) - before + (rate is None), moment, until

        under = f" under {loops} busy loops" if loops else ""
        try:
            self.measure(group, f"packets dropped in {SECONDS} s at {interval_ms} ms{under}", once, 0, 1, of=max)
            print(f"    at {', '.join(f'{each:.1f}' for each in rates)} Gbit/s", flush=True)
        finally:
            group.close()

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

    def test_a_healthy_node_drops_nothing_at_full_rate(self):
        for interval_ms in (10, 100, 1000):
            with self.subTest(interval_ms):
                self.harmless(interval_ms)

    def test_a_healthy_node_drops_nothing_under_load(self):
        for interval_ms in (10, 100, 1000):
            with self.subTest(interval_ms):
                self.harmless(interval_ms, BUSY_LOOPS)

    def test_a_planned_move_is_not_disturbed(self):
        group = self.pair(100)
        for _ in range(3):
            group.daemons["a"].switch()
            group.settle("b")
            group.daemons["a"].ctl("switch", "--back", "edge")
            group.settle("a")
        self.assertEqual([self.drops(group, node) for node in ("a", "b")], [0, 0])
        # Alone: it goes on serving for a while, and the lease lasts for that.
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
            group.daemons["a"].ctl("upgrade")
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
        wait_until(lambda: "vipd_lease_in" in self.filters(group), 5, "the program in its place")
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
        wait_until(lambda: not numbers & loaded_programs(), 5, "the end of the programs")

    def test_an_address_that_a_reload_brings_or_takes_is_guarded_as_long_as_it_is_ours(self):
        group = self.pair(100)
        daemon = group.daemons["a"]
        config = daemon.configuration()
        daemon.write(config.replace(f"{VIP4}/24", f"{VIP4}/24, 192.0.2.77/24"))
        daemon.reload()
        wait_until(lambda: group.host("a").holds("192.0.2.77"), 5, "the new address")
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
        wait_until(lambda: not group.host("a").holds("192.0.2.77"), 5, "the end of the new address")
        daemon.write(config + "    lease: off\n")
        daemon.reload()
        wait_until(lambda: self.filters(group) == "", 5, "no lease")
        self.assertEqual({each["on"] for each in self.leases(group)}, {False})
        daemon.write(config)
        daemon.reload()
        wait_until(lambda: all(each["on"] for each in self.leases(group)), 5, "the lease again")
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
        for family in ("IPv4", "IPv6"):  # once for each
            self.assertEqual(len(a.events(name="lease_changed", data=[why_not], router="edge", severity="P1")), 2, family)
        self.assertIn(why_not, a.ctl("status"))
        self.assertEqual(self.filters(group), "")
        self.assertTrue(all(each["on"] for each in self.leases(group, "b")))


if __name__ == "__main__":
    main(needs_kernel=True)
