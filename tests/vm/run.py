#!/usr/bin/env python3
"""The time-travel lab: vipd and keepalived, unmodified, in a machine with simulated time; what `./dev vm` runs.

The same script (measure.py) drives both, one after the other, in a User Mode Linux kernel whose clock stands still
while anything computes. So figures are exact and repeat to the microsecond, whatever else this machine does; an hour is
over in seconds. A table shows both side by side, and what vipd promises is checked to the millisecond.
Exit status: 0 all promises are kept, 1 one is not, 2 wrong usage, 77 the kernel has not been built, 130 or 143
interrupted.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import statistics
import sys
import time

import machine

HERE = pathlib.Path(__file__).resolve().parent
MAY_NOT = 77
# (case, interval in ms): each runs in a machine of its own, which is over sooner than one after the other in one.
SHORT = (
    ("failover", 1000),
    ("failover", 100),
    ("handover", 1000),
    ("handover", 100),
    ("reload", 1000),
    ("reload", 100),
    ("crash", 1000),
    ("crash", 100),
    ("clock", 1000),
    ("clock", 100),
    ("flap", 1000),
    ("flap", 100),
)
LONG = (("loss", 1000),)
SOAK = (("soak", 1000),)
LIMIT = 14400  # seconds of real time for one case
BACKUP = 200  # the priority of the node that takes over


def take_over_us(interval_ms):
    """RFC 9568 section 6.1: three intervals and Skew_Time."""
    return interval_ms * 1000 * (3 + (256 - BACKUP) / 256)


class Promise:
    """What a figure of vipd must be: at least and at most, for each of its values."""

    def __init__(self, figure, least, most):
        self.figure, self.least, self.most = figure, least, most

    def broken_by(self, values):
        return [each for each in values if not self.least <= each <= self.most]


def promises(case, interval_ms):
    """Of a case, in microseconds and counts. A millisecond is granted for what computing costs the kernel's timers."""
    interval = interval_ms * 1000
    if case == "failover":
        exact = take_over_us(interval_ms)
        return [
            Promise("last advertisement to address on the other node", exact - 1000, exact + 1000),
            Promise("last advertisement to announcement", exact - 1000, exact + 1000),
            Promise(
                "outage that a client sees", exact - interval - 6000, exact + 6000
            ),  # datagrams are 5 ms apart
        ]
    if case == "handover":
        return [
            Promise("stop: datagrams lost", 0, 0),
            Promise("return: datagrams lost", 0, 0),
            # The two events are read one after the other, which may turn them round.
            Promise("stop: address on both nodes (negative: on none)", -100, 1000),
            Promise("return: address on both nodes (negative: on none)", -100, 1000),
        ]
    if case in ("reload", "clock"):
        return [
            Promise("longest time between two advertisements", interval - 1000, interval + 1000),
            Promise("datagrams lost", 0, 0),
            Promise("addresses that came or went", 0, 0),
        ]
    if case == "crash":
        return [
            Promise("longest time between two advertisements", interval - 1000, 1.5 * interval),
            Promise("datagrams lost", 0, 0),
            Promise("take-overs by the other node", 0, 0),
        ]
    if case == "soak":
        return [
            Promise("addresses that came or went on quiet days", 0, 0),
            Promise("the preferred node alone has the address at the end", 1, 1),
        ]
    return []


def interrupt(number, _frame):
    raise KeyboardInterrupt(number)


def measure(daemon, case, interval_ms, build, days):
    """Runs one case of one daemon in a machine of its own; its lines."""
    outcome = machine.run(
        ["/usr/bin/python3", HERE / "measure.py", daemon, f"{case}:{interval_ms}"],
        environment={
            "VIPD_BUILD": build,
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAB_PROBE_NO_STALLS": "1",
            "SOAK_DAYS": days,
        },
        limit=LIMIT,
    )
    if outcome.status != 0:
        raise RuntimeError(
            f"{daemon}, {case} at {interval_ms} ms: exit status {outcome.status}\n{outcome.errors[-4000:]}"
        )
    return [json.loads(line) for line in outcome.output.splitlines()], outcome.seconds


def in_words(values):
    """A figure for the table: "3 218 750 [3 218 749 .. 3 218 752] us"."""
    if "count" in values:
        numbers = values["count"]
        return " ".join(str(each) for each in numbers) if len(set(numbers)) > 1 else str(numbers[0])
    numbers = [round(each) for each in values["us"]]
    middle = f"{round(statistics.median(numbers)):,}".replace(",", " ")
    low, high = (f"{each:,}".replace(",", " ") for each in (min(numbers), max(numbers)))
    return f"{middle} us" if low == high else f"{middle} [{low} .. {high}] us"


def table(results, daemons):
    rows, seen = [], []
    for lines in results.values():
        for line in lines:
            key = (line["case"], line["figure"])
            if key not in seen:
                seen.append(key)
    found = {
        (daemon, line["case"], line["figure"]): line
        for (daemon, *_), lines in results.items()
        for line in lines
    }
    last = None
    width = max(len(figure) for _, figure in seen) + 4
    columns = max(len(in_words(each)) for each in found.values()) + 2
    rows.append(" " * width + "".join(f"{daemon:<{columns}}" for daemon in daemons))
    for case, figure in seen:
        if case != last:
            rows.append(case)
            last = case
        cells = [found.get((daemon, case, figure)) for daemon in daemons]
        rows.append(
            f"  {figure:<{width - 2}}"
            + "".join(f"{in_words(each) if each else '-':<{columns}}" for each in cells)
        )
    return "\n".join(each.rstrip() for each in rows)


def broken(results):
    found = []
    for (daemon, case, interval_ms), lines in results.items():
        if daemon != "vipd":
            continue
        figures = {line["figure"]: line for line in lines}
        for promise in promises(case, interval_ms):
            line = figures[promise.figure]
            for value in promise.broken_by(line.get("us") or line.get("count")):
                found.append(
                    f"{line['case']}: {promise.figure}: {value:g}, not {promise.least:g} to {promise.most:g}"
                )
    return found


def parse():
    parser = argparse.ArgumentParser(description="vipd beside keepalived in simulated time.")
    parser.add_argument(
        "--only", metavar="CASE", help="failover, handover, reload, crash, clock, flap, loss or soak"
    )
    parser.add_argument(
        "--quick", action="store_true", help="vipd alone, at 100 ms, without the hour of loss"
    )
    parser.add_argument("--soak", action="store_true", help="a week too: an hour or two more")
    parser.add_argument("--days", type=int, default=7, help="with --soak: how many (default: 7)")
    parser.add_argument("--vipd", action="store_true", help="without keepalived")
    parser.add_argument("--json", action="store_true", help="the figures as JSON in place of the table")
    return parser.parse_args()


def main():
    arguments = parse()
    if machine.kernel() is None:
        print(f"skipped: no kernel in {machine.kernel_place()}; ./dev vm builds it, once")
        sys.exit(MAY_NOT)
    build = pathlib.Path(os.environ.get("VIPD_BUILD") or HERE.parents[1] / "build").resolve()
    daemons = ["vipd"] if arguments.vipd or not shutil.which("keepalived") else ["vipd", "keepalived"]
    cases = SHORT + LONG + SOAK if arguments.soak or arguments.only == "soak" else SHORT + LONG
    if arguments.quick:
        daemons, cases = ["vipd"], [each for each in SHORT if each[1] == 100]
    cases = [each for each in cases if arguments.only in (None, each[0])]
    if not cases:
        print(f'there is no case "{arguments.only}"', file=sys.stderr)
        sys.exit(2)
    begin = time.monotonic()
    results = {}
    signal.signal(signal.SIGTERM, interrupt)
    # Simulated time does not mind a busy machine: as many machines at once as there are processors.
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        running = {
            (daemon, *case): pool.submit(measure, daemon, *case, build, arguments.days)
            for case in cases
            for daemon in daemons
        }
        try:
            for (daemon, case, interval_ms), future in running.items():
                results[daemon, case, interval_ms], seconds = future.result()
                print(
                    f"vm: {daemon}, {case} at {interval_ms} ms: {seconds:.0f} s", file=sys.stderr, flush=True
                )
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            machine.end_all()
            raise
    if arguments.json:
        print(
            json.dumps(
                [{"daemon": daemon, **line} for (daemon, *_), lines in results.items() for line in lines],
                indent=1,
            )
        )
    else:
        print(table(results, daemons))
    found = broken(results)
    for each in found:
        print(f"BROKEN PROMISE: {each}")
    print(
        f"{time.monotonic() - begin:.0f} s; {len(found) or 'no'} broken promise{'' if len(found) == 1 else 's'}",
        file=sys.stderr,
    )
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt as interrupted:
        sys.exit(128 + (interrupted.args[0] if interrupted.args else signal.SIGINT))
