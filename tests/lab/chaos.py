#!/usr/bin/env python3
"""Three nodes with nginx under a random sequence of faults: what `./dev chaos` runs.

Everything runs in namespaces of its own on this machine; nothing is left, not even after Ctrl-C. The sequence is
made from the seed; --faults repeats single ones of it. As root the lab has real-time priority and the cgroup freezer.
Exit status: 0 no violation, 1 at least one, or a machine too busy to judge, 2 wrong usage, 77 this machine does not
let us, 130 or 143 interrupted.
"""
import argparse
import itertools
import os
import pathlib
import random
import sys
import time

from vipdlab import probe, sandbox
from vipdlab.chaos.kinds import KINDS
from vipdlab.chaos.lab import Lab
from vipdlab.chaos.run import Run


def numbers_of(text):
    """ "7", "7-20" or "7,9" """
    found = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def parse():
    parser = argparse.ArgumentParser(description="Three nodes under a random sequence of faults.")
    parser.add_argument("--minutes", type=float, default=3.0, help="for how long (default: 3)")
    parser.add_argument("--seed", type=int, help="which sequence (default: a new one, which is printed)")
    parser.add_argument("--faults", type=numbers_of, help="only these numbers of the sequence: 7, 7-20, 7,9")
    parser.add_argument(
        "--only", metavar="NAME", help="only faults whose name contains this; a sequence of its own"
    )
    parser.add_argument(
        "--keep", type=pathlib.Path, help="where violations are kept (default: chaos in the build folder)"
    )
    parser.add_argument("--list", action="store_true", help="what there is, and end")
    return parser.parse_args()


def main():
    arguments = parse()
    if arguments.list:
        for kind in KINDS:
            print(f"{kind.name}: {' '.join((kind.__doc__ or '').split())}".rstrip(": "))
        return
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1, 1_000_000)
    keep = (arguments.keep or probe.build_directory() / "chaos").resolve()
    if arguments.only and not any(arguments.only in each.name for each in KINDS):
        print(f'no fault is named like "{arguments.only}"; --list tells them', file=sys.stderr)
        sys.exit(2)
    keep.mkdir(parents=True, exist_ok=True)
    try:
        sandbox.enter(as_root=True)
    except sandbox.NotAllowed as error:
        print(f"skipped: {error}")
        sys.exit(sandbox.MAY_NOT)
    try:
        status = chaos(arguments, seed, keep)
    except sandbox.Interrupted as error:
        status = 128 + error.number
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def chaos(arguments, seed, keep):
    lab = Lab()
    freezer = "on" if lab.freezer.works else "not permitted here"
    print(f"chaos with seed {seed}; lease: {lab.lease_text}; freezer: {freezer}", flush=True)
    try:
        run = Run(lab, seed, keep, arguments.only)
        numbers = arguments.faults or itertools.count()
        until = float("inf") if arguments.faults else time.monotonic() + 60 * arguments.minutes
        try:
            run.go(numbers, until)
        finally:
            run.report()
    finally:
        lab.close()
    return 0 if run.passed() else 1


if __name__ == "__main__":
    main()
