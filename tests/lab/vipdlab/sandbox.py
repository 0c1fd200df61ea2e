"""A place of our own on this machine: user, network, mount and process namespaces that vanish with us.

enter() forks. The child goes on as the first process of the new namespaces, where it is root; the parent only
passes signals on and hands back the exit status. Whatever the child has started, made or mounted ends with it,
even when the parent is killed with SIGKILL: nothing can be left on the machine, and nothing outside is touched.
"""
import ctypes
import errno
import os
import pathlib
import signal
import socket
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_REC_PRIVATE = 0x4000 | 0x40000
PR_SET_PDEATHSIG = 1

WORK = pathlib.Path("/run/lab")  # on a tmpfs of ours: files of daemons, gone with the namespaces
MAY_NOT = 77  # exit status: this machine does not let us; CTest counts it as skipped

_libc = ctypes.CDLL(None, use_errno=True)


class NotAllowed(Exception):
    """The machine does not let us make namespaces; the text says what to do."""


class Interrupted(BaseException):
    """SIGTERM, SIGINT or SIGHUP: leave at once, everything ends with us."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number


def _call(function, *arguments):
    if getattr(_libc, function)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{function}: {os.strerror(code)}")


def _write(path, text):
    with open(path, "w", encoding="ascii") as out:
        out.write(text)


def _map_ids(pid):
    """Every user keeps its number inside, so that daemons can change to users of their own. Needs root outside."""
    for kind in ("uid_map", "gid_map"):
        ranges = [
            line.split()
            for line in pathlib.Path(f"/proc/self/{kind}").read_text(encoding="ascii").splitlines()
        ]
        _write(f"/proc/{pid}/{kind}", "".join(f"{first} {first} {count}\n" for first, _, count in ranges))


def _new_user_namespace(flags):
    if os.geteuid() != 0:
        maps = [f"0 {os.geteuid()} 1", f"0 {os.getegid()} 1"]
        _call("unshare", CLONE_NEWUSER | flags)
        _write("/proc/self/setgroups", "deny")
        for kind, text in zip(("uid_map", "gid_map"), maps):
            _write(f"/proc/self/{kind}", text)
        return
    ours, helpers = socket.socketpair()
    caller = os.getpid()
    helper = os.fork()
    if helper == 0:
        ours.close()
        status = 1
        try:
            if helpers.recv(1) == b"m":
                _map_ids(caller)
                status = 0
        finally:
            os._exit(status)
    helpers.close()
    try:
        _call("unshare", CLONE_NEWUSER | flags)
        ours.send(b"m")
    finally:
        ours.close()
        _, status = os.waitpid(helper, 0)
    if status != 0:
        raise OSError(errno.EPERM, "mapping the users: " + os.strerror(errno.EPERM))


def _furnish():
    """Mounts of the child: a /proc that shows our processes, a /run (with `ip netns`) that is ours alone."""
    _call("mount", b"none", b"/", None, MS_REC_PRIVATE, None)
    _call("mount", b"proc", b"/proc", b"proc", 0, None)
    _call("mount", b"tmpfs", b"/run", b"tmpfs", 0, b"mode=755")
    WORK.mkdir(mode=0o755)
    pathlib.Path("/run/lock").mkdir()


def _advice(error, as_root):
    text = f"This machine does not allow the network namespaces that this runs in ({error}).\n"
    for path, forbids, wanted in (
        ("kernel/unprivileged_userns_clone", "0", "1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
        ("user/max_user_namespaces", "0", "10000"),
        ("user/max_net_namespaces", "0", "10000"),
    ):
        try:
            if pathlib.Path("/proc/sys", path).read_text(encoding="ascii").strip() == forbids:
                text += f"Allow them with: sudo sysctl {path.replace('/', '.')}={wanted}\n"
        except OSError:
            pass
    if as_root:
        return text + "Inside a container it needs CAP_SYS_ADMIN and CAP_NET_ADMIN (docker run --privileged)."
    return text + "Or run it as root."


def is_root_of_the_machine():
    """Root, and in no user namespace: may load a program into the kernel, unless capabilities are missing."""
    everybody = [["0", "0", "4294967295"]]
    mapped = pathlib.Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    return os.geteuid() == 0 and [line.split() for line in mapped] == everybody


def _unshare(needs_users, as_root, needs_kernel):
    rest = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID
    if needs_kernel:
        if not is_root_of_the_machine():
            raise NotAllowed("This needs root, because a program of vipd goes into the kernel.")
        _call("unshare", rest)
        return
    if needs_users and os.geteuid() != 0:
        raise NotAllowed("This needs root, because a daemon under test changes to a user of its own.")
    if as_root and os.geteuid() == 0:
        try:
            return _call("unshare", rest)
        except OSError:
            pass  # a root with less than all rights, as in a container; a user namespace may be allowed
    try:
        _new_user_namespace(rest)
    except OSError as error:
        if os.geteuid() != 0 or error.errno not in (errno.EPERM, errno.ENOSPC, errno.EINVAL):
            raise
        _call("unshare", rest)  # user namespaces are forbidden, but we are root anyway


def enter(needs_users=False, as_root=False, needs_kernel=False):
    """Returns in the child, inside. The parent never returns: it exits as the child does.

    needs_users: a daemon wants to become another user than root, which only root can arrange.
    as_root: without a user namespace of our own if we are root: then real-time priority, control groups and what
    else the kernel grants only there are as on a real machine.
    needs_kernel: a program is loaded into the kernel, which forbids that inside a user namespace.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent_is_root = os.geteuid() == 0
    try:
        _unshare(needs_users, as_root, needs_kernel)
    except NotAllowed:
        raise
    except OSError as error:
        raise NotAllowed(_advice(error, parent_is_root)) from None
    ready, told = os.pipe()
    child = os.fork()
    if child != 0:
        os.close(told)
        _stand_by(child, ready, parent_is_root)
    os.close(ready)
    _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setpgid(0, 0)  # Ctrl-C reaches the parent alone, which passes it on once
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        _furnish()
    except OSError as error:
        os.write(told, str(error).encode())
        os._exit(MAY_NOT)
    os.close(told)


def _interrupt(number, _frame):
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # once is enough: cleaning up is not interrupted
    raise Interrupted(number)


def _stand_by(child, ready, as_root):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda n, _frame: os.kill(child, n))
    # The child writes to our terminal from a process group of its own; that must not stop it.
    with os.fdopen(ready, "rb") as pipe:
        complaint = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    sys.stdout.flush()
    if complaint:
        print(_advice(complaint, as_root), file=sys.stderr)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)
