"""What a fault of the chaos lab is, and what it may cost. The faults themselves are in the files *_faults.py.

A fault draws its parameters from a dice when it is made, so a seed repeats it; begin() does it, end() undoes it,
lasts is the time between. allowance() says what clients may notice. Times of allowances are milliseconds.
"""
import dataclasses
import math
import threading
import time

MARGIN = 60  # of an unplanned take-over: scheduling, adding addresses, learning the new MAC address
MOVE_GAP = 25  # a move that is planned, or back to the preferred node
MOVE_TWO = 30  # make before break: for so long two may answer
EVERYBODY = frozenset("abc")


@dataclasses.dataclass
class Allowance:
    """What may be noticed. Nothing, unless a fault says so."""

    gap: float = 0.0  # without service, added up, besides MOVE_GAP for each move
    http: float = 0.0  # of HTTP more than of datagrams: the service itself was disturbed
    two: float = 0.0  # two hosts answer for the address, added up, besides MOVE_TWO for each move
    moves: int = 0  # how often another node begins to serve
    ends: frozenset = frozenset()  # (node, program) that may end
    settle: float = 5.0  # seconds from end() until everything is as before
    silent: bool = False  # who serves and answers cannot be told: the address is claimed by a stranger
    busy: bool = False  # the programs may be busy

    def plus(self, other):
        return Allowance(
            self.gap + other.gap,
            self.http + other.http,
            self.two + other.two,
            self.moves + other.moves,
            self.ends | other.ends,
            max(self.settle, other.settle),
            self.silent or other.silent,
            self.busy or other.busy,
        )


def spread(dice, low, high):
    """A duration in seconds, short ones as often as long ones."""
    return round(math.exp(dice.uniform(math.log(low), math.log(high))), 3)


class Fault:
    name = ""
    weight = 1.0
    takes_out = frozenset()  # nodes that cannot serve meanwhile
    needs_best = None  # True: only the Active; False: only Backups; None: any
    joins = True  # may happen together with another fault on another node

    def __init__(self, lab, dice, node):
        self.lab, self.node = lab, node
        self.lasts = 0.0
        self.out = self.takes_out
        self.exposed = False  # another fault may make its node the Active
        self.dead = []  # (node, moment of death, moment of its new start or None): no address after dead_man
        self.resumed = []  # an Active (node, moment, seconds it stood still): it listens before it sends
        self.draw(dice)

    def draw(self, dice):
        pass

    @property
    def text(self):
        return self.name

    @property
    def best(self):
        """Is it done to the node that is Active?"""
        return self.node.name == self.lab.by_rank()[0].name

    @property
    def hits_active(self):
        """The same, or another fault may make it the Active meanwhile."""
        return self.best or self.exposed

    def replaced(self):
        """The gap until the best of the others has taken over from an Active that has gone silent."""
        return self.lab.take_over_ms(self.out) + MARGIN

    def exchange(self):
        """Until two Actives that hear each other have settled it."""
        return self.lab.interval_ms + 20

    def begin(self):
        raise NotImplementedError

    def end(self):
        pass

    def play(self):
        """All of it. On a slow machine the commands that do it and undo it take their time: that counts too."""
        began = time.monotonic()
        try:
            self.begin()
            time.sleep(self.lasts)
        finally:
            self.end()
            self.lasts = max(self.lasts, time.monotonic() - began)

    def allowance(self):
        return Allowance()

    def possible(self):
        return True

    def ending(self, *programs):
        return frozenset((self.node.name, program) for program in programs)


class Together(Fault):
    """Two faults, on two nodes, that overlap; what they may cost is added up, and neither counts on the other's node."""

    name = "two at once"

    def __init__(self, lab, first, second, delay):
        self.first, self.second, self.delay = first, second, delay
        first.out = second.out = first.out | second.out
        first.exposed, second.exposed = second.best, first.best
        super().__init__(lab, None, first.node)

    @property
    def text(self):
        one, two = self.first, self.second
        return f"{one.node.name}: {one.text}, and {self.delay:.2f} s later {two.node.name}: {two.text}"

    def begin(self):
        problems = []

        def play(fault, delay):
            time.sleep(delay)
            try:
                fault.play()
            except (RuntimeError, AssertionError, OSError) as error:
                problems.append(error)

        players = [
            threading.Thread(target=play, args=each)
            for each in ((self.first, 0.0), (self.second, self.delay))
        ]
        for each in players:
            each.start()
        for each in players:
            each.join()
        if problems:
            raise problems[0]

    def allowance(self):
        self.dead = self.first.dead + self.second.dead
        self.resumed = self.first.resumed + self.second.resumed
        both = self.first.allowance().plus(self.second.allowance())
        # The better of the two returns past the other one.
        return dataclasses.replace(
            both, moves=both.moves + 2, gap=both.gap + (self.exchange() if both.gap else 0)
        )
