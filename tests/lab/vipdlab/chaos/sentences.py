"""What must hold whatever is done to the nodes. Each sentence is a function that reads what was seen and returns
findings; the simulation checks the same sentences on its simulated LAN.

Never two: for longer than the fault allows, no two hosts answer for an address.
Never none: for longer than the fault allows, no client is without service.
No needless move: another node serves only where a fault makes it necessary. A photo finish is one move: two Backups whose
  Skew_Times are closer than a machine's timers take over together, and the lesser may be seen until it hears the other.
Held by the Active alone: at the end the best node is Active, all others are Backup, and only it has the addresses.
Gone from the dead: a node without programs has no address after dead_man.
Listen first: an Active that stood still advertises nothing until it has listened.
No storm: advertisements per second are bounded.
No busy loop: no program uses more CPU than its work.
No other death: no program ends that the fault did not end, and none is left over.
No mistake of ours: no assertion, no exception in a log.
"""
import dataclasses
import re

from .fault import MOVE_GAP, MOVE_TWO
from .lab import DEAD_MAN

SECOND = 1_000_000_000
DATAGRAM_GAP = 5  # ms: single datagrams that come late
HTTP_GAP = 60  # requests are 20 ms apart
TWO_SAMPLES = 6  # ms: questions are 2 ms apart, and an answer may belong to the one before
ANSWERS_PER_INTERVAL = 5  # an advertisement, and four answers
PHOTO_FINISH = 5  # ms: Skew_Times closer than this do not decide who is first
BUSY = 0.35  # of a core, over at least a second
MISTAKES = re.compile(
    r"ssertion|terminate called|AddressSanitizer|runtime error|what\(\)|core dumped|stack smashing"
)


@dataclasses.dataclass(frozen=True)
class Finding:
    sentence: str
    text: str
    # By how many milliseconds more than allowed, where a machine that stood still may be the reason; None: it cannot.
    excess: float | None = None
    ipv6: bool = False  # what an IPv6 address alone was without


@dataclasses.dataclass
class Seen:
    """One fault from begin to end, and all that is needed to judge it."""

    lab: object
    fault: object
    allowance: object
    since: int  # nanoseconds of CLOCK_MONOTONIC: just before begin()
    ended: int  # after end()
    until: int  # settled, and some calm after that
    unsettled: str  # what was still missing when the time was over
    before: dict  # {(node, program): pid} at since
    after: dict
    cpu: dict  # {(node, program, pid): seconds used meanwhile}
    logs: dict  # {node: lines written meanwhile}

    def worst_gap(self):
        client = self.lab.group.client
        return max(client.udp(each, self.since, self.until).outage for each in self.lab.addresses)

    def worst_two(self):
        observer = self.lab.group.observer
        return max(observer.two_repliers(each, self.since, self.until) for each in self.lab.addresses)

    def stalls(self):
        """(the longest, all together) in milliseconds, as the client or the observer saw them."""
        lookers = (self.lab.group.client, self.lab.group.observer)
        return max(
            (each.longest_stall(self.since, self.until), each.all_stalls(self.since, self.until))
            for each in lookers
        )

    def allowed_gap(self):
        return self.allowance.gap + MOVE_GAP * self.allowance.moves + DATAGRAM_GAP

    def allowed_two(self):
        return self.allowance.two + MOVE_TWO * self.allowance.moves + TWO_SAMPLES


def never_two(seen):
    for address in seen.lab.addresses:
        two = seen.lab.group.observer.two_repliers(address, seen.since, seen.until)
        if two > seen.allowed_two():
            yield Finding(
                "never two",
                f"{address}: two answered for {two:.0f} ms, at most {seen.allowed_two():.0f} are allowed",
                two - seen.allowed_two(),
            )


def never_none(seen):
    client = seen.lab.group.client
    for address in seen.lab.addresses:
        allowed = seen.allowed_gap()
        window = client.udp(address, seen.since, seen.until)
        if window.outage > allowed:
            yield Finding(
                "never none",
                f"{address}: {window.outage:.0f} ms without service ({window.lost} datagrams), at most {allowed:.0f} are allowed",
                window.outage - allowed,
                ":" in address,
            )
        allowed += seen.allowance.http + HTTP_GAP
        window = client.http(address, seen.since, seen.until)
        if window.outage > allowed:
            yield Finding(
                "never none",
                f"{address}: {window.outage:.0f} ms without HTTP ({dict(window.failures)}), at most {allowed:.0f} are allowed",
                window.outage - allowed,
                ":" in address,
            )


def servers(lab, window):
    """Who served, in order, without the losers of photo finishes."""
    ranks = dict(zip("abc", lab.priorities))
    stints = []  # [node, first sample, after silence]
    silent = False
    for each in window.samples:
        if each.latency is None:
            silent = True
            continue
        if not stints or stints[-1][0] != each.node:
            stints.append((each.node, each.sent, silent))
        silent = False
    order = [node for node, _, _ in stints[:1]]
    for (node, since, took_over), (winner, until, _) in zip(stints[1:], stints[2:] + [("", 0, False)]):
        apart_ms = (ranks.get(winner, 0) - ranks[node]) * lab.interval_ms / 256
        beaten_ms = (until - since) / 1e6
        if not (took_over and 0 < apart_ms < PHOTO_FINISH and 0 < beaten_ms < lab.interval_ms):
            order.append(node)
    return order


def no_needless_move(seen):
    for address in seen.lab.addresses:
        nodes = servers(seen.lab, seen.lab.group.client.udp(address, seen.since, seen.until))
        if len(nodes) - 1 > seen.allowance.moves:
            yield Finding(
                "no needless move",
                f"{address}: served by {' '.join(nodes)}, {seen.allowance.moves} moves are allowed",
                seen.lab.interval_ms,  # no node takes over except because of silence
            )


def held_by_the_active_alone(seen):
    if seen.unsettled:
        yield Finding(
            "held by the Active alone", f"{seen.allowance.settle:g} s after the fault: {seen.unsettled}"
        )


def gone_from_the_dead(seen):
    for name, died, started in seen.fault.dead:
        moment = died + int((DEAD_MAN + 0.5) * SECOND)
        if moment < (started or seen.until) and seen.lab.watch.present_at(name, moment):
            yield Finding("gone from the dead", f"{DEAD_MAN + 0.5:g} s after its death {name} has an address")


def listen_first(seen):
    for name, moment, still in seen.fault.resumed:
        # Even the best Backup has taken over after this; the resumed one listens for three intervals at least.
        if still * 1000 < 4 * seen.lab.interval_ms + 100:
            continue
        mac = seen.lab.group.host(name).mac
        early = [
            each
            for each in seen.lab.group.observer.adverts(
                mac, moment, moment + 2 * seen.lab.interval_ms * 1_000_000
            )
            if each.priority > 0
        ]
        if early:
            after = (early[0].seen - moment) / 1e6
            yield Finding(
                "listen first",
                f"{name} stood still for {still:.2f} s and advertised {after:.1f} ms after it went on",
                2 * seen.lab.interval_ms - after,
            )


def no_storm(seen):
    seconds = (seen.until - seen.since) / SECOND
    for host in seen.lab.network.nodes:
        adverts = seen.lab.group.observer.adverts(host.mac, seen.since, seen.until)
        for family in (4, 6):
            count = sum(each.family == family for each in adverts)
            shortest = min([seen.lab.interval_ms, *(each.interval_cs * 10 for each in adverts)])
            allowed = ANSWERS_PER_INTERVAL * seconds * 1000 / shortest + 10
            if count > allowed:
                yield Finding(
                    "no storm",
                    f"{host.name} sent {count} advertisements of IPv{family} in {seconds:.1f} s, at most {allowed:.0f} are allowed",
                )


def no_busy_loop(seen):
    seconds = (seen.until - seen.since) / SECOND
    if seen.allowance.busy or seconds < 1:
        return
    for (name, program, _), used in seen.cpu.items():
        if used / seconds > BUSY:
            yield Finding("no busy loop", f"{program} on {name} used {used:.2f} s of CPU in {seconds:.1f} s")


def no_other_death(seen):
    for key, pid in seen.before.items():
        now = seen.after.get(key)
        if now is not None and now != pid and key not in seen.allowance.ends:
            yield Finding("no other death", f"{key[1]} on {key[0]} has been replaced")


def no_mistake_of_ours(seen):
    for name, lines in seen.logs.items():
        for line in lines:
            if MISTAKES.search(line):
                yield Finding("no mistake of ours", f"{name}: {line}")


ALL = (
    never_two,
    never_none,
    no_needless_move,
    held_by_the_active_alone,
    gone_from_the_dead,
    listen_first,
    no_storm,
    no_busy_loop,
    no_other_death,
    no_mistake_of_ours,
)


def judge(seen):
    return [finding for sentence in ALL for finding in sentence(seen)]
