#!/usr/bin/env python3
"""Metrics as Prometheus fetches them: they say what the nodes do, in the forms that clients want."""
import errno
import os
import re
import shutil
import subprocess
import time

from vipdlab.case import LabCase, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import PATIENCE, wait_until

CHECK = 'ping: {tcp: "127.0.0.1:7", interval: 200ms, on_failure: {priority: -1}}'


def vipd(host, settings, priority):
    return Vipd(host, settings, priority, checks=CHECK)


class Metrics(LabCase):
    def pair(self):
        settings = RouterSettings(interval_ms=100, addresses=(VIP4, VIP6))
        group = self.group([vipd, vipd], settings, (150, 100)).start(settle=False)
        wait_until(lambda: "vipd_build_info" in self.failing_fetch(group), PATIENCE, "metrics of a")
        return group

    def fetch(self, group, name, *options, path="/metrics"):
        return group.host(name).run("curl", "-sS", "-m", "5", *options, f"http://127.0.0.1:9650{path}")

    def value(self, text, metric, **labels):
        """The sum of all samples that have these labels."""
        found = [
            float(value)
            for name, inside, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.M)
            if name == metric and all(f'{key}="{each}"' in inside for key, each in labels.items())
        ]
        self.assertTrue(found, f"no {metric} {labels} in\n{text}")
        return sum(found)

    def active(self, group):
        for name, state in (("a", "Active"), ("b", "Backup")):
            group.daemons[name].wait_state(state)

    def test_they_say_what_the_nodes_do(self):
        group = self.pair()
        self.active(group)
        wait_until(lambda: group.daemons["a"].effective_priority() == 149, PATIENCE, "a check that is down")
        # What is counted comes one at a time.
        for node, metric, labels in (
            ("a", "vipd_advertisement_lateness_seconds_count", {}),
            ("b", "vipd_advertisement_jitter_seconds_count", {}),
            ("a", "vipd_announcements_total", {}),
            ("a", "vipd_check_latency_seconds_count", {"check": "web/ping"}),
        ):
            wait_until(
                lambda node=node, metric=metric, labels=labels: self.value(self.fetch(group, node), metric, **labels) > 1,
                PATIENCE,
                f"{metric} of more than 1",
            )
        a, b = self.fetch(group, "a"), self.fetch(group, "b")
        for text, state in ((a, "Active"), (b, "Backup")):
            self.assertEqual(self.value(text, "vipd_router_state", state=state), 2, "one for each family")
        self.assertEqual(self.value(a, "vipd_router_priority"), 298)
        self.assertEqual(self.value(a, "vipd_addresses_present"), 2)
        self.assertEqual(self.value(b, "vipd_addresses_present"), 0)
        self.assertEqual(self.value(a, "vipd_new_master_reasons_total", reason="no_active"), 2)
        self.assertEqual(self.value(a, "vipd_check_up", check="web/ping"), 0)
        self.assertEqual(self.value(a, "vipd_program_up"), 3)
        self.assertGreater(self.value(a, "vipd_events_total", event="state_changed"), 0)

        group.daemons["a"].ctl("switch", "edge")
        group.daemons["b"].wait_state("Active")
        b = self.fetch(group, "b")
        self.assertEqual(self.value(b, "vipd_new_master_reasons_total", reason="farewell"), 2)
        self.assertEqual(self.value(b, "vipd_handover_seconds_count"), 2)
        group.daemons["b"].kill_all()
        group.daemons["a"].wait_state("Active")
        self.assertEqual(self.value(self.fetch(group, "a"), "vipd_failover_seconds_count"), 2)

    def test_promtool_has_nothing_to_say_about_them(self):
        promtool = shutil.which("promtool")
        if promtool is None:
            self.skipTest("there is no promtool: Debian has it in prometheus, Fedora has no package of it")
        group = self.pair()
        self.active(group)
        text = self.fetch(group, "a")
        checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""), checked.stdout)
        head = self.fetch(group, "a", "-D", "-", "-o", "/dev/null")
        self.assertIn("text/plain; version=0.0.4", head)
        other = self.fetch(group, "a", "-i", "-H", "Accept: application/openmetrics-text")
        self.assertIn("application/openmetrics-text; version=1.0.0", other)
        self.assertTrue(other.endswith("# EOF\n"))

    def test_the_format_is_the_one_that_the_client_likes_best(self):
        group = self.pair()
        for accept, format in (
            ("text/plain, application/openmetrics-text;q=0.5", "text/plain; version=0.0.4"),
            ("application/openmetrics-text, text/plain;q=0.5", "application/openmetrics-text"),
        ):
            self.assertIn(format, self.fetch(group, "a", "-i", "-H", f"Accept: {accept}"))
        self.assertIn("openmetrics", self.fetch(
            group, "a", "-i", "-H", "Accept: application/openmetrics-text", "-H", "Accept: text/plain;q=0.1"
        ))

    def test_who_asks_for_something_else_is_told_so(self):
        group = self.pair()
        self.assertIn("404", self.fetch(group, "a", "-i", path="/"))
        self.assertRegex(self.fetch(group, "a", "-i", "-X", "POST", "-d", "x"), r" 405 (.|\n)*\nAllow: GET, HEAD")

    def test_a_request_with_the_host_in_its_target_is_answered(self):
        group = self.pair()
        wait_until(lambda: "vipd_build_info" in self.failing_fetch(group), PATIENCE, "an answer")
        for target, answer in (("http://localhost/metrics", "200"), ("http://localhost", "404")):
            self.assertIn(f" {answer} ", self.fetch(group, "a", "-i", "--request-target", target).splitlines()[0])

    def test_a_port_that_is_taken_is_told_once_and_served_when_it_is_free(self):
        settings = RouterSettings(interval_ms=100, addresses=(VIP4,))
        group = self.group([Vipd, Vipd], settings, (150, 100))
        taker = group.host("a").process(
            "taker",
            "/usr/bin/python3",
            "-c",
            "import socket, time\n"
            "taken = socket.socket()\n"
            "taken.bind(('127.0.0.1', 9650))\n"
            "taken.listen()\n"
            "time.sleep(60)\n",
        )
        taker.start()
        self.addCleanup(taker.stop)
        wait_until(lambda: "9650" in group.host("a").run("ss", "-ltn"), PATIENCE, "the port to be taken")
        group.start()
        a = group.daemons["a"]
        taken = ("127.0.0.1:9650", os.strerror(errno.EADDRINUSE))
        a.wait_line(*taken)  # at the second attempt: the first one may find a predecessor
        time.sleep(3)  # it tries each second
        self.assertEqual(len([line for line in a.said().splitlines() if all(each in line for each in taken)]), 1)
        taker.stop()
        wait_until(lambda: "vipd_build_info" in self.failing_fetch(group), PATIENCE, "metrics at the port")

    def test_a_unix_socket_and_none_by_reload(self):
        group = self.pair()
        self.active(group)
        a = group.daemons["a"]
        path = a.directory / "metrics"
        a.write(a.configuration(checks=CHECK) + f"metrics: {{listen: {path}}}\n")
        self.assertEqual(a.plan()[1], {("metrics", "listen"): ("127.0.0.1:9650", str(path))})
        a.ctl("reload")
        text = group.host("a").run("curl", "-sS", "--unix-socket", path, "http://localhost/metrics")
        self.assertIn("vipd_build_info", text)
        a.write(a.configuration(checks=CHECK) + "metrics: {listen: off}\n")
        a.ctl("reload")
        wait_until(lambda: not self.served(group), PATIENCE, "an end of the service at the port")
        self.assertFalse(path.exists(), "a socket at which nobody listens is left")
        a.write(a.configuration(checks=CHECK) + f"metrics: {{listen: {path}}}\n")
        a.ctl("reload")
        self.assertTrue(path.exists())
        a.stop()
        self.assertFalse(path.exists(), "a socket at which nobody listens is left")

    def served(self, group):
        """Does anything listen at the port?"""
        return ":9650 " in group.host("a").run("ss", "-Hltn")

    def failing_fetch(self, group):
        return group.host("a").run(
            "sh", "-c", "curl -sS -m 5 http://127.0.0.1:9650/metrics 2>&1 || true"
        )

    def test_connections_on_which_nothing_is_asked_keep_nobody_out(self):
        group = self.pair()
        wait_until(lambda: "vipd_build_info" in self.failing_fetch(group), PATIENCE, "an answer")
        script = (
            "import socket, time\n"
            "silent = [socket.create_connection(('127.0.0.1', 9650)) for _ in range(100)]\n"
            "for each in silent[::2]: each.send(b'GET /metrics HTTP/1.1\\r\\nHost: ')\n"
            "begin = time.monotonic()\n"
            "for _ in range(20):\n"
            "    with socket.create_connection(('127.0.0.1', 9650)) as asking:\n"
            "        asking.settimeout(8)\n"
            "        asking.send(b'GET /metrics HTTP/1.0\\r\\n\\r\\n')\n"
            "        assert asking.recv(12) == b'HTTP/1.1 200', 'no answer'\n"
            "print(time.monotonic() - begin)\n"
        )

        def within():
            return float(group.host("a").run("/usr/bin/python3", "-c", script))

        self.assertLess(min(within() for _ in range(3)), 3, "they waited until the silent ones were too late")


if __name__ == "__main__":
    main()
