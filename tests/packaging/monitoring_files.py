"""What packaging/monitoring asks Prometheus: expressions, the metrics and labels in them, read out of the files. For
tests, of the files here and against live nodes in the laboratory."""
import functools
import json
import pathlib
import re
import sys

try:
    import yaml
except ModuleNotFoundError:
    print("skipped: the YAML module of Python is not installed (python3-yaml, python3-pyyaml)")
    sys.exit(77)

TREE = pathlib.Path(__file__).resolve().parents[2]
PLACE = TREE / "packaging/monitoring"
RULES = PLACE / "vipd.rules.yml"
RULES_TEST = PLACE / "vipd.rules.test.yml"
PROMETHEUS = PLACE / "prometheus.yml"
DASHBOARD = PLACE / "grafana-dashboard.json"
ZABBIX = PLACE / "zabbix-template.yaml"

# What Prometheus adds, and `group`, which an operator gives to targets.
ADDED_LABELS = {"job", "instance", "group", "alertname", "alertstate", "severity"}
# Metrics of Prometheus itself.
ITS_OWN = {"up", "ALERTS"}


@functools.cache
def load(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def rules():
    return [rule for group in load(RULES)["groups"] for rule in group["rules"]]


def alerts():
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def panels():
    return load(DASHBOARD)["panels"]


def dashboard_expressions(job="vipd"):
    """As Grafana sends them, everything chosen, with the title of their panel."""
    values = {"job": job, "instance": ".+", "router": ".+", "__rate_interval": "5m", "__range": "1h"}
    return [
        (panel["title"], re.sub(r"\$(\w+)", lambda found: values[found[1]], target["expr"]))
        for panel in panels()
        for target in panel.get("targets", [])
    ]


def zabbix_template():
    return load(ZABBIX)["zabbix_export"]["templates"][0]


def zabbix_items(template):
    """All items, with the discovery rule that they are prototypes of, or None."""
    for item in template["items"]:
        yield item, None
    for rule in template["discovery_rules"]:
        for item in rule["item_prototypes"]:
            yield item, rule


def zabbix_patterns(template):
    """Each choice of metrics, with whether there may be none."""
    for item in [*(item for item, _ in zabbix_items(template)), *template["discovery_rules"]]:
        for step in item.get("preprocessing", []):
            if step["type"].startswith("PROMETHEUS"):
                yield step["parameters"][0], "error_handler" in step or "__name__" in step["parameters"][0]


def selectors(expression):
    """(metric, labels that it is chosen by) for each choice of metrics in an expression."""
    expression = re.sub(r"\{#(\w+)\}", r"\1", expression)  # macros of Zabbix
    found = []
    for name, inside in re.findall(r"\b([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}", expression):
        found.append((name, _labels(inside)))
    for inside in re.findall(r"(?:^|[^\w:])\{([^}]*__name__[^}]*)\}", expression):
        names = re.search(r'__name__=~"\^\(([\w|]+)\)\$"', inside)[1].split("|")
        labels = _labels(inside) - {"__name__"}
        found += [(name, labels) for name in names]
    bare = re.sub(r"\{[^}]*\}|\"[^\"]*\"|\b(?:by|on|ignoring|group_left|without)\s*\([^)]*\)", "", expression)
    found += [(name, set()) for name in re.findall(r"\b(vipd[_:][\w:]+|up\b|ALERTS\b)", bare)]
    return found


def _labels(inside):
    return set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', inside)))


def grouping_labels(expression):
    """Those of by (), on (), ignoring ()."""
    return {
        label.strip()
        for inside in re.findall(r"\b(?:by|on|ignoring|group_left|without)\s*\(([^)]*)\)", expression)
        for label in inside.split(",")
        if label.strip()
    }


def all_expressions():
    """Every expression of rules, dashboard and template, with where it comes from."""
    found = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    found += [(f"panel {title}", expression) for title, expression in dashboard_expressions()]
    found += [("Zabbix", pattern) for pattern, _ in zabbix_patterns(zabbix_template())]
    return found
