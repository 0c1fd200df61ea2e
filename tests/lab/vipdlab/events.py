"""Events as `vipctl events --json` prints them: what a test waits for. Their sentences are for people, and may change."""
import json
import time


def mark():
    """Now, by the clock of the events (CLOCK_BOOTTIME), in seconds; cut to milliseconds as they are."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000 / 1e3


def parse(text):
    """The events of a text, a line each; a vipctl that is refused prints another object."""
    found = []
    for line in text.splitlines():
        try:
            each = json.loads(line)
        except json.JSONDecodeError:
            continue
        if "event" in each:
            found.append(each)
    return found


def matches(event, since=0.0, name=None, data=(), **wanted):
    """Has it happened since then, has it this name, do these keys have these values (its own, or those of `fields`),
    and does its sentence hold these data: names, numbers, paths?"""
    known = {**event["fields"], **event}
    return (
        event["monotonic_s"] >= since
        and name in (None, event["event"])
        and all(str(known.get(key)) == str(value) for key, value in wanted.items())
        and all(each in event["text"] for each in data)
    )


def line(event):
    """For people who look at a failure."""
    return " ".join(str(event[key]) for key in ("monotonic_s", "severity", "event", "virtual_router", "text"))
