"""What the demo shows while it runs: a picture that is painted anew in place, or plain lines.

Both have the same calls. The picture is painted by a thread of its own, from what the last poll of the nodes and
the client's newest samples say; nobody waits for it.
"""
import os
import shutil
import sys
import threading
import time

STRIP = 60  # tenths of a second of the client's past
SLOT = 100_000_000
COLUMNS = (("event", 13), ("outage", 10), ("lost", 14), ("two repliers", 14), ("active", 8))


def table_head():
    return "".join(f"{name:<{width}}" if name == "event" else f"{name:>{width}}" for name, width in COLUMNS)


def table_row(result):
    moved = f"{result['active_before'] or '-'} > {result['active_after'] or '-'}"
    cells = (
        result["event"],
        f"{result['outage_ms']:.0f} ms",
        f"{result['lost']} of {result['requests']}",
        f"{result['two_repliers_ms']:.0f} ms",
        moved,
    )
    row = "".join(
        f"{cell:<{width}}" if name == "event" else f"{cell:>{width}}"
        for cell, (name, width) in zip(cells, COLUMNS)
    )
    return row + ("" if not result["notes"] else "   " + "; ".join(result["notes"]))


class PlainView:
    """Lines for a file, a pipe, or a terminal without colours."""

    def __init__(self, title):
        print(title, flush=True)

    def attach(self, _group):
        pass

    def doing(self, text):
        print(f"    {text}", flush=True)

    def begins(self, number, count, name, text):
        print(f"[{number}/{count}] {name}: {text}", flush=True)

    def result(self, result):
        print(
            f"    outage {result['outage_ms']:.0f} ms, lost {result['lost']} of {result['requests']} requests and "
            f"{result['datagrams_lost']} of {result['datagrams']} datagrams, two repliers {result['two_repliers_ms']:.0f} ms, "
            f"Active {result['active_before'] or 'nobody'}, then {result['active_after'] or 'nobody'}",
            flush=True,
        )
        for note in result["notes"]:
            print(f"    {note}", flush=True)

    def close(self, results):
        if results:
            print("\n" + "\n".join([table_head(), *(table_row(each) for each in results)]), flush=True)


class LiveView:
    """The picture. Needs a terminal."""

    COLOURS = {"Active": "32", "Backup": "36", "Initialize": "33", "bad": "31", "dim": "2", "bold": "1"}

    def __init__(self, title):
        self._title = title
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
        sys.stdout.write("\033[?25l")  # no cursor
        for thread in self._threads:
            thread.start()

    def attach(self, group):
        self._group = group

    def doing(self, text):
        self._doing = text

    def begins(self, number, count, name, text):
        self._event, self._doing = f"{number}/{count} {name}", text

    def result(self, result):
        self._results.append(result)

    def close(self, _results):
        self._event, self._doing = "", ""
        self._end.set()
        for thread in self._threads:
            thread.join(3)
        self._paint()
        sys.stdout.write("\033[?25h")
        sys.stdout.flush()

    # The nodes' states come through a command each: often enough to see, rarely enough not to matter.
    def _poll_often(self):
        while not self._end.wait(0.25):
            if self._group is None:
                continue
            for name, daemon in self._group.daemons.items():
                try:
                    states = daemon.states()
                    priority = daemon.effective_priority()
                except Exception:  # it is being killed just now; the next poll tells
                    continue
                self._nodes[name] = (states, priority, daemon.running)

    def _paint_often(self):
        while not self._end.wait(0.1):
            self._paint()

    def _paint(self):
        width = shutil.get_terminal_size((100, 24)).columns
        lines = self._picture()
        text = "" if self._height == 0 else f"\033[{self._height}A"
        text += "".join(f"\033[2K{cut(line, width - 1)}\n" for line in lines)
        text += "\033[2K\n" * max(0, self._height - len(lines))
        self._height = max(self._height, len(lines))
        with self._lock:
            sys.stdout.write(text)
            sys.stdout.flush()

    def _colour(self, text, *names):
        return f"\033[{';'.join(self.COLOURS[name] for name in names)}m{text}\033[0m"

    def _picture(self):
        lines = [self._colour(self._title, "bold"), ""]
        if self._group is not None:
            strip, serving, counts = self._client()
            lines += [self._node(name, name == serving) for name in self._group.daemons]
            lines += [f"  client  {counts}", f"          {strip}  {self._colour('last 6 s', 'dim')}"]
        lines.append("")
        if self._event or self._doing:
            lines += [f"  {self._colour(self._event, 'bold')}  {self._doing}", ""]
        if self._results:
            lines += [
                self._colour("  " + table_head(), "dim"),
                *("  " + table_row(each) for each in self._results),
            ]
        return lines

    def _node(self, name, serves):
        states, priority, running = self._nodes.get(name, ({}, None, False))
        web = self._group.webs.get(name)
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
            f"  node {name}  {state} priority {priority if priority is not None else '-':<4} {nginx:<11}"
            + (self._colour("  serves", "Active", "bold") if serves else "")
        )

    def _client(self):
        address = self._group.settings.addresses[0]
        now = time.monotonic_ns()
        recent = self._group.client.latest("h", address, 100 * STRIP).samples
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


def make_view(title, plain):
    """The picture where it can be painted: on a terminal whose user has not asked for plain text."""
    if plain or not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return PlainView(title)
    return LiveView(title)
