"""What the client and the observer saw: reads the lines of lab_probe and answers for a stretch of time.

All times are nanoseconds of CLOCK_MONOTONIC, all results milliseconds.
"""
import bisect
import collections
import dataclasses
import os
import pathlib
import statistics
import subprocess
import threading
import time

from .processes import PATIENCE, wait_until

SLOWEST = 0.35  # seconds after which the fate of each probe is known and printed
ECHO_PORT = 7007
ANSWERED = 20_000_000  # nanoseconds within which a datagram is answered, or counts as lost


def build_directory():
    """Where the programs under test are: $VIPD_BUILD, or build beside the tests."""
    return pathlib.Path(os.environ.get("VIPD_BUILD") or pathlib.Path(__file__).parents[3] / "build")


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    sent: int
    latency: int | None  # None: lost
    node: str  # which node answered, or why none did


@dataclasses.dataclass(frozen=True, slots=True)
class Advert:
    """A VRRP advertisement as it was seen on the wire."""

    seen: int
    family: int
    vrid: int
    priority: int
    interval_cs: int


@dataclasses.dataclass(frozen=True)
class Window:
    """The samples of one series that were sent in a stretch of time."""

    samples: list

    @property
    def sent(self):
        return len(self.samples)

    @property
    def lost(self):
        return sum(each.latency is None for each in self.samples)

    @property
    def outages(self):
        """(begin, milliseconds) of each run of lost probes, up to the first one that was answered again."""
        found, begin = [], None
        for each in self.samples:
            if each.latency is None and begin is None:
                begin = each.sent
            elif each.latency is not None and begin is not None:
                found.append((begin, (each.sent - begin) / 1e6))
                begin = None
        if begin is not None:
            found.append((begin, (self.samples[-1].sent - begin) / 1e6))
        return found

    @property
    def outage(self):
        return sum(length for _, length in self.outages)

    @property
    def longest_outage(self):
        return max((length for _, length in self.outages), default=0.0)

    @property
    def nodes(self):
        """Who answered, in order, without repetitions: ["a", "b"] for one move."""
        order = []
        for each in self.samples:
            if each.latency is not None and (not order or order[-1] != each.node):
                order.append(each.node)
        return order

    @property
    def failures(self):
        return collections.Counter(each.node for each in self.samples if each.latency is None)

    @property
    def latency(self):
        """The median, or None if no node answered."""
        known = [each.latency for each in self.samples if each.latency is not None]
        return statistics.median(known) / 1e6 if known else None


class Series:
    """Everything of one kind and label, by time."""

    def __init__(self):
        self._times, self._values = [], []

    def add(self, moment, value):
        # Lines come by when they were decided; requests that last longer come later than younger ones.
        at = len(self._times)
        while at > 0 and self._times[at - 1] > moment:
            at -= 1
        self._times.insert(at, moment)
        self._values.insert(at, value)

    def between(self, since, until):
        return self._values[bisect.bisect_left(self._times, since) : bisect.bisect_left(self._times, until)]

    def last(self, count):
        return self._values[-count:]

    def forget(self, before):
        count = bisect.bisect_left(self._times, before)
        del self._times[:count], self._values[:count]


class Probe:
    """A running lab_probe and what it has printed so far."""

    def __init__(self, host, mode, *tasks):
        self._popen = subprocess.Popen(
            ["ip", "netns", "exec", host.name, build_directory() / "lab_probe", *mode, *tasks],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
        )
        self._series = collections.defaultdict(Series)
        self._watermark = 0
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_until(lambda: self._watermark, PATIENCE, "the first line of lab_probe")

    def _read(self):
        for line in self._popen.stdout:
            with self._lock:
                self._take(line.split())

    def _take(self, words):
        kind = words[0]
        if kind == "t":
            self._watermark = int(words[1])
        elif kind == "u":
            lost = words[3] == "-"
            self._series["u", words[1]].add(
                int(words[2]),
                Sample(int(words[2]), None if lost else int(words[3]), "lost" if lost else words[4]),
            )
        elif kind == "h":
            # Any answer but 200 is a failure for the client, however fast it came.
            good = words[3] != "-" and words[4] == "200"
            self._series["h", words[1]].add(
                int(words[2]),
                Sample(int(words[2]), int(words[3]) if good else None, words[5] if good else words[4]),
            )
        elif kind == "n":
            macs = () if words[3] == "-" else tuple(words[3].split(","))
            self._series["n", words[1]].add(int(words[2]), (int(words[2]), macs))
        elif kind == "g":
            self._series["g", words[1]].add(int(words[2]), (int(words[2]), words[3]))
        elif kind == "v":
            self._series["v", words[1]].add(int(words[2]), Advert(*(int(each) for each in words[2:])))
        elif kind == "s":
            self._series["s", ""].add(int(words[1]), (int(words[1]), int(words[2])))

    def know(self, until):
        """Waits until everything that was sent before `until` has its answer or is lost."""
        needed = until + int(SLOWEST * 1e9)
        wait_until(
            lambda: self._watermark >= needed or self._popen.poll() is not None,
            max(0.0, (needed - time.monotonic_ns()) / 1e9) + 10,
            "the fate of the last probes",
        )
        if self._popen.poll() is not None:
            raise RuntimeError(f"lab_probe has ended with status {self._popen.returncode}")

    def _between(self, kind, label, since, until):
        self.know(until)
        with self._lock:
            return self._series[kind, label].between(since, until)

    def udp(self, label, since, until):
        return Window(self._between("u", label, since, until))

    def http(self, label, since, until):
        return Window(self._between("h", label, since, until))

    def latest(self, kind, label, count):
        """The last samples, as they come in: kind "u" or "h"."""
        with self._lock:
            return Window(self._series[kind, label].last(count))

    def stalls(self, since, until):
        """[(ended, nanoseconds)] of each time that the machine stood still."""
        return self._between("s", "", since, until)

    def longest_stall(self, since, until):
        """By how much the machine let a sleeper of 1 ms oversleep at worst, in milliseconds."""
        return max((late for _, late in self.stalls(since, until)), default=0) / 1e6

    def all_stalls(self, since, until):
        """The time for which it did, in milliseconds."""
        return sum(late for _, late in self.stalls(since, until)) / 1e6

    def repliers(self, label, since, until):
        """[(asked, macs)] of each question."""
        return self._between("n", label, since, until)

    def two_repliers(self, label, since, until):
        """For how long two MAC addresses answered for the address."""
        answers = self.repliers(label, since, until)
        double = 0
        for (asked, macs), (following, _) in zip(answers, answers[1:]):
            if len(macs) > 1:
                double += following - asked
        return double / 1e6

    def announcements(self, label, since, until):
        """[(seen, mac)] of gratuitous ARPs or unsolicited neighbour advertisements."""
        return self._between("g", label, since, until)

    def announced_since(self, label, since):
        """As far as is known by now."""
        with self._lock:
            return self._series["g", label].between(since, time.monotonic_ns())

    def adverts(self, mac, since, until):
        """The advertisements that came from this MAC address."""
        return self._between("v", mac, since, until)

    def forget(self, before):
        """What is older is not asked for any more."""
        with self._lock:
            for series in self._series.values():
                series.forget(before)

    def stop(self):
        self._popen.terminate()
        try:
            self._popen.wait(5)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join(5)
        self._popen.stdout.close()


def client(network, addresses, udp_rate=1000, http_rate=0, http_timeout=300):
    """A client that asks each of the addresses; labels are the addresses."""
    tasks = []
    for address in addresses:
        if udp_rate:
            tasks.append(f"udp:{address},{address},{ECHO_PORT},{udp_rate}")
        if http_rate:
            tasks.append(f"http:{address},{address},80,{http_rate},{http_timeout}")
    return Probe(network.client, ["client"], *tasks)


def observer(network, addresses, period_us=2000):
    """Asks all hosts on the link which one has the addresses (labels are the addresses), and listens to the nodes."""
    return Probe(
        network.observer,
        ["watch", "eth0"],
        *(f"neighbour:{each},{each},{period_us}" for each in addresses),
        "adverts:" + ",".join(host.mac for host in network.nodes),
    )


def echo_server(host):
    """Answers the client's datagrams with the host's name; started."""
    server = host.process("echo", build_directory() / "lab_probe", "echo", host.name, ECHO_PORT).start()
    server.wait_log("ready")
    return server
