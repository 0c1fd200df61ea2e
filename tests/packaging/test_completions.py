#!/usr/bin/env python3
"""In each shell, what can be typed after vipctl is offered: every command, every option, the names of routers, files.

What there is, is what `vipctl --help` says. The shells are asked, not their scripts read.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VIPD_BUILD") or TREE / "build").resolve()
COMPLETIONS = TREE / "packaging/completions"
# In place of the one in the build: it knows two virtual routers, and else passes on what it is asked.
STAND_IN = """#!/bin/sh
case " $* " in
*" status --json "*) cat "{directory}/status.json" ;;
*) exec "{build}/vipctl" "$@" ;;
esac
"""
STATUS = """{
  "checks": [
    {
      "name": "nginx"
    }
  ],
  "routers": [
    {
      "name": "edge",
      "state": "Active"
    },
    {
      "name": "database"
    }
  ],
  "version": "0"
}
"""
ZSH = r"""
autoload -Uz compinit
compinit -u -d "$PWD/dump"
zstyle ':completion:*' list-separator $'\t'
compadd() {
  # What would be offered, and not the offering.
  local -a offered
  builtin compadd -O offered "$@"
  print -l -- $offered >>"$PWD/offered"
  builtin compadd "$@"
}
"""


def run(command, directory, **options):
    environment = {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}", "HOME": str(directory), **options}
    done = subprocess.run(
        command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=60,
    )
    return done.stdout, done.stderr


class Shell:
    """offers(words...): what is offered in place of the last word."""

    def __init__(self, directory):
        self.directory = directory


class Bash(Shell):
    def offers(self, *words):
        script = """
            source "$1"; shift
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
            _vipctl
            printf '%s\\n' "${COMPREPLY[@]}"
        """
        output, errors = run(["bash", "-c", script, "bash", COMPLETIONS / "vipctl.bash", *words], self.directory)
        assert not errors, errors
        return set(output.split())


class Fish(Shell):
    def offers(self, *words):
        script = f"source {COMPLETIONS}/vipctl.fish; complete --do-complete='{' '.join(words)}'"
        output, errors = run(["fish", "--no-config", "-c", script], self.directory)
        assert not errors, errors
        return {line.split("\t")[0] for line in output.splitlines()}


class Zsh(Shell):
    """An interactive zsh behind a terminal of its own, which is what its completion takes."""

    def offers(self, *words):
        functions = self.directory / "functions"
        functions.mkdir(exist_ok=True)
        shutil.copy(COMPLETIONS / "vipctl.zsh", functions / "_vipctl")
        offered = self.directory / "offered"
        offered.unlink(missing_ok=True)
        (self.directory / "begin.zsh").write_text(f"fpath=({functions} $fpath)\n{ZSH}", encoding="utf-8")
        script = """
            zmodload zsh/zpty
            zpty inner zsh -f -i
            zpty -w inner "source $PWD/begin.zsh; PS1=; print rea''dy"
            zpty -r inner answer '*ready*'
            zpty -w -n inner "$1"$'\\t\\t'
            integer tries
            while (( tries++ < 150 )) { zpty -r -t inner answer; sleep 0.02; [[ -s offered ]] && (( tries += 30 )) }
            zpty -d inner
        """
        run(["zsh", "-f", "-c", script, "zsh", " ".join(words)], self.directory)
        # As typed, the whole word: what begins with what is there already.
        if not offered.exists():
            return set()
        return {line for line in offered.read_text(encoding="utf-8").splitlines() if line}


SHELLS = {"bash": Bash, "zsh": Zsh, "fish": Fish}


class Completions(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="vipd-completions-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        program = self.directory / "vipctl"
        program.write_text(STAND_IN.format(directory=directory.name, build=BUILD), encoding="utf-8")
        program.chmod(0o755)
        (self.directory / "status.json").write_text(STATUS, encoding="utf-8")
        (self.directory / "some.yaml").touch()
        help_text = self.help()
        self.commands = set(re.findall(r"(?m)^  ([a-z][a-z-]*) ", help_text[help_text.index("Subcommands:") :]))
        self.assertGreater(len(self.commands), 10)

    def help(self, *command):
        return subprocess.run([BUILD / "vipctl", *command, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout

    def options(self, *command):
        return set(re.findall(r"(?m)^ +(?:-[a-z], *)?(--[a-z-]+)", self.help(*command)))

    def each_shell(self):
        for name, kind in SHELLS.items():
            if shutil.which(name):
                print(f"    {name}", flush=True)
                yield kind(self.directory)
            else:
                print(f"{name} is not installed: not asked")

    def test_every_command_is_offered(self):
        for shell in self.each_shell():
            self.assertLessEqual(self.commands, shell.offers("vipctl", ""))

    def test_every_option_of_every_command_is_offered(self):
        for shell in self.each_shell():
            self.assertLessEqual(self.options(), shell.offers("vipctl", "--"))
            for command in sorted(self.commands):
                self.assertLessEqual(self.options(command), shell.offers("vipctl", command, "--"), command)

    def test_names_of_virtual_routers_are_offered_where_one_is_wanted(self):
        for shell in self.each_shell():
            offered = shell.offers("vipctl", "explain", "")
            self.assertLessEqual({"edge", "database"}, offered)
            self.assertNotIn("nginx", offered)
            self.assertNotIn("status", offered)
            self.assertLessEqual({"edge"}, shell.offers("vipctl", "--run-dir", "/tmp", "switch", "e"))

    def test_files_are_offered_where_one_is_wanted(self):
        for shell in self.each_shell():
            self.assertIn("some.yaml", shell.offers("vipctl", "check", "so"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
