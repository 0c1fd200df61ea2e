#!/usr/bin/env python3
"""packaging/monitoring beside live nodes: a Prometheus that scrapes both has the rules and the dashboard's questions."""
import json
import pathlib
import shutil
import sys
import time
import urllib.parse

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "packaging"))

import monitoring_files as files
from vipdlab import sandbox
from vipdlab.case import LabCase, main
from vipdlab.daemons import RouterSettings, Vipd
from vipdlab.network import VIP4, VIP6
from vipdlab.processes import PATIENCE, wait_until

# One that is up, because it asks the endpoint itself; and one that is not.
UP = 'metrics: {{tcp: "{}:9650", interval: 200ms, on_failure: {{priority: -1}}}}'
DOWN = 'echo: {tcp: "127.0.0.1:7", interval: 200ms, on_failure: initialize}'
ONLY_VRRP = ("ether type ip ip protocol 112 drop", "ether type ip6 ip6 nexthdr 112 drop")
GROUP = {"job": "vipd", "group": "lab", "router": "edge", "vrid": "51"}


def vipd(host, settings, priority):
    """One that a Prometheus elsewhere on the lab's network can ask."""
    node = Vipd(host, settings, priority)
    configure(node, UP.format(host.ipv4))
    return node


def configure(node, checks):
    node.write(node.configuration(checks) + f'metrics: {{listen: "{node.host.ipv4}:9650"}}\n')


class Monitoring(LabCase):
    def start(self):
        settings = RouterSettings(interval_ms=100, addresses=(VIP4, VIP6))
        group = self.group([vipd, vipd], settings, (150, 100)).start(settle=False)
        for name, state in (("a", "Active"), ("b", "Backup")):
            group.daemons[name].wait_state(state)
        self.client = group.network.client
        directory = sandbox.WORK / "prometheus"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        shutil.copy(files.RULES, directory)
        targets = [f"{node.ipv4}:9650" for node in group.network.nodes]
        config = {
            "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
            "rule_files": [files.RULES.name],
            "scrape_configs": [
                {"job_name": "vipd", "static_configs": [{"targets": targets, "labels": {"group": "lab"}}]}
            ],
        }
        (directory / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
        prometheus = self.client.process(
            "prometheus",
            shutil.which("prometheus"),
            f"--config.file={directory}/prometheus.yml",
            f"--storage.tsdb.path={directory}/data",
            "--web.listen-address=127.0.0.1:9090",
        )
        prometheus.start()
        self.addCleanup(prometheus.kill)
        wait_until(lambda: len(self.query("up == 1")) == 2, PATIENCE, lambda: f"two nodes scraped\n{prometheus.log()[-3000:]}")
        return group

    def ask(self, path, **parameters):
        """What the API of Prometheus answers; None while it does not, or finds fault with the question."""
        url = f"http://127.0.0.1:9090/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        answer = self.client.run("curl", "-sS", "-m", "10", url, check=False)
        try:
            answer = json.loads(answer)
        except json.JSONDecodeError:
            return None
        if answer["status"] != "success":
            raise AssertionError(f"{parameters}: {answer['error']}")
        return answer["data"]

    def query(self, expression):
        answer = self.ask("query", query=expression)
        return answer["result"] if answer else []

    def firing(self, name=None):
        answer = self.ask("alerts")
        alerts = [each["labels"] for each in (answer or {"alerts": []})["alerts"] if each["state"] == "firing"]
        return [each for each in alerts if name in (None, each["alertname"])]

    def wait_firing(self, name, families=("IPv4", "IPv6")):
        wait_until(lambda: len(self.firing(name)) == len(families), PATIENCE, lambda: f"{name}: {self.firing()}")
        expected = [{**GROUP, "alertname": name, "severity": "p0", "family": each} for each in families]
        self.assertCountEqual(self.firing(name), expected)

    def test_rules_and_dashboard_are_answered_by_live_nodes(self):
        mark = Vipd.mark()
        group = self.start()
        group.daemons["a"].switch()
        group.daemons["b"].wait_state("Active")
        group.daemons["a"].ctl("switch", "edge", "--back")
        group.daemons["a"].wait_state("Active")
        began = time.monotonic()
        self.every_rule_was_evaluated()
        self.labels_are_those_of_live_nodes()
        time.sleep(max(0.0, 8 - (time.monotonic() - began)))
        # Legal: no alert; or, on a machine that stood still, alerts on events that have really happened.
        told = {
            each["event"]
            for node in group.daemons.values()
            for each in node.events(mark)
            if each["severity"] in ("P0", "P1")
        }
        named = {"VipdProgramRestarted": "program_restarted"}  # the other alerts on events have the label
        unfounded = [each for each in self.firing() if each.get("event", named.get(each["alertname"])) not in told]
        self.assertEqual(unfounded, [], f"after a planned switch; graver events: {told}")
        for title, expression in files.dashboard_expressions():
            answer = self.query(expression)
            if " > 0" not in expression and "ALERTS" not in expression:
                self.assertTrue(answer, f"nothing to show in {title}: {expression}")

    def every_rule_was_evaluated(self):
        def rules():
            groups = (self.ask("rules") or {"groups": []})["groups"]
            return [rule for each in groups for rule in each["rules"]]

        wait_until(lambda: rules() and all(each["health"] != "unknown" for each in rules()), PATIENCE, rules)
        self.assertEqual(len(rules()), len(files.rules()))
        for each in rules():
            self.assertEqual((each["health"], each.get("lastError", "")), ("ok", ""), each["name"])

    def labels_are_those_of_live_nodes(self):
        labels = {}
        for series in self.ask("series", **{"match[]": '{__name__=~"vipd_.*"}'}):
            labels.setdefault(series.pop("__name__"), set()).update(series)
        recorded = {each["record"]: labels["vipd_events_total"] for each in files.rules() if "record" in each}
        known = {**labels, **recorded, "up": set(), "ALERTS": set()}
        for where, expression in files.all_expressions():
            grouped = files.grouping_labels(expression) - files.ADDED_LABELS
            used = files.selectors(expression)
            for name, chosen in used:
                self.assertIn(name, known, where)
                self.assertLessEqual(chosen - files.ADDED_LABELS, known[name], f"{where}: {name}")
            self.assertLessEqual(grouped, set().union(*(known[name] for name, _ in used)), where)

    def test_two_actives_and_none_are_told_with_their_names(self):
        group = self.start()
        group.network.filter(*ONLY_VRRP)
        group.daemons["b"].wait_state("Active")
        self.wait_firing("VipdTwoActive")
        group.network.restore()
        group.daemons["b"].wait_state("Backup")
        wait_until(lambda: not self.firing("VipdTwoActive"), PATIENCE, "an end of the alert")
        self.assertEqual(self.firing("VipdNoActive"), [])
        for node in group.daemons.values():
            configure(node, DOWN)
            node.ctl("reload")
        for node in group.daemons.values():
            node.wait_state("Initialize")
        self.wait_firing("VipdNoActive")
        self.assertEqual(self.firing("VipdTwoActive"), [])


if __name__ == "__main__":
    main(needs=[("prometheus", shutil.which("prometheus"))])
