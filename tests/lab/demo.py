#!/usr/bin/env python3
"""Two nodes with real nginx keep two virtual addresses while things go wrong: what `./dev demo` shows.

Everything runs in namespaces of its own on this machine and ends with this program, however it ends. With root they
are real ones, in which vipd has its lease in the kernel; without, they are in a user namespace, which has no lease.
Exit status: 0 everything went as expected, 1 something did not, 2 wrong usage, 77 this machine allows no namespaces,
78 a program is missing, 130 or 143 interrupted. Only vipd is expected to do anything, not the daemon beside it.
"""
import argparse
import contextlib
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
from vipdlab.table import duration, no_counterpart, noticed
from vipdlab.view import make_view
from vipdlab.web import Nginx

INTERVAL_MS = 100
LATENCY_BOUND_MS = 100
SLOW_MS = 300  # how late the slow nginx answers
CLIENT_TIMEOUT_MS = 250  # for the client an answer after that is none
REQUESTS = 250  # a second, to each address
AT_THE_END_NS = 200_000_000  # what still happened in this last stretch had not ended
STALL_MS = 50  # a machine that stood still for longer is worth a line below the table
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
MAKERS = {
    "vipd": functools.partial(Vipd, checks=CHECK),
    "keepalived": functools.partial(Keepalived, check_weight=-60),
}
ONLY_VIPD = ("switch", "router_killed")  # keepalived has no such command, and no such process
NO_LEASE = (
    "after all_killed both nodes answer until the kernel removes the addresses of the dead one, which is within 3 s."
)


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
    """One pair of nodes, all alike, through the events."""

    def __init__(self, group, view, results):
        """`results` gets one for each event, as it is known."""
        self._group, self._view, self._results = group, view, results
        self._kind = group.daemons["a"].kind
        self._old_router = None
        self._cut = "a"  # the node whose cable was unplugged last

    def events(self):
        group = self._group
        daemons, webs, network = group.daemons, group.webs, group.network

        def restart(name):
            daemons[name].start()

        def kill_router(name):
            self._old_router = daemons[name].child("vipd-router")
            return daemons[name].kill_router()

        def cut(name):
            self._cut = name
            return network.cut(group.host(name))

        nothing = lambda _: None  # noqa: E731
        yield Event(
            "cut",
            "the cable of {} is unplugged",
            cut,
            True,
            nothing,
            comes_back=False,
        )
        yield Event(
            "heal",
            f"the cable of {self._cut} is plugged in again",
            lambda _: network.heal(group.host(self._cut)),
            self._cut == "a",  # the preferred one
            nothing,
        )
        yield Event(
            "nginx_killed",
            "nginx on {} is killed (SIGKILL)",
            lambda n: webs[n].kill(),
            True,
            lambda n: webs[n].start(),
        )
        yield Event(
            "nginx_slow",
            f"nginx on {{}} answers {SLOW_MS} ms late; {LATENCY_BOUND_MS} ms are allowed",
            lambda n: webs[n].slow_down(SLOW_MS),
            True,
            lambda n: webs[n].speed_up(),
        )
        yield Event(
            "switch",
            "vipctl switch on {}: a planned move",
            lambda n: daemons[n].switch(),
            True,
            lambda n: daemons[n].switch_back(),
        )
        yield Event(
            "stop",
            f"{self._kind} on {{}} is stopped (SIGTERM)",
            lambda n: daemons[n].begin_stop(),
            True,
            restart,
        )
        yield Event(
            "router_killed",
            "vipd-router on {} is killed (SIGKILL)",
            kill_router,
            False,
            nothing,
            look_on_ms=2000,
        )
        yield Event(
            "all_killed",
            f"all processes of {self._kind} on {{}} are killed (SIGKILL)",
            lambda n: daemons[n].kill_all(),
            True,
            restart,
            look_on_ms=4000,
        )

    def run(self):
        count = len(list(self.events()))
        for number, event in enumerate(self.events(), 1):
            if self._kind != "vipd" and event.name in ONLY_VIPD:
                self._add(no_counterpart(event.name, self._kind))
                continue
            before = wait_until(self._group.active, SETTLING, "exactly one Active")
            self._view.begins(number, count, event.name, event.text.format(before))
            self._add(self._measure(event, before))
            if number < count:
                self._restore(event, self._results[-1])

    def _add(self, result):
        self._results.append(result)
        self._view.result(result)

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
            wait_until(lambda: not daemon.running, SETTLING, f"the end of {self._kind} on {before}")
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
        two_repliers = lambda since: max(group.observer.two_repliers(each, since, until) for each in addresses)
        outages = [outage for each in requests for outage in each.outages]
        if after != expected:
            notes.append(f"Active should be {expected}")
        result = {
            "event": event.name,
            "daemon": self._kind,
            "outage_ms": round(max(each.outage for each in requests), 1),
            "lost": sum(each.lost for each in requests),
            "failed_within_ms": round(
                max((start / 1e6 + ms for start, ms in outages), default=0)
                - min((start / 1e6 for start, _ in outages), default=0),
                1,
            ),
            "failing_at_end": any(each.samples and each.samples[-1].latency is None for each in requests),
            "two_repliers_ms": round(two_repliers(begin), 1),
            "two_repliers_at_end": two_repliers(until - AT_THE_END_NS) > 0,
            "active_before": before,
            "active_after": after,
            "requests": sum(each.sent for each in requests),
            "datagrams": sum(each.sent for each in datagrams),
            "datagrams_lost": sum(each.lost for each in datagrams),
            "datagrams_outage_ms": round(max(each.outage for each in datagrams), 1),
            "longest_stall_ms": round(group.client.longest_stall(begin, until), 1),
            "notes": notes,
        }
        return {**result, "noticed": noticed(result)}

    def _restore(self, event, result):
        """Undoes the event and waits until both nodes are well again."""
        event.undo(result["active_before"])
        self._view.doing("repaired; waiting until both nodes are in their states again")
        active = "a" if event.comes_back else result["active_after"]
        aside = (self._cut,) if event.name == "cut" else ()
        try:
            self._group.settle(active, aside=aside)
            wait_settled(self._group, active, aside)
        except Timeout as error:
            result["notes"].append(str(error).splitlines()[0])


def wait_settled(group, active, aside=()):
    for name, daemon in group.daemons.items():
        if name not in aside:
            wait_until(
                lambda d=daemon, n=name: d.settled("Active" if n == active else "Backup"),
                SETTLING,
                f"{name} with all checks up",
            )


def program(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing_programs(kinds):
    """(what, how to get it) of everything that is not there."""
    packages = {"ip": "iproute2", "bridge": "iproute2", "nginx": "nginx", "sysctl": "procps"}
    if "keepalived" in kinds:
        packages["keepalived"] = "keepalived"
    missing = [(name, f"package {package}") for name, package in packages.items() if not program(name)]
    missing += [
        (str(probe.build_directory() / each), "./dev build")
        for each in ("lab_probe", "vipd", "vipd-router", "vipd-monitor", "vipctl")
        if not os.access(probe.build_directory() / each, os.X_OK)
    ]
    return missing


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev demo",
        allow_abbrev=False,  # ./dev looks at them too
        description="Two nodes, a client, and eight things that go wrong: shows what a user notices. Everything runs in "
        "network namespaces and ends with the demo. With root it shows the lease in the kernel too.",
        epilog="Exit status: 0 vipd did what is expected, 1 it did not, 2 wrong usage, 77 this machine allows no "
        "namespaces, 78 a program is missing, 130 or 143 interrupted.",
    )
    parser.add_argument(
        "--beside",
        choices=[each for each in MAKERS if each != "vipd"],
        help="then run this daemon through the same events, and show both in one table",
    )
    parser.add_argument(
        "--json",
        metavar="FILE",
        type=pathlib.Path,
        help="write the table to FILE too: a list with an object for each event and daemon",
    )
    parser.add_argument("--plain", action="store_true", help="lines instead of a picture, also on a terminal")
    parser.add_argument("--only-arguments", action="store_true", help=argparse.SUPPRESS)  # ./dev, before it builds
    return parser.parse_args()


def introduction(settings, kinds):
    checks = {
        "vipd": "vipd checks nginx every 100 ms",
        "keepalived": f"keepalived checks it with a script every {Keepalived.CHECK_INTERVAL_MS} ms",
    }
    again = "".join(f", then the same nodes with {each}" for each in kinds[1:])
    return [
        f"Two nodes, a and b, with nginx and {kinds[0]}{again}. They share the addresses "
        f"{' and '.join(settings.addresses)}: the Active node serves both, and the other one takes over when it "
        f"fails. Node a is preferred. Advertisements are sent every {settings.interval_ms} ms; "
        f"{' and '.join(checks[each] for each in kinds)}, and {LATENCY_BOUND_MS} ms are allowed for an answer.",
        f"A client requests a page from each address {REQUESTS} times a second. A request without an answer within "
        f"{CLIENT_TIMEOUT_MS} ms has failed.",
        "outage: how long an address did not answer; lost: requests that failed; two repliers: how long both nodes "
        "answered for one address (ARP, Neighbor Discovery); active: the Active node before and after the event.",
    ]


def why_no_lease(group):
    """What vipd says, or None where every virtual router has its lease."""
    leases = [lease for each in group.daemons.values() for lease in (r["lease"] for r in each.routers())]
    return next((each["why_not"] for each in leases if not each["on"]), None)


def run_pair(kind, settings, view, results):
    group = Group(
        [MAKERS[kind]] * 2,
        settings,
        PRIORITIES,
        udp_rate=1000,
        http_rate=REQUESTS,
        http_timeout=CLIENT_TIMEOUT_MS,
        web=Nginx,
    )
    try:
        view.attach(group)
        view.doing(f"{kind} starts; waiting until one node is Active and the other one Backup")
        group.start()
        wait_settled(group, "a")
        if kind == "vipd" and sandbox.is_root_of_the_machine() and (why := why_no_lease(group)):
            view.remark(f"There is no lease in the kernel ({why}): {NO_LEASE}")
        Demo(group, view, results).run()
    finally:
        group.close()


def show(options, kinds):
    settings = RouterSettings(interval_ms=INTERVAL_MS)
    view = make_view(introduction(settings, kinds), options.plain)
    results = []
    try:
        if not sandbox.is_root_of_the_machine():
            view.remark(f"Without root there is no lease in the kernel: {NO_LEASE} To see it with the lease: sudo ./dev demo")
        for kind in kinds:
            run_pair(kind, settings, view, results)
    finally:
        view.close(results)
    worst = max(results, key=lambda each: each.get("longest_stall_ms", 0))
    if worst.get("longest_stall_ms", 0) > STALL_MS:
        view.remark(
            f"This machine was busy with other work, for up to {duration(worst['longest_stall_ms'])} "
            f"({worst['event']}, {worst['daemon']}), which may have added to the figures."
        )
    if len(kinds) == 1 and program("keepalived"):
        sudo = "" if sandbox.is_root_of_the_machine() else "sudo "
        view.remark(f"keepalived is installed: `{sudo}./dev demo --beside keepalived` compares with it.")
    return results


def main():
    options = arguments()
    if options.only_arguments:
        return 0
    kinds = ["vipd", *([options.beside] if options.beside else [])]
    if missing := missing_programs(kinds):
        print("The demo needs programs that are missing:", file=sys.stderr)
        for name, remedy in missing:
            print(f"  {name}  ({remedy})", file=sys.stderr)
        return MISSING
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    if options.beside and os.geteuid() != 0:
        # Its check scripts do not run with the single user that a user namespace has without root.
        print(f"--beside {options.beside} needs root: sudo ./dev demo --beside {options.beside}", file=sys.stderr)
        return sandbox.MAY_NOT
    json_file = options.json.resolve() if options.json else None
    # Opened here: inside, some of the machine's folders look different.
    try:
        out = open(json_file, "w", encoding="utf-8") if json_file else None  # pylint: disable=consider-using-with
    except OSError as error:
        print(f"cannot write {json_file}: {error.strerror}", file=sys.stderr)
        return 2
    with contextlib.suppress(OSError):
        # Nodes and client have machines of their own in real life. So, with root, nothing else on this one delays them.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        sandbox.enter(as_root=True)
    except sandbox.NotAllowed as error:
        print(error, file=sys.stderr)
        return sandbox.MAY_NOT
    try:
        results = show(options, kinds)
    except sandbox.Interrupted as error:
        print("interrupted: all processes of the demo have been ended", file=sys.stderr)
        return 128 + error.number
    except Timeout as error:
        print(error, file=sys.stderr)
        return 1
    if out:
        json.dump([each for each in results if "outage_ms" in each], out, indent=2)
        out.write("\n")
        out.close()
    return 1 if any(each["notes"] for each in results if each["daemon"] == "vipd") else 0


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        status = 1
    sys.stderr.flush()
    os._exit(status)  # threads of ours may be reading; the namespaces end with us
