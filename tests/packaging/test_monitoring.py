#!/usr/bin/env python3
"""packaging/monitoring: what Prometheus, Grafana and Zabbix are told of vipd is sound, agrees with what vipd says of
itself, and is explained in vipd-metrics(7). That live nodes have those metrics and labels: tests/lab/test_monitoring.py.
"""
import collections
import re
import shutil
import subprocess
import tempfile
import unittest

import monitoring_files as files

PROMTOOL = shutil.which("promtool")  # Debian: in prometheus; Fedora has no package of it
SEVERITIES = {"p0": "DISASTER", "p1": "HIGH", "p2": "INFO"}
# Events that have an alert of their own, or whose condition has; the others are in VipdGraveEvent and VipdEvent.
OWN_ALERTS = {
    "address_conflict": "VipdAddressConflict",
    "one_way": "VipdPeerDeaf",
    "state_changed": "VipdInitialize",
    "obstructed": "VipdInitialize",
    "peer_lost": "VipdFailover",
    "address_restored": "VipdAddressRestored",
    "address_list_mismatch": "VipdAddressListMismatch",
    "check_changed": "VipdCheckDown",
    "lease_changed": "VipdLeaseOff",
    "program_restarted": "VipdProgramRestarted",
}


def manual(page):
    return (files.TREE / "man" / page).read_text(encoding="utf-8")


def promtool(*arguments):
    done = subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def documented_metrics():
    """Those of vipd-metrics(7), with what a histogram is made of."""
    names = set()
    for name, text in re.findall(r"^\.It Ic (vipd_\w+)\n((?:(?!\.It |\.El).*\n)*)", manual("vipd-metrics.7"), re.M):
        names |= {name + part for part in ("_bucket", "_sum", "_count")} if text.startswith("Histogram") else {name}
    return names


def events_of(severity):
    """Events that can be as grave as that, from vipd(8)."""
    return set(re.findall(rf"^\.It Ic (\w+) Pq {severity}\b", manual("vipd.8"), re.M))


def events_in(text):
    return {name for names in re.findall(r'event=~?"([\w|]+)"', text) for name in names.split("|")}


class Metrics(unittest.TestCase):
    def test_every_metric_is_documented(self):
        known = documented_metrics() | files.ITS_OWN | {rule["record"] for rule in files.rules() if "record" in rule}
        self.assertGreater(len(known), 50)
        for where, expression in files.all_expressions():
            used = files.selectors(expression)
            self.assertTrue(used, f"{where} asks nothing: {expression}")
            for name, _ in used:
                self.assertIn(name, known, f"{where}: {expression}")

    def test_every_metric_is_shown_in_the_dashboard(self):
        shown = {name for _, expression in files.dashboard_expressions() for name, _ in files.selectors(expression)}
        shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
        documented = set(re.findall(r"^\.It Ic (vipd_\w+)", manual("vipd-metrics.7"), re.M))
        self.assertEqual(documented - shown, {"vipd_router_base_priority"}, "shown as the priority of most of the time")

    def test_reasons_exist(self):
        known = set(re.findall(r"^\.Li (\w+)", manual("vipd-metrics.7"), re.M))
        known |= set(re.findall(r"^\.It Ic (\w+)$", manual("vipd.8"), re.M))
        for where, expression in files.all_expressions():
            for reasons in re.findall(r'reason[=!]~?"([\w|]+)"', expression):
                self.assertLessEqual(set(reasons.split("|")), known, where)


@unittest.skipUnless(PROMTOOL, "there is no promtool: Debian has it in prometheus, Fedora has no package of it")
class Prometheus(unittest.TestCase):
    def test_the_rules_are_sound(self):
        code, said = promtool("check", "rules", "--lint-fatal", files.RULES)
        self.assertEqual(code, 0, said)

    def test_the_alerts_fire_when_they_should_and_only_then(self):
        code, said = promtool("test", "rules", files.RULES_TEST)
        self.assertEqual(code, 0, said)

    def test_the_example_of_a_configuration_is_sound_and_has_the_rules(self):
        code, said = promtool("check", "config", files.PROMETHEUS)
        self.assertEqual(code, 0, said)
        self.assertIn("1 rule files found", said)


class Alerts(unittest.TestCase):
    def test_each_has_a_severity_and_says_what_to_do(self):
        commands = set(re.findall(r"^\.It Cm (\w+)", manual("vipctl.8"), re.M))
        options = set(re.findall(r"^\.It Fl (-[\w-]+)", manual("vipctl.8"), re.M))
        for name, rule in files.alerts().items():
            self.assertIn(rule["labels"]["severity"], SEVERITIES, name)
            self.assertEqual(set(rule["annotations"]), {"summary", "description"}, name)
            self.assertNotIn("\n", rule["annotations"]["summary"])
            text = rule["annotations"]["description"]
            if name != "VipdNotScraped":
                self.assertIn("vipctl ", text, name)
            for command, words in re.findall(r"\bvipctl (\w+)((?: (?:\{\{[^}]*\}\}|[\w-]+))*)", text):
                self.assertIn(command, commands, name)
                for option in re.findall(r"-(-[\w-]+)", words):
                    self.assertIn(option, options, name)

    def test_each_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(self):
        fires, silent = set(), set()
        for test in files.load(files.RULES_TEST)["tests"]:
            for each in test.get("alert_rule_test", []):
                (fires if each["exp_alerts"] else silent).add(each["alertname"])
            for each in test.get("promql_expr_test", []):
                named = re.search(r'^ALERTS\{alertname="(\w+)", alertstate="firing"\}$', each["expr"])
                if named:
                    (fires if each["exp_samples"] else silent).add(named[1])
        self.assertEqual(fires, set(files.alerts()))
        self.assertEqual(silent, set(files.alerts()))

    def test_the_manual_has_an_entry_for_each_with_its_severity(self):
        documented = dict(re.findall(r"^\.It Ic (Vipd\w+) Pq (P\d)$", manual("vipd-metrics.7"), re.M))
        self.assertEqual(documented, {name: rule["labels"]["severity"].upper() for name, rule in files.alerts().items()})

    def test_events_are_as_grave_as_the_manual_says_and_none_is_forgotten(self):
        alerts = files.alerts()
        grave, others = (events_in(alerts[name]["expr"]) for name in ("VipdGraveEvent", "VipdEvent"))
        own = set(OWN_ALERTS)
        self.assertEqual(grave, events_of("P0") - own)
        self.assertEqual(others, events_of("P1") - own)
        self.assertLessEqual(set(OWN_ALERTS.values()), set(alerts))
        items = {item["key"]: str(item["preprocessing"]) for item in files.zabbix_template()["items"] if "preprocessing" in item}
        self.assertEqual(events_in(items["vipd.events.grave"]), grave)
        self.assertEqual(events_in(items["vipd.events.trouble"]), others)

    def test_labels_in_texts_are_there(self):
        """What an expression has aggregated away cannot be named in a summary."""
        for name, rule in files.alerts().items():
            kept = re.findall(r"^\s*(?:sum|count|min|max) by \(([^)]*)\)", rule["expr"])
            if kept:
                used = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
                self.assertLessEqual(used, {label.strip() for label in kept[0].split(",")}, name)


class Dashboard(unittest.TestCase):
    def test_panels_have_numbers_of_their_own_and_do_not_overlap(self):
        panels = files.panels()
        numbers = collections.Counter(panel["id"] for panel in panels)
        self.assertEqual(set(numbers.values()), {1})
        taken = {}
        for panel in panels:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    self.assertNotIn((x, y), taken, f"{panel['title']} is over {taken.get((x, y))}")
                    taken[x, y] = panel["title"]

    def test_every_panel_has_a_title_and_asks_the_data_source_that_was_chosen(self):
        chosen = {"type": "prometheus", "uid": "${datasource}"}
        for panel in files.panels():
            self.assertTrue(panel["title"])
            if panel["type"] == "row":
                continue
            self.assertTrue(panel["targets"], panel["title"])
            letters = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(letters), len(set(letters)), panel["title"])
            for target in panel["targets"]:
                self.assertEqual((panel["datasource"], target["datasource"]), (chosen, chosen), panel["title"])

    def test_variables_are_defined(self):
        variables = {each["name"]: each for each in files.load(files.DASHBOARD)["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        used = set(re.findall(r"\$\{?(\w+)", files.DASHBOARD.read_text(encoding="utf-8")))
        self.assertEqual(used, set(variables) | {"__rate_interval", "__range", "__all"})

    @unittest.skipUnless(PROMTOOL, "there is no promtool: Debian has it in prometheus, Fedora has no package of it")
    def test_every_expression_can_be_parsed(self):
        rules = [{"record": f"panel:{i}", "expr": each} for i, (_, each) in enumerate(files.dashboard_expressions())]
        with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="vipd-dashboard-") as out:
            files.yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, out)
            out.flush()
            code, said = promtool("check", "rules", out.name)
        self.assertEqual(code, 0, said)
        self.assertIn(f"{len(rules)} rules found", said)


class Zabbix(unittest.TestCase):
    def setUp(self):
        self.export = files.load(files.ZABBIX)["zabbix_export"]
        self.template = files.zabbix_template()
        self.items = dict((item["key"], (item, rule)) for item, rule in files.zabbix_items(self.template))

    def triggers(self):
        """All of them, with the discovery rule that they are prototypes of, or None."""
        for item, rule in self.items.values():
            for each in [*item.get("triggers", []), *item.get("trigger_prototypes", [])]:
                yield each, rule
        for rule in self.template["discovery_rules"]:
            for each in rule.get("trigger_prototypes", []):
                yield each, rule

    def test_it_is_for_zabbix_6_0(self):
        self.assertEqual(self.export["version"], "6.0")

    def test_identifiers_are_valid_and_unique(self):
        text = files.ZABBIX.read_text(encoding="utf-8")
        found = re.findall(r"\buuid: '?(\S+?)'?$", text, re.M)
        self.assertGreater(len(found), 50)
        self.assertEqual(len(found), len(set(found)))
        for each in found:
            self.assertRegex(each, "^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$")

    def test_keys_and_names_are_unique(self):
        self.assertEqual(len(self.items), len(list(files.zabbix_items(self.template))))
        names = [each["name"] for each, _ in self.triggers()]
        self.assertEqual(len(names), len(set(names)))

    def test_everything_is_made_of_one_item_that_fetches_the_metrics(self):
        fetching = [key for key, (item, _) in self.items.items() if item["type"] == "HTTP_AGENT"]
        self.assertEqual(fetching, ["vipd.metrics"])
        self.assertEqual(self.items["vipd.metrics"][0]["url"], "{$VIPD.URL}")
        for each in [*(item for item, _ in self.items.values()), *self.template["discovery_rules"]]:
            if each["type"] == "DEPENDENT":
                self.assertEqual(each["master_item"]["key"], "vipd.metrics")

    def test_triggers_and_calculated_items_ask_items_that_exist(self):
        for trigger, _ in self.triggers():
            asked = re.findall(r"\(/vipd by HTTP/([\w.]+(?:\[[^\]]*\])?)", trigger["expression"])
            self.assertTrue(asked, trigger["name"])
            self.assertEqual(len(asked), trigger["expression"].count("(/"), trigger["name"])
            for key in asked:
                self.assertIn(key, self.items, trigger["name"])
        for key, (item, _) in self.items.items():
            for asked in re.findall(r"//([\w.]+(?:\[[^\]]*\])?)", item.get("params", "")):
                self.assertIn(asked, self.items, key)

    def test_value_maps_and_macros_are_defined(self):
        maps = {each["name"] for each in self.template["valuemaps"]}
        for key, (item, _) in self.items.items():
            if "valuemap" in item:
                self.assertIn(item["valuemap"]["name"], maps, key)
        macros = {each["macro"] for each in self.template["macros"]}
        self.assertEqual(set(re.findall(r"\{\$[\w.]+\}", str(self.template))), macros)

    def test_prototypes_use_what_is_discovered(self):
        of_rules = collections.defaultdict(list)
        for item, rule in self.items.values():
            of_rules[rule["key"] if rule else None].append(item)
        for trigger, rule in self.triggers():
            of_rules[rule["key"] if rule else None].append(trigger)
        for rule in self.template["discovery_rules"]:
            macros = {each["lld_macro"] for each in rule["lld_macro_paths"]}
            for each in of_rules[rule["key"]]:
                used = set(re.findall(r"\{#\w+\}", str(each)))
                self.assertTrue(used, each["name"])
                self.assertLessEqual(used, macros, each["name"])
            for each in rule["lld_macro_paths"]:
                self.assertEqual(each["path"], f"$.labels['{each['lld_macro'][2:-1].lower()}']")
        for each in of_rules[None]:
            self.assertNotIn("{#", str({key: value for key, value in each.items() if "prototypes" not in key}))

    def test_severities_are_those_of_the_alerts(self):
        found = set()
        for trigger, _ in self.triggers():
            severity = next(tag["value"] for tag in trigger["tags"] if tag["tag"] == "severity")
            self.assertEqual(trigger["priority"], SEVERITIES[severity], trigger["name"])
            found.add(severity)
        self.assertEqual(found, set(SEVERITIES))


if __name__ == "__main__":
    unittest.main(verbosity=2)
