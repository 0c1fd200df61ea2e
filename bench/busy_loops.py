#!/usr/bin/env python3
"""False take-overs of a machine that is too busy: vipd beside keepalived, both with their default settings, in the
same run. Two nodes with 50 virtual routers at 10 ms, 8 busy loops for 30 s: nothing has failed, so nobody should move. A
machine that stood still for more than three intervals itself has shown nothing: run it again.
"""
import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "lab"))

from vipdlab import sandbox  # noqa: E402
from vipdlab.group import Group  # noqa: E402
from vipdlab.many import ManyKeepalived, ManyVipd, false_take_overs, many  # noqa: E402


def cpu_seconds(daemon):
    """Of the daemon and its programs so far."""
    from vipdlab.processes import descendants

    total = 0
    for pid in (daemon.process.pid, *descendants(daemon.process.pid)):
        words = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")


def run(kind, arguments):
    makers, settings = many(kind, arguments.routers, arguments.interval)
    group = Group(makers, settings, (250, 200))
    try:
        group.start()
        before = {name: cpu_seconds(each) for name, each in group.daemons.items()}
        moves, since, until = false_take_overs(group, arguments.loops, arguments.seconds)
        used = {name: cpu_seconds(each) - before[name] for name, each in group.daemons.items()}
        window = group.client.udp(settings.addresses[0], since, until)
        seconds = (until - since) / 1e9
        print(
            f"{kind.kind:<12} {moves:16} {100 * used['a'] / seconds:12.1f} {100 * used['b'] / seconds:12.1f}"
            f" {window.lost:8} of {window.sent} {group.client.longest_stall(since, until):22.1f}",
            flush=True,
        )
    finally:
        group.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--routers", type=int, default=50, help="virtual routers (%(default)s)")
    parser.add_argument("--interval", type=int, default=10, help="Advertisement_Interval in ms (%(default)s)")
    parser.add_argument("--loops", type=int, default=8, help="busy loops (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30, help="for so long (%(default)s)")
    arguments = parser.parse_args()
    try:
        sandbox.enter(needs_kernel=True)
    except sandbox.NotAllowed as error:
        sys.exit(f"{error}")
    print(f"{'':<12} false take-overs  Active CPU %  Backup CPU %  datagrams lost  the machine stood still for, ms", flush=True)
    for kind in (ManyVipd, ManyKeepalived):
        run(kind, arguments)
    sys.stdout.flush()
    os._exit(0)


main()
