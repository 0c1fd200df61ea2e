#!/usr/bin/env python3
"""What a client must not notice, or not for longer than a take-over takes: addresses removed by hand, interfaces that go
and come, reloads, recordings, clients that fetch metrics without end, nodes that were cut off and meet again."""
# timed: outages in milliseconds, and datagrams that are lost
import os
import time

from vipdlab.case import LabCase, after, main
from vipdlab.daemons import RouterSettings, Vipd, active_down_interval_ms, prefixed
from vipdlab.network import CABLE, VIP4, VIP6
from vipdlab.processes import PATIENCE, wait_until

INTERVAL_MS = 100
PRIORITIES = (250, 200)
CHECK = 'ping: {tcp: "127.0.0.1:7", interval: 1s, fall: 2, on_failure: {priority: -1}}'


class Addresses(LabCase):
    def pair(self, **settings):
        return self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS, **settings), PRIORITIES)

    def test_an_address_that_somebody_removes_comes_back_at_once_and_nobody_moves(self):
        group = self.pair().start()
        before = {name: each.times_active() for name, each in group.daemons.items()}
        begin = time.monotonic_ns()
        for address in group.settings.addresses:
            with self.subTest(address):

                def once(address=address):
                    moment = time.monotonic_ns()
                    group.host("a").ip("address", "del", prefixed(address), "dev", CABLE)
                    wait_until(lambda: group.host("a").holds(address), 2, f"{address} back on a")
                    until = after(moment, 300)
                    return group.client.udp(address, moment, until).outage, moment, until

                # IPv6 routes and the group of its solicitations come back with the address, a little later.
                self.measure(group, f"outage after {address} was removed by hand, ms", once, 30)
                time.sleep(1.2)  # what comes back at once does so a bounded number of times a second
        until = after(time.monotonic_ns(), 300)
        self.assertEqual(group.active(), "a")
        self.assert_moved(group, begin, until, "a")
        self.assertEqual({name: each.times_active() for name, each in group.daemons.items()}, before)

    def test_a_configuration_that_cannot_be_read_without_waiting_is_refused(self):
        group = self.group([Vipd], RouterSettings(interval_ms=INTERVAL_MS), (250,)).start()
        a = group.daemons["a"]
        a.config_file.unlink()
        os.mkfifo(a.config_file)
        mark, programs = a.mark(), a.programs()
        a.reload()
        a.wait_event(mark, "reload_refused", data=[str(a.config_file)], severity="P1")
        a.config_file.unlink()
        # The guardian has not waited for a writer: it works, and with what was in force.
        a.kill_router()
        moment = time.monotonic_ns()
        wait_until(lambda: a.child("vipd-router") not in (None, programs["router"]), PATIENCE, "a new router process")
        group.settle("a")
        self.assert_outage(group, moment, after(moment, 500), 50)
        self.assertEqual(a.programs()["guardian"], programs["guardian"])

    def test_an_interface_that_is_deleted_and_comes_again_is_used_again(self):
        group = self.pair().start()
        moment = time.monotonic_ns()
        group.network.unplug(group.host("a"))
        group.daemons["a"].wait_state("Initialize")
        group.settle("b", aside=("a",))
        until = after(moment, 600)
        self.assert_outage(group, moment, until, active_down_interval_ms(INTERVAL_MS, PRIORITIES[1]) + 50)
        moment = time.monotonic_ns()
        group.network.plug(group.host("a"))
        group.settle("a")
        self.assert_outage(group, moment, after(moment, 1000), 50)

    def test_a_node_alone_that_was_killed_and_is_started_again_serves_again(self):
        group = self.group([Vipd], RouterSettings(interval_ms=INTERVAL_MS), (250,)).start()
        moment = group.daemons["a"].kill_all()
        group.daemons["a"].start()
        group.settle("a")
        until = after(moment, 1500)
        self.assert_outage(group, moment, until, active_down_interval_ms(INTERVAL_MS, 250) + 500)
        group.daemons["a"].stop()
        self.assertFalse(group.host("a").addresses() & set(group.settings.addresses))


class Partition(LabCase):
    def test_after_a_partition_the_survivor_announces_last(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()
        group.quiet()
        for _ in range(5):
            group.network.cut_silently(group.host("b"))
            group.settle("a", aside=("b",))
            group.daemons["b"].wait_state("Active")
            begin = time.monotonic_ns()
            group.network.heal_silently(group.host("b"))
            group.settle("a")
            until = after(begin, 4 * INTERVAL_MS)
            # b may get a packet or two, if what it announces arrives last: for 20 ms at most.
            self.assert_outage(group, begin, until, 60)
            for address in group.settings.addresses:
                announcers = [group.network.name_of(mac) for _, mac in group.observer.announcements(address, begin, until)]
                if announcers:
                    self.assertEqual(announcers[-1], "a")


class Reload(LabCase):
    def pair(self):
        """Nothing listens at port 7: both checks are down, and the order stays."""

        def vipd(host, settings, priority):
            return Vipd(host, settings, priority, checks=CHECK)

        settings = RouterSettings(interval_ms=INTERVAL_MS, addresses=(VIP4,))
        group = self.group([vipd, vipd], settings, (150, 100)).start(settle=False)
        for name, state in (("a", "Active"), ("b", "Backup")):
            group.daemons[name].wait_state(state)
        wait_until(lambda: group.daemons["a"].effective_priority() == 149, PATIENCE, "a check that is down")
        return group

    def write(self, daemon, priority):
        daemon.write(daemon.configuration(checks=CHECK, priority=priority))

    def test_a_change_that_moves_nothing_loses_nothing(self):
        group = self.pair()
        a, b = group.daemons["a"], group.daemons["b"]
        group.settle("a")
        before = b.times_active()
        self.write(a, priority=120)
        moment = time.monotonic_ns()
        a.ctl("reload")
        wait_until(lambda: a.effective_priority() == 119, PATIENCE, "the new priority")
        self.assertEqual(self.most_lost(group, moment, after(moment, 500)), 0)
        self.assertEqual(b.times_active(), before)

    def test_a_priority_that_moves_the_address_is_foretold_by_the_backup(self):
        group = self.pair()
        b = group.daemons["b"]
        self.write(b, priority=200)
        (prospect,) = b.plan()[0]["changes"][0]["prospects"]
        for word in ("IPv4", "Active", "199", group.host("a").ipv4, "149"):
            self.assertIn(word, prospect)

        def once():
            self.write(b, priority=200)
            moment = time.monotonic_ns()
            b.ctl("reload")
            b.wait_state("Active")
            lost = self.most_lost(group, moment, after(moment, 500))
            until = time.monotonic_ns()
            self.write(b, priority=100)
            b.ctl("reload")
            b.wait_state("Backup")
            return lost, moment, until

        self.measure(group, "datagrams lost as a reload moves the address", once, 0, of=max)

    def test_a_virtual_router_that_a_reload_removes_serves_until_its_successor_is_heard_and_no_longer(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=1000), PRIORITIES).start()
        a, b = group.daemons["a"], group.daemons["b"]
        a.write(
            a.config_file.read_text(encoding="utf-8")
            .replace("vrid: ", "vrid: 1")
            .replace("192.0.2.10/24", "192.0.2.90/24")
            .replace("2001:db8::10/64", "2001:db8::90/64")
        )
        a.reload()
        wait_until(lambda: b.state() == "Active", 5, "b Active")
        # Well within an interval, which is how long it would keep serving without a successor.
        wait_until(
            lambda: not group.host("a").addresses() & set(group.settings.addresses), 0.5, "a has let go"
        )

    def test_a_reload_moves_nothing_that_has_not_changed_and_refuses_what_is_wrong(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=INTERVAL_MS), PRIORITIES).start()
        a = group.daemons["a"]
        good = a.config_file.read_text(encoding="utf-8")
        group.quiet()
        begin = time.monotonic_ns()
        a.reload()
        after(time.monotonic_ns(), 500)
        mark = a.mark()
        a.write(good.replace("priority: 250", "priorty: 100"))
        a.reload()
        a.wait_event(mark, "reload_refused", data=["priorty"], severity="P1")
        until = after(time.monotonic_ns(), 500)
        self.assert_moved(group, begin, until, "a")
        self.assertLessEqual(self.most_lost(group, begin, until), 5)
        for address in group.settings.addresses:
            self.assertEqual(
                group.observer.announcements(address, begin, until), [], "announced again for nothing"
            )
        a.write(good.replace("priority: 250", "priority: 100"))
        a.reload()
        group.settle("b")
        a.write(good)
        a.reload()
        group.settle("a")


class Recorder(LabCase):
    def test_a_recording_at_10_ms_is_made_without_a_late_advertisement(self):
        group = self.group([Vipd, Vipd], RouterSettings(interval_ms=10), PRIORITIES, udp_rate=100)
        group.start()
        a, b = group.daemons["a"], group.daemons["b"]
        for _ in range(5):
            before, since = b.times_active(), time.monotonic_ns()
            after(since, 3000)
            for _ in range(20):
                text = a.ctl("record")
            self.assertGreater(text.count(" tick\n"), 100)
            # Two intervals in which nothing at all ran are the machine's.
            stall = group.observer.longest_stall(since, time.monotonic_ns())
            if b.times_active() == before or stall < 20:
                break
        self.assertEqual(b.times_active(), before, f"b took over: an advertisement was late ({stall=:.1f} ms)")


class Metrics(LabCase):
    def test_whoever_asks_without_end_or_never_reads_disturbs_nobody(self):
        settings = RouterSettings(interval_ms=INTERVAL_MS, addresses=(VIP4, VIP6))
        group = self.group([Vipd, Vipd], settings, (150, 100)).start()
        before = group.daemons["b"].times_active()
        moment = time.monotonic_ns()
        script = (
            "import socket, time\n"
            "idle = [socket.create_connection(('127.0.0.1', 9650)) for _ in range(12)]\n"
            "for each in idle: each.send(b'GET /metrics HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' * 50)\n"
            "end = time.monotonic() + 3\n"
            "while time.monotonic() < end:\n"
            "    with socket.create_connection(('127.0.0.1', 9650)) as asking:\n"
            "        asking.send(b'GET /metrics HTTP/1.0\\r\\n\\r\\n'); asking.settimeout(1)\n"
            "        try: asking.recv(1)\n"
            "        except OSError: pass\n"
        )
        group.host("a").run("/usr/bin/python3", "-c", script)
        self.assertEqual(self.most_lost(group, moment, after(moment, 3000)), 0)
        self.assertEqual(group.daemons["b"].times_active(), before)
        ask = "curl -sS -m 5 http://127.0.0.1:9650/metrics 2>&1 || true"
        wait_until(
            lambda: "vipd_build_info" in group.host("a").run("sh", "-c", ask), PATIENCE, "an answer when they have gone"
        )


if __name__ == "__main__":
    main()
