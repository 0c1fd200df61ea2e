#!/usr/bin/env python3
"""What `cmake --install` puts where: the list that both kinds of package are made of, and what systemd says of it."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VIPD_BUILD") or TREE / "build").resolve()
# How much of the system the unit can reach, as `systemd-analyze security` reckons: 0.0 nothing, 10.0 all of it. What is
# left is what vipd is for (the network) and what scripts of checks may need.
MOST_EXPOSED = {"vipd.service": 4.5, "vipd-switch@.service": 1.5}
PROGRAMS = {
    "sbin/vipd",
    "bin/vipctl",
    "libexec/vipd/vipd-router",
    "libexec/vipd/vipd-monitor",
    "libexec/vipd/vipd-units",
}
UNITS = {f"lib/systemd/system/{each}" for each in MOST_EXPOSED}
OTHERS = {
    "lib/sysusers.d/vipd.conf",
    "lib/tmpfiles.d/vipd.conf",
    "share/bash-completion/completions/vipctl",
    "share/zsh/site-functions/_vipctl",
    "share/fish/vendor_completions.d/vipctl.fish",
}


def run(*command):
    return subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False)


class Installed(unittest.TestCase):
    """All that is installed, in a directory of its own."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="vipd-install-")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.root = pathlib.Path(cls.directory.name)
        # Below the prefix that it was configured with, as a package does it; but for that, anywhere.
        done = subprocess.run(
            ["cmake", "--install", BUILD],
            env={**os.environ, "DESTDIR": str(cls.root)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        prefix = re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M)[1]
        cls.prefix = pathlib.Path(prefix)
        cls.below = cls.root / cls.prefix.relative_to("/")
        cls.files = {str(each.relative_to(cls.below)) for each in cls.root.rglob("*") if each.is_file()}


class Install(Installed):
    def test_everything_is_there_and_nothing_else(self):
        manual = {f"share/man/man{each.suffix[1:]}/{each.name}" for each in (TREE / "man").iterdir()}
        examples = {f"share/doc/vipd/examples/{each.name}" for each in (TREE / "conf/examples").iterdir()}
        monitoring = {f"share/vipd/monitoring/{each.name}" for each in (TREE / "packaging/monitoring").iterdir()}
        self.assertEqual(self.files, PROGRAMS | UNITS | OTHERS | manual | examples | monitoring)

    def test_the_programs_can_be_run_and_nothing_else_can(self):
        for each in self.files:
            self.assertEqual(os.access(self.below / each, os.X_OK), each in PROGRAMS, each)

    def test_the_spec_names_all_that_is_installed(self):
        spec = (TREE / "packaging/vipd.spec").read_text(encoding="utf-8")
        listed = spec[spec.index("\n%files") : spec.index("\n%changelog")]
        for name, place in (
            ("_sbindir", "sbin"),
            ("_bindir", "bin"),
            ("_libexecdir", "libexec"),
            ("_unitdir", "lib/systemd/system"),
            ("_sysusersdir", "lib/sysusers.d"),
            ("_tmpfilesdir", "lib/tmpfiles.d"),
            ("_datadir", "share"),
            ("_docdir", "share/doc"),
            ("_mandir", "share/man"),
        ):
            listed = listed.replace(f"%{{{name}}}", place)
        patterns = [pathlib.PurePath(each) for each in listed.split() if "/" in each]
        for each in self.files:
            path = pathlib.PurePath(each)
            covered = any(part.match(str(pattern)) for pattern in patterns for part in (path, *path.parents))
            self.assertTrue(covered, f"{each} is missing in %files")

    def test_the_user_and_the_groups_are_made(self):
        if not shutil.which("systemd-sysusers"):
            self.skipTest("systemd-sysusers is not installed")
        with tempfile.TemporaryDirectory(prefix="vipd-users-") as name:
            root = pathlib.Path(name)
            (root / "etc").mkdir()
            done = run("unshare", "-Ur", "systemd-sysusers", f"--root={root}", self.below / "lib/sysusers.d/vipd.conf")
            self.assertEqual(done.returncode, 0, done.stderr)
            users = (root / "etc/passwd").read_text(encoding="utf-8")
            self.assertRegex(users, r"(?m)^vipd:.*:/var/lib/vipd:/usr/sbin/nologin$")
            groups = (root / "etc/group").read_text(encoding="utf-8")
            self.assertRegex(groups, r"(?m)^vipd:")
            self.assertRegex(groups, r"(?m)^vipd-admin:")


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
class Units(Installed):
    """The units, with their programs where the build has put them."""

    def setUp(self):
        self.units = self.root / "units"
        self.units.mkdir(exist_ok=True)
        for each in UNITS:
            text = (self.below / each).read_text(encoding="utf-8")
            for program in PROGRAMS:
                text = text.replace(f"{self.prefix}/{program} ", f"{self.below}/{program} ")
            (self.units / pathlib.PurePath(each).name).write_text(text, encoding="utf-8")

    def test_systemd_finds_nothing_wrong_with_them(self):
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", self.units / "vipd.service", self.units / "vipd-switch@edge.service"],
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{self.units}:"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_they_expose_no_more_of_the_system_than_they_must(self):
        for unit, most in MOST_EXPOSED.items():
            done = run(
                "systemd-analyze", "security", "--no-pager", "--offline=yes", f"--threshold={most * 10:.0f}",
                self.units / unit,
            )
            self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
