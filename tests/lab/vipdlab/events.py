"""Events as `vipctl events --json` prints them. Tests wait for their names and fields; the sentences may change."""
import json
import time


def mark():
    """Now, in seconds, by the clock of the events (CLOCK_BOOTTIME), cut to milliseconds as theirs are."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000 / 1e3


def parse(text):
    """The events in a text, one per line. Other objects, such as an error, are left out."""
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
    """Whether the event happened at `since` or later, has this name and these values (of its own keys, or of `fields`),
    and its sentence contains these data: names, numbers, paths."""
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
