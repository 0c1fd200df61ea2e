"""Released versions of vipd, built from their commits, so that a test can upgrade from each of them.

tests/released/releases names them. A build takes minutes, so the programs are kept in ~/.cache/vipd/releases/COMMIT,
and one build runs at a time. Nothing of it is in the tree: the worktree that is built lies in the cache and is removed
afterwards.
"""
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

TREE = pathlib.Path(__file__).parents[3]
LIST = TREE / "tests" / "released" / "releases"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "vipd" / "releases"
PROGRAMS = ("vipd", "vipd-router", "vipd-monitor", "vipctl")
# Compiling matters here, not running.
SETTINGS = ("-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O0", "-DVIPD_TESTS=OFF")


class NotAvailable(Exception):
    """The programs of a release are not here and cannot be built; the text says why."""


def releases():
    """{version: commit}"""
    lines = LIST.read_text(encoding="ascii").splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def _complete(directory):
    return all((directory / name).exists() for name in PROGRAMS)


def _run(*arguments):
    done = subprocess.run(
        [str(each) for each in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))}:\n{done.stdout[-3000:]}")


def _build(version, commit, directory):
    began = time.monotonic()
    print(f"building vipd {version} from {commit[:12]}", flush=True)
    git = ("git", "-C", TREE)
    work = pathlib.Path(tempfile.mkdtemp(dir=CACHE, prefix="build-"))
    try:
        _run(*git, "worktree", "add", "--detach", work / "tree", commit)
        _run("cmake", "-S", work / "tree", "-B", work / "build", "-G", "Ninja", *SETTINGS)
        _run("cmake", "--build", work / "build", "--target", *PROGRAMS)
        made = work / "made"
        made.mkdir()
        for name in PROGRAMS:
            shutil.copy2(work / "build" / name, made / name)
        shutil.rmtree(directory, ignore_errors=True)
        made.rename(directory)
    finally:
        subprocess.run([*git, "worktree", "remove", "--force", work / "tree"], capture_output=True, check=False)
        shutil.rmtree(work, ignore_errors=True)
    print(f"built in {time.monotonic() - began:.0f} s: {directory}", flush=True)


def programs(version):
    """The directory with the programs of this release; builds them if they are not in the cache."""
    commit = releases()[version]
    directory = CACHE / commit
    if _complete(directory):
        return directory
    known = subprocess.run(
        ["git", "-C", TREE, "cat-file", "-e", f"{commit}^{{commit}}"], capture_output=True, check=False
    )
    if known.returncode != 0:
        raise NotAvailable(f"vipd {version} is commit {commit}, which this clone does not have")
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _complete(directory):
            _build(version, commit, directory)
    return directory
