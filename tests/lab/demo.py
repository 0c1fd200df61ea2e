#!/usr/bin/env python3
"""A pair of nodes with real nginx keeps its addresses, whatever is done to it: what `./dev demo` shows.

Everything runs in namespaces of its own on this machine; nothing is left, not even after Ctrl-C.
Exit status: 0 all went as expected, 1 something did not, 2 wrong usage, 77 this machine does not let us,
78 a program is missing, 130 or 143 interrupted.
"""
import argparse
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import sys
import time

from vipdlab import probe, sandbox
from vipdlab.daemons import Keepalived, RouterSettings, Vipd
from vipdlab.group import SETTLING, Group
from vipdlab.processes import Timeout, alive, wait_until
from vipdlab.view import make_view
from vipdlab.web import Nginx

INTERVAL_MS = 100
LATENCY_BOUND_MS = 100
SLOW_MS = 300  # how late the slow nginx answers
CLIENT_TIMEOUT_MS = 250  # for the client an answer after that is none
PRIORITIES = (250, 200)
MISSING = 78
CHECK = f"""\
nginx:
  http: http://127.0.0.1/healthz
  expect: {{status: 200, latency: {LATENCY_BOUND_MS}ms}}
  interval: 100ms
  timeout: 500ms
  fall: 2
  rise: 2
  on_failure: {{priority: -60}}
"""
DAEMONS = {
    "vipd": functools.partial(Vipd, checks=CHECK),
    "keepalived": functools.partial(Keepalived, check_weight=-60),
}


@dataclasses.dataclass
class Event:
    name: str
    text: str  # what is done, for people; {} is the Active node
    act: object  # active node -> moment
    taken_over: bool  # the other node becomes Active
    undo: object  # the node it was done to -> None: afterwards, so that the next event finds a whole pair
    look_on_ms: int = 1500
    comes_back: bool = True  # after undo the preferred node is Active again


class Demo:
    def __init__(self, group, view):
        self._group, self._view = group, view
        self.results = []
        self._old_router = None

    def events(self):
        group = self._group
        daemons, webs, network = group.daemons, group.webs, group.network
        a = group.host("a")

        def restart(name):
            daemons[name].start()

        def kill_router(name):
            self._old_router = daemons[name].child("vipd-router")
            return daemons[name].kill_router()

        nothing = lambda _: None  # noqa: E731
        yield Event(
            "cut",
            "the cable of {} is pulled",
            lambda n: network.cut(group.host(n)),
            True,
            nothing,
            comes_back=False,
        )
        yield Event("heal", "the cable of a is plugged in again", lambda n: network.heal(a), True, nothing)
        yield Event(
            "nginx_killed",
            "SIGKILL for nginx on {}",
            lambda n: webs[n].kill(),
            True,
            lambda n: webs[n].start(),
        )
        yield Event(
            "nginx_slow",
            f"nginx on {{}} answers {SLOW_MS} ms late, {LATENCY_BOUND_MS} ms are allowed",
            lambda n: webs[n].slow_down(SLOW_MS),
            True,
            lambda n: webs[n].speed_up(),
        )
        yield Event(
            "switch", "vipctl switch on {}", lambda n: daemons[n].switch(), True, nothing, comes_back=False
        )
        yield Event("stop", "SIGTERM for vipd on {}", lambda n: daemons[n].begin_stop(), True, restart)
        yield Event(
            "router_killed",
            "SIGKILL for the router process on {}",
            kill_router,
            False,
            nothing,
            look_on_ms=2000,
        )
        yield Event(
            "all_killed",
            "SIGKILL for all processes of vipd on {}",
            lambda n: daemons[n].kill_all(),
            True,
            restart,
            look_on_ms=4000,
        )

    def run(self):
        events = [each for each in self.events() if self._possible(each)]
        for number, event in enumerate(events, 1):
            before = wait_until(self._group.active, SETTLING, "exactly one Active")
            self._view.begins(number, len(events), event.name, event.text.format(before))
            result = self._measure(event, before)
            self.results.append(result)
            self._view.result(result)
            if number < len(events):
                self._restore(event)

    def _possible(self, event):
        """keepalived has no `switch`, and its children have no names of ours."""
        return isinstance(self._group.daemons["a"], Vipd) or event.name not in ("switch", "router_killed")

    def _measure(self, event, before):
        group = self._group
        notes = []
        other = "b" if before == "a" else "a"
        expected = other if event.taken_over else before
        begin = event.act(before)
        try:
            group.settle(
                expected, aside=() if before == expected or event.name in ("heal", "switch") else (before,)
            )
            self._afterwards(event, before)
        except Timeout as error:
            notes.append(str(error).splitlines()[0])
        rest = begin / 1e9 + event.look_on_ms / 1e3 - time.monotonic()
        time.sleep(max(0.0, rest))
        if event.name == "all_killed" and group.host(before).addresses() & set(group.settings.addresses):
            notes.append(f"{before} is dead and still holds the address after {event.look_on_ms / 1e3:g} s")
        return self._result(event, begin, time.monotonic_ns(), before, group.active(), notes, expected)

    def _afterwards(self, event, before):
        daemon = self._group.daemons[before]
        if event.name == "stop":
            wait_until(lambda: not daemon.running, SETTLING, f"the end of vipd on {before}")
        if event.name == "router_killed":
            wait_until(
                lambda: daemon.child("vipd-router") not in (None, self._old_router),
                SETTLING,
                f"a new router process on {before}",
            )
            assert not alive(self._old_router)

    def _result(self, event, begin, until, before, after, notes, expected):
        group = self._group
        addresses = group.settings.addresses
        requests = [group.client.http(each, begin, until) for each in addresses]
        datagrams = [group.client.udp(each, begin, until) for each in addresses]
        if after != expected:
            notes.append(f"Active should be {expected}")
        return {
            "event": event.name,
            "outage_ms": round(max(each.outage for each in requests), 1),
            "lost": sum(each.lost for each in requests),
            "two_repliers_ms": round(
                max(group.observer.two_repliers(each, begin, until) for each in addresses), 1
            ),
            "active_before": before,
            "active_after": after,
            "requests": sum(each.sent for each in requests),
            "datagrams": sum(each.sent for each in datagrams),
            "datagrams_lost": sum(each.lost for each in datagrams),
            "datagrams_outage_ms": round(max(each.outage for each in datagrams), 1),
            "longest_stall_ms": round(group.client.longest_stall(begin, until), 1),
            "notes": notes,
        }

    def _restore(self, event):
        """Undoes the event and waits until both nodes are well again."""
        event.undo(self.results[-1]["active_before"])
        self._view.doing("healed; waiting for a settled pair")
        active = "a" if event.comes_back else self.results[-1]["active_after"]
        aside = ("a",) if event.name == "cut" else ()
        try:
            self._group.settle(active, aside=aside)
            for name, daemon in self._group.daemons.items():
                if name not in aside:
                    wait_until(
                        lambda d=daemon, n=name: d.settled("Active" if n == active else "Backup"),
                        SETTLING,
                        f"{name} with all checks up",
                    )
        except Timeout as error:
            self.results[-1]["notes"].append(str(error).splitlines()[0])


def missing_programs(daemon):
    """(what, how to get it) of everything that is not there."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [
        (name, f"package {package}")
        for name, package in (
            ("ip", "iproute2"),
            ("bridge", "iproute2"),
            ("nginx", "nginx"),
            ("sysctl", "procps"),
        )
        if not shutil.which(name, path=path)
    ]
    if daemon == "keepalived" and not shutil.which("keepalived", path=path):
        missing.append(("keepalived", "package keepalived"))
    built = ["lab_probe"] + (["vipd", "vipctl"] if daemon == "vipd" else [])
    missing += [
        (str(probe.build_directory() / each), "./dev build")
        for each in built
        if not os.access(probe.build_directory() / each, os.X_OK)
    ]
    return missing


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev demo", description="Shows how a pair of nodes keeps its virtual addresses."
    )
    parser.add_argument(
        "--json", metavar="FILE", type=pathlib.Path, help="write the table there too, as a list of objects"
    )
    parser.add_argument("--plain", action="store_true", help="lines instead of a picture, also on a terminal")
    parser.add_argument(
        "--daemon",
        choices=DAEMONS,
        default="vipd",
        help="whom to show (default: vipd); keepalived to compare",
    )
    return parser.parse_args()


def show(options):
    settings = RouterSettings(interval_ms=INTERVAL_MS)
    view = make_view(
        f"{options.daemon}: two nodes keep {' and '.join(settings.addresses)}; advertisement_interval "
        f"{INTERVAL_MS} ms, nginx checked every 100 ms",
        options.plain,
    )
    demo = None
    try:
        group = Group(
            [DAEMONS[options.daemon]] * 2,
            settings,
            PRIORITIES,
            udp_rate=1000,
            http_rate=250,
            http_timeout=CLIENT_TIMEOUT_MS,
            web=Nginx,
        )
        view.attach(group)
        view.doing("waiting for a settled pair")
        group.start()
        for name, daemon in group.daemons.items():
            wait_until(
                lambda d=daemon, n=name: d.settled("Active" if n == "a" else "Backup"),
                SETTLING,
                f"{name} with all checks up",
            )
        demo = Demo(group, view)
        demo.run()
    finally:
        view.close(demo.results if demo else [])
    return demo.results


def main():
    options = arguments()
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    if missing := missing_programs(options.daemon):
        print("The demo needs what is not there:", file=sys.stderr)
        for name, remedy in missing:
            print(f"  {name}  ({remedy})", file=sys.stderr)
        return MISSING
    json_file = options.json.resolve() if options.json else None
    # Opened here: inside, some of the machine's folders look different.
    out = open(json_file, "w", encoding="utf-8") if json_file else None  # pylint: disable=consider-using-with
    try:
        sandbox.enter(needs_users=options.daemon == "keepalived")  # whose scripts do not run otherwise
    except sandbox.NotAllowed as error:
        print(error, file=sys.stderr)
        return sandbox.MAY_NOT
    try:
        results = show(options)
    except sandbox.Interrupted as error:
        print("interrupted; nothing is left", file=sys.stderr)
        return 128 + error.number
    except Timeout as error:
        print(error, file=sys.stderr)
        return 1
    if out:
        json.dump(results, out, indent=2)
        out.write("\n")
        out.close()
    return 1 if any(each["notes"] for each in results) else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads of ours may be reading; the namespaces end with us
