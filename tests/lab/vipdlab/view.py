"""What the demo shows while it runs: a picture that is painted anew in place, or plain lines.

Both have the same calls. The picture is painted by a thread of its own, from what the last poll of the nodes and
the client's newest samples say; nothing waits for it. The introduction stands above it, and at the end the whole
table takes its place.
"""
import os
import shutil
import sys
import threading
import textwrap
import time

from .table import WIDE, table

STRIP = 60  # tenths of a second of the client's past
SLOT = 100_000_000
NARROW = 40  # columns: there is no layout for fewer


def width():
    return max(NARROW, shutil.get_terminal_size((WIDE, 24)).columns)


def paragraphs(texts):
    """The texts as lines that fit."""
    return [line for text in texts for line in textwrap.wrap(text, min(width(), WIDE))]


class PlainView:
    """Lines for a file, a pipe, or a terminal without colours."""

    def __init__(self, introduction):
        self._say(*paragraphs(introduction), "")

    @staticmethod
    def _say(*lines):
        print("\n".join(lines), flush=True)

    def attach(self, _group):
        pass

    def doing(self, text):
        self._say(f"    {text}")

    def begins(self, number, count, name, text):
        self._say(f"[{number}/{count}] {name}: {text}")

    def result(self, result):
        if "outage_ms" not in result:
            return  # a case that this daemon has no counterpart for
        self._say(
            f"    outage {result['outage_ms']:.0f} ms, lost {result['lost']} of {result['requests']} requests and "
            f"{result['datagrams_lost']} of {result['datagrams']} datagrams, two repliers {result['two_repliers_ms']:.0f} ms, "
            f"Active {result['active_before'] or 'none'}, then {result['active_after'] or 'none'}",
            *(f"    {note}" for note in result["notes"]),
        )

    def remark(self, text):
        self._say(*paragraphs([text]))

    def close(self, results):
        if results:
            self._say("", *table(results, width()))


class LiveView:
    """The picture. Needs a terminal."""

    COLOURS = {"Active": "32", "Backup": "36", "Initialize": "33", "bad": "31", "dim": "2", "bold": "1"}

    def __init__(self, introduction):
        self._lock = threading.Lock()
        self._group = None
        self._nodes = {}
        self._event, self._doing = "", "starting"
        self._results = []
        self._height = 0
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=each, daemon=True) for each in (self._paint_often, self._poll_often)
        ]
        print("\n".join(paragraphs(introduction)))
        sys.stdout.write("\033[?25l")  # no cursor
        for thread in self._threads:
            thread.start()

    def attach(self, group):
        self._group, self._nodes = group, {}

    def doing(self, text):
        self._doing = text

    def begins(self, number, count, name, text):
        self._event, self._doing = f"{number}/{count} {name}", text

    def result(self, result):
        self._results.append(result)

    def remark(self, text):
        """A line that stays, above the picture."""
        with self._lock:
            self._erase()
            print("\n".join(paragraphs([text])), flush=True)

    def close(self, results):
        self._end.set()
        for thread in self._threads:
            thread.join(3)
        with self._lock:
            self._erase()
            sys.stdout.write("\033[?25h")
            if results:
                head, *rows = table(results, width())
                print("\n".join(["", self._colour(head, "dim"), *rows]))
            sys.stdout.flush()

    # The nodes' states come through a command each: often enough to see, rarely enough not to matter.
    def _poll_often(self):
        while not self._end.wait(0.25):
            for name, daemon in self._group.daemons.items() if self._group else ():
                try:
                    states = daemon.states()
                    priority = daemon.effective_priority()
                except Exception:  # it is being killed just now; the next poll tells
                    continue
                self._nodes[name] = (states, priority, daemon.running)

    def _paint_often(self):
        while not self._end.wait(0.1):
            self._paint()

    def _erase(self):
        if self._height:
            sys.stdout.write(f"\033[{self._height}A\033[J")
        self._height = 0

    def _paint(self):
        columns, rows = shutil.get_terminal_size((WIDE, 24))
        lines = self._picture(rows - 1)
        with self._lock:
            text = "" if self._height == 0 else f"\033[{self._height}A"
            text += "".join(f"\033[2K{cut(line, columns)}\n" for line in lines)
            text += "\033[2K\n" * max(0, self._height - len(lines))
            self._height = max(self._height, len(lines))
            sys.stdout.write(text)
            sys.stdout.flush()

    def _colour(self, text, *names):
        return f"\033[{';'.join(self.COLOURS[name] for name in names)}m{text}\033[0m"

    def _picture(self, height):
        """At most `height` lines: a terminal cannot repaint what it has scrolled away."""
        lines = [""]
        group = self._group
        if group is not None:
            strip, serving, counts = self._client(group)
            lines += [self._node(group, name, name == serving) for name in group.daemons]
            lines += [f"  client  {counts}", f"          {strip}  {self._colour('last 6 s', 'dim')}", ""]
        lines += [f"  {self._colour(self._event, 'bold')}  {self._doing}", ""]
        if self._results:
            head, *rows = table(self._results, width())
            left = max(1, height - len(lines) - 1)
            lines += [self._colour(head, "dim"), *rows[-left:]]
        return lines[:height]

    def _node(self, group, name, serves):
        states, priority, running = self._nodes.get(name, ({}, None, False))
        web = group.webs.get(name)
        if not running:
            state = self._colour(f"{'stopped':<11}", "bad")
        else:
            words = sorted(set(states.values()))
            state = self._colour(f"{'/'.join(words) or '...':<11}", words[0] if len(words) == 1 else "dim")
        nginx = (
            ""
            if web is None
            else (
                "nginx slow"
                if web.slow and web.running
                else "nginx up"
                if web.running
                else self._colour("nginx dead", "bad")
            )
        )
        return (
            f"  node {name}  {group.daemons[name].kind:<11} {state} priority {priority if priority is not None else '-':<4} {nginx:<11}"
            + (self._colour("  serves", "Active", "bold") if serves else "")
        )

    def _client(self, group):
        address = group.settings.addresses[0]
        now = time.monotonic_ns()
        recent = group.client.latest("h", address, 100 * STRIP).samples
        slots = {}
        for each in recent:
            slots.setdefault((now - each.sent) // SLOT, []).append(each)
        strip, serving = "", None
        for age in range(STRIP + 3, 2, -1):  # the newest are not decided yet
            samples = slots.get(age)
            if not samples:
                strip += " "
            elif any(each.latency is None for each in samples):
                strip += self._colour("x", "bad")
                serving = None
            else:
                serving = samples[-1].node
                strip += self._colour(serving, "Active" if serving == "a" else "Backup")
        last = [each for age in range(3, 13) for each in slots.get(age, [])]
        lost = sum(each.latency is None for each in last)
        answered = sorted(each.latency for each in last if each.latency is not None)
        latency = f"{answered[len(answered) // 2] / 1e6:.2f} ms" if answered else "-"
        lost_text = f"lost {lost}"
        return (
            strip,
            serving,
            (
                f"{len(last)} requests in the last second to {address}, "
                f"{self._colour(lost_text, 'bad') if lost else lost_text}, latency {latency}"
            ),
        )


def cut(line, width):
    """The first `width` visible characters; colours do not count."""
    out, seen, at = [], 0, 0
    while at < len(line):
        if line[at] == "\033":
            end = line.index("m", at) + 1
            out.append(line[at:end])
            at = end
            continue
        if seen < width:
            out.append(line[at])
            seen += 1
        at += 1
    return "".join(out)


def make_view(introduction, plain):
    """The picture where it can be painted: on a terminal whose user has not asked for plain text."""
    if plain or not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return PlainView(introduction)
    return LiveView(introduction)
