#!/usr/bin/env python3
"""One version, in all the places where packages want to have it."""
import pathlib
import re
import shutil
import subprocess
import unittest

TREE = pathlib.Path(__file__).resolve().parents[2]


def first(pattern, path):
    return re.search(pattern, (TREE / path).read_text(encoding="utf-8"), re.M)[1]


class Versions(unittest.TestCase):
    def setUp(self):
        self.version = first(r"^project\(vipd VERSION ([0-9.]+)", "CMakeLists.txt")

    def test_the_debian_changelog_begins_with_the_version_of_the_project(self):
        self.assertEqual(first(r"^vipd \((.*)-\d+\)", "packaging/debian/changelog"), self.version)

    def test_the_spec_has_the_version_of_the_project_in_its_head_and_in_its_changelog(self):
        self.assertEqual(first(r"^Version: +(\S+)", "packaging/vipd.spec"), self.version)
        self.assertEqual(first(r"^\* .* - (.*)-\d+$", "packaging/vipd.spec"), self.version)

    @unittest.skipUnless(shutil.which("dpkg-parsechangelog"), "dpkg-parsechangelog is not installed")
    def test_the_debian_changelog_can_be_parsed(self):
        done = subprocess.run(
            ["dpkg-parsechangelog", "--all", "-l", TREE / "packaging/debian/changelog"],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    @unittest.skipUnless(shutil.which("rpmspec"), "rpmspec is not installed")
    def test_the_spec_can_be_parsed(self):
        done = subprocess.run(
            ["rpmspec", "--parse", TREE / "packaging/vipd.spec"], capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
