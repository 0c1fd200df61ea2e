"""A run of the chaos lab: the sequence that a seed makes, re-tries, what is kept of a violation, and the table."""
import collections
import contextlib
import dataclasses
import datetime
import itertools
import json
import random
import time

from ..processes import Timeout, reap
from .canary import Canary
from .fault import Together
from .kinds import KINDS
from .sentences import SECOND, Finding, Seen, judge

STALL_MS = 6.0  # a machine that stood still for longer may be the reason of what was measured
EXCUSE = 5  # and it explains no more than so many times the stalls
TRIES = 5
MOST_UNJUDGED = 0.1  # of all faults: beyond this nothing was shown
CALM = 0.3  # seconds between two faults
MOST_LOG, MOST_LINES = 1 << 20, 2000  # of a node: characters of its log, lines in the timeline
TOGETHER = 0.2  # how often two faults come at once


# What changes after so many faults: an interval, and priorities, whose distance a failed check can bridge.
ROUND = 50
INTERVALS_MS = (100, 100, 50, 200, 300, 1000)
PRIORITIES = ((250, 200, 150), (200, 150, 100), (254, 253, 252), (111, 110, 109))


class Sequence:
    """Fault number N of a seed: the same whatever happened before, so that a single one can be repeated."""

    def __init__(self, seed, only=None):
        self._seed = seed
        self._kinds = [each for each in KINDS if only is None or only in each.name]
        if not self._kinds:
            raise ValueError(f'no fault is named like "{only}"')

    @staticmethod
    def _round(number):
        return number // ROUND

    def surroundings(self, number):
        """(advertisement interval in ms, priorities of a, b and c) when fault number N comes."""
        if self._round(number) == 0:
            return INTERVALS_MS[0], PRIORITIES[0]
        dice = random.Random(f"{self._seed}/surroundings {self._round(number)}")
        priorities = list(dice.choice(PRIORITIES))
        dice.shuffle(priorities)
        return dice.choice(INTERVALS_MS), tuple(priorities)

    def fault(self, lab, number):
        """The fault, or None where this machine does not let us do it."""
        dice = random.Random(f"{self._seed}/{number}")
        fault = self._one(lab, dice, self._kind(number), None)
        if fault.joins and dice.random() < TOGETHER:
            others = [each for each in self._kinds if each.joins]
            if others:
                second = self._one(lab, dice, dice.choice(others), fault.node)
                if second is not None and second.possible():
                    fault = Together(lab, fault, second, round(dice.uniform(0, 1) * min(fault.lasts, 1.0), 3))
        return fault if fault.possible() else None

    def _kind(self, number):
        """Every kind once in each round, in a new order each time."""
        turn, place = divmod(number, len(self._kinds))
        order = list(self._kinds)
        random.Random(f"{self._seed}/round {turn}").shuffle(order)
        return order[place]

    @staticmethod
    def _one(lab, dice, kind, not_this):
        ranks = [each for each in lab.by_rank() if each is not not_this]
        best = lab.by_rank()[0]
        candidates = [each for each in ranks if kind.needs_best is None or (each is best) == kind.needs_best]
        if not candidates:
            return None
        # The Active more often than the others: there is more to lose.
        weights = [3 if each is best else 1 for each in candidates]
        return kind(lab, dice, dice.choices(candidates, weights)[0])


@dataclasses.dataclass
class Row:
    """A kind of fault in the table."""

    tried: int = 0
    repeated: int = 0
    unjudged: int = 0
    violations: int = 0
    gap: tuple = (0.0, 0.0)  # the worst, and what was allowed then
    two: tuple = (0.0, 0.0)

    def take(self, gap, allowed_gap, two, allowed_two):
        self.gap = max(self.gap, (gap, allowed_gap))
        self.two = max(self.two, (two, allowed_two))


class Run:
    def __init__(self, lab, seed, keep, only=None):
        self.lab, self.seed, self.keep, self.only = lab, seed, keep, only
        self.sequence = Sequence(seed, only)
        self.rows = collections.defaultdict(Row)
        self.violations = []  # (number, text, findings, folder)
        self.done = 0
        self._impossible = collections.Counter()
        self._log_sizes = {}

    def go(self, numbers, until):
        """The faults of these numbers, one after the other, until the time (of time.monotonic) is over."""
        self.begin = time.monotonic()
        self.canary = Canary()
        try:
            self._go(numbers, until)
        finally:
            self.canary.stop()

    def _go(self, numbers, until):
        for number in numbers:
            if time.monotonic() >= until:
                break
            self._surround(number)
            fault = self.sequence.fault(self.lab, number)
            if fault is None:
                self._impossible[self.sequence._kind(number).name] += 1
                continue
            self._try(number, fault)
            self.done += 1

    def _surround(self, number):
        interval_ms, priorities = self.sequence.surroundings(number)
        if (interval_ms, priorities) == (self.lab.interval_ms, self.lab.priorities):
            return
        order = ", ".join(f"{name} {priority}" for name, priority in zip(self.lab.nodes, priorities))
        print(f"      all nodes anew: advertisements every {interval_ms} ms, priorities {order}", flush=True)
        self.lab.rebuild(interval_ms, priorities)
        self._log_sizes.clear()

    def _try(self, number, fault):
        repeated = []
        for attempt in itertools.count(1):
            seen, findings = self._once(fault)
            workers = self.canary.waited_ms(seen.since, seen.until)
            excused = findings and self.excused(seen, findings, workers)
            if not excused or attempt == TRIES:
                break
            repeated.append(
                f"{findings[0].text} (the machine stood still for {seen.stalls()[0]:.0f} ms, the kernel's workers for {workers:.0f} ms)"
            )
            fault = self.sequence.fault(self.lab, number)
        row = self.rows[fault.name]
        row.tried += 1
        row.repeated += len(repeated)
        gap, two = seen.worst_gap(), seen.worst_two()
        if excused:
            row.unjudged += 1
            repeated.append(f"{findings[0].text}: not judged, the machine does not come to rest")
            findings = []
        else:
            row.take(gap, seen.allowed_gap(), two, seen.allowed_two())
        self._say(number, fault, seen, gap, two, repeated)
        if findings:
            row.violations += 1
            folder = self._keep(number, fault, seen, findings)
            self.violations.append((number, fault.text, findings, folder))
            for each in findings:
                print(f"      VIOLATION, {each.sentence}: {each.text}", flush=True)
            print(f"      kept in {folder}; again: {self._again(number)}", flush=True)
        if seen.unsettled:
            print("      starting all nodes anew", flush=True)
            self.lab.rebuild()
            self._log_sizes.clear()
        self._forget(seen)

    @staticmethod
    def excused(seen, findings, workers=0.0):
        """May a machine that stood still be the reason for all that was found? workers: ms that the kernel's waited."""
        longest, together = seen.stalls()

        def excuse(finding):
            if finding.excess is None:
                return False
            if longest > STALL_MS and finding.excess <= EXCUSE * together:
                return True
            # An IPv6 address that is there serves when a worker of the kernel has run.
            return finding.ipv6 and finding.excess <= EXCUSE * workers

        return all(excuse(each) for each in findings)

    def _again(self, number):
        return f"./dev chaos --seed {self.seed} --faults {number}" + (
            f' --only "{self.only}"' if self.only else ""
        )

    def _say(self, number, fault, seen, gap, two, repeated):
        elapsed = datetime.timedelta(seconds=int(time.monotonic() - self.begin))
        target = "" if isinstance(fault, Together) else f"{fault.node.name}: "
        settled = (seen.until - seen.ended) / 1e9 - max(CALM, 1.25 * self.lab.interval_ms / 1000)
        print(
            f"{elapsed} #{number} {target}{fault.text}: without service {gap:.0f} of {seen.allowed_gap():.0f} ms, "
            f"two {two:.0f} of {seen.allowed_two():.0f} ms, as before after {settled:.1f} s",
            flush=True,
        )
        for each in repeated:
            print(f"      tried again: {each}", flush=True)

    def _once(self, fault):
        lab = self.lab
        self._new_lines()
        before, cpu = self._programs(), self._cpu()
        problem = ""
        since = time.monotonic_ns()
        try:
            fault.play()
        except (RuntimeError, AssertionError, OSError) as error:
            problem = f"while it was done: {error}"
        ended = time.monotonic_ns()
        allowance = fault.allowance()
        unsettled = problem or self._settle(allowance.settle)
        # Each Backup has heard the Active before the next fault comes.
        time.sleep(max(CALM, 1.25 * lab.interval_ms / 1000))
        until = time.monotonic_ns()
        used = {key: seconds - cpu.get(key, 0.0) for key, seconds in self._cpu().items()}
        seen = Seen(
            lab,
            fault,
            allowance,
            since,
            ended,
            until,
            unsettled,
            before,
            self._programs(),
            used,
            self._new_lines(),
        )
        findings = judge(seen)
        if problem:
            findings.insert(0, Finding("the fault could be done", problem))
        reap([pid for _, pid in before.items()])
        return seen, findings

    def _settle(self, seconds):
        end = time.monotonic() + seconds
        while True:
            missing = self.lab.unsettled()
            if not missing or time.monotonic() > end:
                return missing
            time.sleep(0.05)

    def _programs(self):
        return {
            (node.name, each.program): each.pid
            for node in self.lab.nodes.values()
            for each in node.processes()
        }

    def _cpu(self):
        found = {}
        for node in self.lab.nodes.values():
            for each in node.processes():
                used = each.cpu()
                if used is not None:
                    found[node.name, each.program, each.pid] = used
        return found

    def _new_lines(self):
        lines = {}
        for name, node in self.lab.nodes.items():
            with open(node.daemon.process.log_file, encoding="utf-8", errors="replace") as log:
                log.seek(self._log_sizes.get(name, 0))
                lines[name] = log.read().splitlines()
                self._log_sizes[name] = log.tell()
        return lines

    def _forget(self, seen):
        before = seen.since - 10 * SECOND
        self.lab.group.client.forget(before)
        self.lab.group.observer.forget(before)
        self.lab.watch.forget(before)

    # --- what is kept

    def _keep(self, number, fault, seen, findings):
        folder = self.keep / f"seed-{self.seed}-fault-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        text = [f"{fault.node.name}: {fault.text}", f"again: {self._again(number)}", ""]
        text += [f"{each.sentence}: {each.text}" for each in findings]
        text += [
            "",
            f"the machine stood still for {seen.stalls()[0]:.1f} ms at most",
            "",
            *self._timeline(seen),
        ]
        (folder / "violation.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
        for name, node in self.lab.nodes.items():
            (folder / f"{name}.log").write_text(node.daemon.log()[-MOST_LOG:], encoding="utf-8")
            with contextlib.suppress(RuntimeError, OSError, Timeout):
                (folder / f"{name}.status.json").write_text(
                    json.dumps(node.daemon.status(), indent=1), encoding="utf-8"
                )
            (folder / f"{name}.yaml").write_text(node.configuration(), encoding="utf-8")
        return folder

    def _timeline(self, seen):
        """Everything that was seen, by milliseconds since the fault began."""
        lab, events = self.lab, []

        def note(moment, text):
            events.append((moment, text))

        note(seen.since, "the fault begins")
        note(seen.ended, "the fault has ended")
        note(seen.until, "end" if not seen.unsettled else f"end, and not settled: {seen.unsettled}")
        for moment, name, address, came in lab.watch.history(seen.since, seen.until):
            note(moment, f"{name} {'has' if came else 'no longer has'} {address}")
        for address in lab.addresses:
            self._note_service(note, seen, address)
            self._note_repliers(note, seen, address)
        for host in lab.network.nodes:
            self._note_adverts(note, seen, host)
        offset = time.time_ns() - time.monotonic_ns()
        for name, lines in seen.logs.items():
            for line in lines[:MOST_LINES]:
                note(self._moment(line, offset, seen.since), f"{name}| {line}")
        for moment, late in lab.group.client.stalls(seen.since, seen.until):
            note(moment, f"the machine has stood still for {late / 1e6:.1f} ms")
        events.sort(key=lambda each: each[0])
        return [f"{(moment - seen.since) / 1e6:10.1f} ms  {text}" for moment, text in events]

    def _note_service(self, note, seen, address):
        last = None
        for each in self.lab.group.client.udp(address, seen.since, seen.until).samples:
            now = "nobody" if each.latency is None else each.node
            if now != last:
                note(each.sent, f"{address} is served by {now}")
            last = now

    def _note_repliers(self, note, seen, address):
        last = None
        for asked, macs in self.lab.group.observer.repliers(address, seen.since, seen.until):
            now = " and ".join(sorted(self.lab.network.name_of(mac) for mac in macs)) or "nobody"
            if now != last:
                note(asked, f"{address} is answered for by {now}")
            last = now

    def _note_adverts(self, note, seen, host):
        last = {}
        adverts = self.lab.group.observer.adverts(host.mac, seen.since, seen.until)
        for each in adverts:
            before = last.get(each.family)
            what = f"IPv{each.family} priority {each.priority} every {each.interval_cs * 10} ms"
            if before is None or before.priority != each.priority or before.interval_cs != each.interval_cs:
                note(each.seen, f"{host.name} advertises {what}")
            elif each.seen - before.seen > 1.5 * before.interval_cs * 10_000_000:
                note(
                    each.seen,
                    f"{host.name} advertises {what}, {(each.seen - before.seen) / 1e6:.0f} ms after the last",
                )
            last[each.family] = each
        for each in last.values():
            if each.seen < seen.until - 15 * each.interval_cs * 1_000_000:
                note(each.seen, f"{host.name} advertises IPv{each.family} for the last time")

    @staticmethod
    def _moment(line, offset, otherwise):
        """When a log line was written: it begins with the local time."""
        try:
            clock = datetime.datetime.strptime(line[:12], "%H:%M:%S.%f").time()
        except ValueError:
            return otherwise
        today = datetime.datetime.fromtimestamp((otherwise + offset) / 1e9).date()
        return int(datetime.datetime.combine(today, clock).timestamp() * 1e9) - offset

    # --- the end

    def report(self):
        minutes = (time.monotonic() - self.begin) / 60
        width = max([len(name) for name in self.rows] + [5])
        print(
            f"\n{'fault':<{width}}  tried  again  not judged  without service, ms  two Actives, ms  violations\n"
            f"{'':<{width}}                               worst of allowed     worst of allowed"
        )
        for name, row in sorted(self.rows.items()):
            print(
                f"{name:<{width}}  {row.tried:5}  {row.repeated:5}  {row.unjudged:10}  {row.gap[0]:8.0f} of {row.gap[1]:<8.0f}"
                f"  {row.two[0]:7.0f} of {row.two[1]:<7.0f} {row.violations:6}"
            )
        for name, count in self._impossible.items():
            print(f"{name:<{width}}  not possible here ({count} times)")
        for number, text, findings, folder in self.violations:
            print(f"\nVIOLATION in #{number}, {text}")
            for each in findings:
                print(f"    {each.sentence}: {each.text}")
            print(f"    kept in {folder}; again: {self._again(number)}")
        print(
            f"\n{self.done} faults in {minutes:.1f} minutes, seed {self.seed}: "
            f"{len(self.violations) or 'no'} violation{'' if len(self.violations) == 1 else 's'}; "
            f"{sum(row.repeated for row in self.rows.values())} tried again because the machine stood still, "
            f"{self.unjudged()} not judged",
            flush=True,
        )

    def unjudged(self):
        return sum(row.unjudged for row in self.rows.values())

    def passed(self):
        """No violation, and enough was judged."""
        return not self.violations and self.unjudged() <= MOST_UNJUDGED * self.done
