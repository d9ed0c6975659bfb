"""Choose the operating-system account of the embedded servers, and turn a process into it."""

import ctypes
import os
import pwd
import signal
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.dev.stack.servers import EmbeddedError

# <linux/prctl.h> and <linux/capability.h>
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE, CAPABILITY_VERSION = 1, 0x20080522

ON_LINUX: Final = sys.platform == "linux"
LIBC: Final = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class OsAccount:
    """Describe the account that the servers run as: never root, as which PostgreSQL refuses to run."""

    uid: int
    gid: int
    bypasses_permissions: bool
    """Whether it keeps the capability CAP_DAC_OVERRIDE, with which it may enter directories that are closed to it."""

    def create_directory(self, path: Path) -> None:
        """Create a private directory that belongs to this account."""
        path.mkdir(mode=0o700)
        os.chown(path, self.uid, self.gid)

    def drop_privileges(self) -> None:
        """Run the calling process as this account from now on; nothing happens unless it is root."""
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(self.gid)
            if self.bypasses_permissions:
                _call_libc("prctl", PR_SET_KEEPCAPS, 1, 0, 0, 0)
            os.setuid(self.uid)
            if self.bypasses_permissions:
                bit = 1 << CAP_DAC_OVERRIDE
                _call_libc(
                    "capset",
                    (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0),
                    (ctypes.c_uint32 * 6)(bit, bit, bit),
                )
                _call_libc("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def die_with_parent(death_signal: signal.Signals) -> None:
    """Have the kernel send `death_signal` to the calling process when its parent dies; does so on Linux only."""
    if ON_LINUX:
        _call_libc("prctl", PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


def _call_libc(call: str, *arguments: object) -> None:
    exact = (ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments)
    if getattr(LIBC, call)(*exact) != 0:
        raise OSError(ctypes.get_errno(), call)


def choose_os_account(data_dir: Path, programs: list[Path]) -> OsAccount:
    """Return the account for the servers: the owner of the data, else the current one, for root an unprivileged one.

    Raises EmbeddedError if no such account exists, or if it could not reach its data or the programs.
    """
    data = next(
        (directory for directory in (data_dir / "postgres", data_dir / "valkey") if directory.exists()), data_dir
    )
    owner = None if data == data_dir else data.stat()
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise EmbeddedError(f"{data} belongs to another account (uid {owner.st_uid}). Use another data directory.")
        return OsAccount(os.geteuid(), os.getegid(), bypasses_permissions=False)
    if owner is not None and owner.st_uid != 0:
        uid, gid = owner.st_uid, owner.st_gid
    else:
        uid, gid = _find_unprivileged_account()
    unreachable = [path for path in (data_dir / "postgres", *programs) if not _can_reach(path, uid, gid)]
    if unreachable and not ON_LINUX:
        raise EmbeddedError(
            f"PostgreSQL refuses to run as root, and uid {uid} may not enter {unreachable[0]}. "
            "Run as an ordinary user, or move the project to a directory that all users may enter."
        )
    return OsAccount(uid, gid, bypasses_permissions=bool(unreachable))


def _find_unprivileged_account() -> tuple[int, int]:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_uid, found.pw_gid
    raise EmbeddedError("PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody` to run as.")


def _can_reach(path: Path, uid: int, gid: int) -> bool:
    """Tell whether permission bits let `uid` enter the directories above `path`, and run `path` if it is a program."""
    for directory in (path, *path.parents):
        if not directory.exists() or (directory == path and directory.is_dir()):
            continue
        found = directory.stat()
        mine = stat.S_IXUSR if found.st_uid == uid else stat.S_IXGRP if found.st_gid == gid else stat.S_IXOTH
        if not found.st_mode & mine:
            return False
    return True
