"""Runs a command whose programs may be arm64's: `foreign.py COMMAND...`, as root; its exit status is the command's.

The kernel is told of the emulator in a user namespace of its own, so that this machine's table of foreign programs
stays as it is. Where that table has arm64 already, it serves.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import sys
from pathlib import Path

EMULATOR = "qemu-aarch64-static"
TABLE = Path("/proc/sys/fs/binfmt_misc")
HEAD = (
    rb"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"  # of a 64-bit program for machine 183
)
MASK = (
    rb"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"  # any ABI, ET_EXEC or ET_DYN
)
FLAGS = b"FP"  # the emulator is opened now, so a chroot needs none; the program is told its own name
NEW_USER, NEW_MOUNTS = 0x10000000, 0x00020000  # linux/sched.h
PRIVATE = 0x4000 | 0x40000  # linux/mount.h: MS_REC, MS_PRIVATE
ALL = "0 0 4294967294\n"  # every user and group as itself
libc = ctypes.CDLL(None, use_errno=True)


def must(result: int, what: str) -> None:
    """Stop when a call of libc has failed."""
    if result:
        sys.exit(f"foreign.py: {what}: {os.strerror(ctypes.get_errno())}. It takes root and Linux 6.7 or newer")


def enter(parent: socket.socket) -> None:
    """In the namespace: wait until the parent has mapped the users, then tell the kernel of the emulator."""
    must(libc.unshare(NEW_USER | NEW_MOUNTS), "a namespace of its own")
    parent.send(b".")
    parent.recv(1)
    must(libc.mount(None, b"/", None, PRIVATE, None), "mounts of its own")
    must(libc.mount(b"binfmt_misc", bytes(TABLE), b"binfmt_misc", 0, None), "a table of foreign programs")
    emulator = shutil.which(EMULATOR) or sys.exit(
        f"foreign.py: {EMULATOR} is missing: apt-get install qemu-user-static"
    )
    (TABLE / "register").write_bytes(b":aarch64:M::%s:%s:%s:%s" % (HEAD, MASK, emulator.encode(), FLAGS))


def main() -> None:
    """Run the command in a child, for only from outside can all users be mapped."""
    command = sys.argv[1:]
    if (TABLE / "qemu-aarch64").exists():
        os.execvp(command[0], command)
    ours, childs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        enter(childs)
        os.execvp(command[0], command)
    childs.close()
    if ours.recv(1):
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{child}/{name}").write_text(ALL)
        ours.send(b".")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


main()
