#!/usr/bin/env python3
"""Writes a copy of one file of the engine with all its mutants, each behind a switch:

    mutate.py mutants.txt vrrp/FILE.cc COPY

What mutants.txt looks like, it says itself.
"""
import collections
import re
import sys

SECTION = re.compile(r"^(in|is|becomes):\n", re.MULTILINE)


def mutants(text):
    """(name, file, where, original, mutated) of each."""
    for block in re.findall(r"^mutant .*?^end$", text, re.MULTILINE | re.DOTALL):
        head, *rest = SECTION.split(block[: -len("end")])
        sections = {name: body.rstrip("\n") for name, body in zip(rest[::2], rest[1::2])}
        _, name, file, _ = head.split("\n", 1)[0].split()
        yield name, file, sections.get("in", sections["is"]), sections["is"], sections["becomes"]


def only_place(text, part, what):
    if text.count(part) != 1:
        sys.exit(f"{what} stands {text.count(part)} times and not once; adapt the list of mutants:\n{part}")
    return text.index(part)


def switched(original, choices):
    """C++ that behaves like the original unless one of the mutants is chosen."""
    if original.rstrip().endswith((";", "}")):
        tests = "".join(f'if (::vipd::sim::broken("{name}")) {{\n{text}\n}} else ' for name, text in choices)
        return f"{tests}{{\n{original}\n}}"
    tests = "".join(f'::vipd::sim::broken("{name}") ? ({text}) : ' for name, text in choices)
    return f"({tests}({original}))"


def main():
    listed, source, copy = sys.argv[1:]
    with open(listed, encoding="utf-8") as file:
        text = file.read()
    with open(source, encoding="utf-8") as file:
        code = file.read()
    places = collections.defaultdict(list)  # (begin, original) -> [(name, mutated)]
    for name, path, where, original, mutated in mutants(text):
        if source.endswith("/" + path):
            begin = only_place(code, where, f"{name}: in {path} the text")
            begin += only_place(where, original, f"{name}: within its place the text")
            places[begin, original].append((name, mutated))
    # From the end, so that what is still to be replaced stays where it is.
    for (begin, original), choices in sorted(places.items(), reverse=True):
        code = code[:begin] + switched(original, choices) + code[begin + len(original) :]
    with open(copy, "w", encoding="utf-8") as file:
        file.write('#include "tests/sim/broken.h"\n' + code)


if __name__ == "__main__":
    main()
