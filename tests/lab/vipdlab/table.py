"""The demo's table: what a user would have noticed, in words, and the layout for a width.

Pure: results come in as the demo measures them (dictionaries, as in its JSON), lines come out. A result without
figures is a case that the daemon has no counterpart for.
"""
import re
import textwrap

HANDOVER_MS = 5.0  # both nodes answer for less than this at a planned handover: no request can tell
WIDE = 100  # columns; where there are fewer, the table leaves out what its words say as well
EVENT, DAEMON, GAP = 14, 12, 2
NARROWEST = 16  # columns for the words
WORDS = "what a user noticed"
NOT_APPLICABLE = "-"


def duration(ms):
    if ms < 99.5:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.2f} s" if ms < 995 else f"{ms / 1000:.1f} s"


def noticed(result):
    """What the figures mean for users of the service."""
    lost, requests = result["lost"], result["requests"]
    said = []
    if not requests:
        said.append("no request was sent")
    elif lost == requests:
        said.append(f"all {requests} requests failed")
    elif lost:
        count = "1 request" if lost == 1 else f"{lost} requests"
        within = "" if lost == 1 else f" within {duration(result['failed_within_ms'])}"
        said.append(f"{count} failed{within}" + (", and still did at the end" if result["failing_at_end"] else ""))
    if result["two_repliers_ms"] > HANDOVER_MS:
        still = ", and still did at the end" if result["two_repliers_at_end"] else ""
        said.append(f"both nodes answered for {duration(result['two_repliers_ms'])}{still}")
    return "; ".join(said) or "nothing"


def no_counterpart(event, daemon):
    return {"event": event, "daemon": daemon, "noticed": NOT_APPLICABLE, "notes": []}


def _active(result):
    return f"{result['active_before'] or '-'} > {result['active_after'] or '-'}"


def _columns(width, several):
    """(title, width, what a result shows there) of the columns of figures, which are aligned to the right."""
    columns = [
        ("outage", 9, lambda each: f"{each['outage_ms']:.0f} ms"),
        ("lost", 14, lambda each: f"{each['lost']} of {each['requests']}"),
        ("two repliers", 14, lambda each: f"{each['two_repliers_ms']:.0f} ms"),
        ("active", 8, _active),
    ]
    left_out = {"active"} if several else set()
    if width < WIDE:
        left_out |= {"lost", "active"} | ({"outage"} if several else set())
    return [each for each in columns if each[0] not in left_out]


def _wrapped(text, width):
    """No line ends between a number and its unit."""
    glued = re.sub(r"(\d) (m?s)\b", "\\1\N{NO-BREAK SPACE}\\2", text)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in textwrap.wrap(glued, width)]


def _grouped(results):
    """By event, in the order in which the events were first shown."""
    order = list(dict.fromkeys(each["event"] for each in results))
    return sorted(results, key=lambda each: order.index(each["event"]))  # stable: the daemons keep their order


def table(results, width=WIDE):
    """Its lines, none longer than `width` unless that is too narrow for any table."""
    several = len({each["daemon"] for each in results}) > 1
    columns = _columns(width, several)

    def line(event, daemon, cells, words):
        return (
            f"{event:<{EVENT}}"
            + (f"{daemon:<{DAEMON}}" if several else "")
            + "".join(f" {cell:>{each[1] - 1}}" for cell, each in zip(cells, columns))
            + " " * GAP
            + words
        ).rstrip()

    before_words = len(line("", "", [""] * len(columns), "x")) - 1
    lines = [line("event", "daemon", [each[0] for each in columns], WORDS)]
    shown = None
    for each in _grouped(results):
        measured = "outage_ms" in each
        cells = [show(each) if measured else NOT_APPLICABLE for _, _, show in columns]
        words = _wrapped("; ".join([each["noticed"], *(f"not as expected: {note}" for note in each["notes"])]), max(NARROWEST, width - before_words))
        event = each["event"] if each["event"] != shown else ""
        shown = each["event"]
        lines.append(line(event, each["daemon"], cells, words[0]))
        lines += [" " * before_words + more for more in words[1:]]
    return lines
