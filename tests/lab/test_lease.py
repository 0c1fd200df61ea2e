#!/usr/bin/env python3
"""The lease in the kernel: nobody answers for an address when all of vipd is dead, stopped or frozen, and nobody is
harmed by it while vipd is well. Beside keepalived, which has none.

VIPD_LEASE_RUNS=10 is how often each fault is tried for the figures in the manual; VIPD_LEASE_SECONDS=180 how long
traffic runs for them.
"""
import contextlib
import os
import re
import signal
import subprocess
import sys
import time

from vipdlab import probe
from vipdlab.case import LabCase, after, main
from vipdlab.daemons import Keepalived, RouterSettings, Vipd, active_down_interval_ms
from vipdlab.freezer import Freezer
from vipdlab.network import CABLE, VIP4, VIP6
from vipdlab.processes import descendants, run, send_signal, wait_until

RUNS = int(os.environ.get("VIPD_LEASE_RUNS", "0"))
SECONDS = int(os.environ.get("VIPD_LEASE_SECONDS", "5"))
PRIORITIES = (250, 200)
BUSY_LOOPS = 8


def everything(daemon):
    return [daemon.process.pid, *descendants(daemon.process.pid)]


class Kill:
    what = "SIGKILL of everything"

    def strike(self, daemon):
        return daemon.kill_all()

    def undo(self, daemon):
        daemon.start()

    def close(self):
        pass


class Stop(Kill):
    what = "SIGSTOP of everything"

    def strike(self, daemon):
        self.pids = everything(daemon)
        moment = time.monotonic_ns()
        for pid in self.pids:
            send_signal(pid, signal.SIGSTOP)
        return moment

    def undo(self, daemon):
        for pid in self.pids:
            send_signal(pid, signal.SIGCONT)


class Freeze(Kill):
    what = "a frozen cgroup"

    def __init__(self):
        self._freezer = Freezer.make()
        if not self._freezer:
            raise OSError("there is no freezer for cgroups here")

    def strike(self, daemon):
        moment = time.monotonic_ns()
        self._freezer.freeze(everything(daemon))
        return moment

    def undo(self, daemon):
        self._freezer.thaw()

    def close(self):
        self._freezer.close()


class Lease(LabCase):
    def pair(self, interval_ms=100, makers=(Vipd, Vipd), **settings):
        return self.group(
            list(makers), RouterSettings(**{"interval_ms": interval_ms, **settings}), PRIORITIES
        ).start()

    def lasting_pair(self, interval_ms):
        """Nobody is preferred, so that who comes back stays Backup; and addresses stay for ever, so that what makes
        a dead node fall silent is the lease alone."""

        def lasting(host, settings, priority):
            return Vipd(host, settings, priority, options={"dead_man": "off"})

        return self.pair(interval_ms, (lasting, lasting), preempt=False)

    def leases(self, group, node="a"):
        return [each["lease"] for each in group.daemons[node].routers()]

    def drops(self, group, node="a"):
        return sum(each["drops"] for each in self.leases(group, node))

    def filters(self, group, hook="ingress", node="a", interface=CABLE):
        return group.host(node).run("tc", "filter", "show", "dev", interface, hook).strip()

    def double(self, group, since, until):
        return max(group.observer.two_repliers(each, since, until) for each in group.settings.addresses)

    def answering(self, group, since, until):
        """The nodes that answered for any of the addresses."""
        macs = {
            mac
            for address in group.settings.addresses
            for _, each in group.observer.repliers(address, since, until)
            for mac in each
        }
        return {group.network.name_of(mac) for mac in macs}

    # --- what it is for

    def falls_silent(self, fault, interval_ms):
        """Both nodes in turn."""
        group = self.lasting_pair(interval_ms)
        take_over = active_down_interval_ms(interval_ms, min(PRIORITIES))
        doubles, outages = [], []
        try:
            for _ in range(RUNS or (3 if interval_ms == 100 else 1)):
                node = wait_until(group.active, 10, "an Active")
                other = "b" if node == "a" else "a"
                group.settle(node)
                group.quiet()
                moment = fault.strike(group.daemons[node])
                until = after(moment, take_over + 1000)
                doubles.append(self.double(group, moment, until))
                outages.append(self.worst_outage(group, moment, until))
                self.assertEqual(self.answering(group, until - 200_000_000, until), {other})
                self.assertTrue(group.host(node).holds(VIP4), "the address itself is gone")
                back = time.monotonic_ns()
                fault.undo(group.daemons[node])
                until = after(back, 600)
                self.assertEqual(self.answering(group, back, until), {other}, "it answers before it has listened")
                group.daemons[node].wait_state("Backup")
        finally:
            fault.close()
        print(
            f"    {fault.what} at {interval_ms} ms: two nodes answered for {max(doubles):.1f} ms at most; "
            f"outages {[round(each) for each in outages]} ms",
            flush=True,
        )
        self.assertEqual(max(doubles), 0, doubles)
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
        for fault in (Stop(), Kill()):
            group.settle("a")
            moment = fault.strike(group.daemons["a"])
            until = after(moment, 2500)
            double = self.double(group, moment, until)
            print(f"    keepalived, {fault.what} at 100 ms: two nodes answer for {double:.0f} ms of 2500 observed")
            self.assertGreater(double, 1500)
            fault.undo(group.daemons["a"])
            group.daemons["a"].wait_state("Active")

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

    # --- what it must not do

    def harmless(self, interval_ms, seconds, loops=0):
        """Traffic as fast as it goes, and not one packet dropped."""
        group = self.pair(interval_ms)
        before = group.daemons["b"].times_active()
        burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
        sink = stream = None
        try:
            sink = group.host("a").process("sink", sys.executable, "-c", SINK).start()
            sink.wait_log("ready")
            moment = time.monotonic_ns()
            stream = group.network.client.process("stream", sys.executable, "-c", STREAM, VIP4, str(seconds)).start()
            until = after(moment, seconds * 1000)
            sent = int(stream.wait_log(r"sent (\d+)", 20).group(1))
        finally:
            for each in burning:
                each.kill()
                each.wait()
            for each in (sink, stream):
                if each:
                    each.kill()
        drops = [self.drops(group, node) for node in ("a", "b")]
        lost = self.most_lost(group, moment, until)
        print(
            f"    {seconds} s at {interval_ms} ms{f' under {loops} busy loops' if loops else ''}: "
            f"{sent * 8 / seconds / 1e9:.2f} Gbit/s, dropped by the lease {drops}, of 1000 datagrams a second lost {lost}",
            flush=True,
        )
        self.assertGreater(sent, 1_000_000)
        self.assertEqual(drops, [0, 0])
        self.assertEqual(group.daemons["b"].times_active(), before)
        group.close()

    def test_a_healthy_node_drops_nothing_at_full_rate(self):
        for interval_ms in (10, 100, 1000):
            with self.subTest(interval_ms):
                self.harmless(interval_ms, SECONDS)

    def test_a_healthy_node_drops_nothing_under_load(self):
        for interval_ms in (10, 100, 1000):
            with self.subTest(interval_ms):
                self.harmless(interval_ms, SECONDS, BUSY_LOOPS)

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
        moment = time.monotonic_ns()
        for number in (signal.SIGKILL, signal.SIGSTOP):
            old = group.daemons["a"].child("vipd-router")
            send_signal(old, number)
            wait_until(lambda: group.daemons["a"].child("vipd-router") not in (None, old), 10, "a new router")
            group.settle("a")
        until = after(time.monotonic_ns(), 300)
        self.assert_moved(group, moment, until, "a")
        self.assertEqual(self.drops(group), 0)
        self.assertEqual(self.most_lost(group, moment, until), 0)

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
        self.assertIn("somebody else has taken the lease's program off eth0", group.daemons["a"].log())

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
        self.assertEqual({each["why_not"] for each in self.leases(group)}, {"switched off in the configuration"})
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
        self.assertEqual(
            {each["why_not"] for each in self.leases(group)},
            {"loading the program of the lease into the kernel: Operation not permitted"},
        )
        self.assertEqual(group.daemons["a"].log().count("no lease in the kernel"), 1)
        self.assertIn("lease     off: loading", group.daemons["a"].ctl("status"))
        self.assertEqual(self.filters(group), "")
        self.assertTrue(all(each["on"] for each in self.leases(group, "b")))


def loaded_programs():
    """The numbers of all programs in the kernel."""
    return set(re.findall(r"^(\d+): ", run("bpftool", "prog", "show"), re.MULTILINE))


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

if __name__ == "__main__":
    main(needs_kernel=True)
