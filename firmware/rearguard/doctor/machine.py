"""The machine as the checks see it: files below a root, and the answers of a few programs.

Tests lay a tree of files and answer for the programs; on a Pi the root is /.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeAlias

from rearguard.config import Config
from rearguard.doctor.finding import CannotTellError
from rearguard.host import Host, RealClock, pin_factory

LIMIT_S = 5.0  # for one program; systemctl on a busy Zero 2 W takes a tenth of that (assumed)
MOST = 65536  # bytes of one file or answer; a full /proc or config.txt has a tenth of that
ABSENT, HUNG = 127, 124  # exit codes, as those of a shell and of timeout(1)
Run: TypeAlias = Callable[[Sequence[str]], tuple[int, str]]
Ioctl: TypeAlias = Callable[[int, int, bytearray], object]


class Commands:
    """Runs programs: exit code, and what they printed (their complaint where they failed). Never raises, never hangs.

    A program that has hung once is not started again.
    """

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._hung: set[str] = set()

    def __call__(self, argv: Sequence[str]) -> tuple[int, str]:
        program = argv[0]
        if program in self._hung:
            return HUNG, f"{program} does not answer"
        environment = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}
        environment.pop("LG_WD", None)
        try:
            with TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # lgpio leaves files where it is imported
                done = subprocess.run(
                    argv,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=self._limit_s,
                    cwd=folder,
                    env=environment,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            self._hung.add(program)
            return HUNG, f"{program} does not answer within {self._limit_s:g} s"
        except FileNotFoundError:
            return ABSENT, f"there is no {program} here"
        except (OSError, ValueError) as error:
            return ABSENT, f"{program} cannot be started: {error}"
        said = done.stderr if done.returncode and done.stderr.strip() else done.stdout
        return done.returncode, said[:MOST].decode(errors="replace").strip()


class Room(NamedTuple):
    """What is left on the disk beneath a folder."""

    free_mb: float
    read_only: bool


def room(path: Path) -> Room:
    """Raises OSError."""
    info = os.statvfs(path)
    return Room(info.f_bavail * info.f_frsize / 1e6, bool(info.f_flag & os.ST_RDONLY))


class Owner(NamedTuple):
    """Whose a folder is, and who may write there."""

    uid: int
    gid: int
    mode: int


def owner(path: Path) -> Owner:
    """Raises OSError."""
    info = path.stat()
    return Owner(info.st_uid, info.st_gid, info.st_mode)


def wires(config: Config) -> Host:
    """What the production drivers stand on."""
    return Host(RealClock(), cache(lambda: pin_factory(config.pin_factory)))


def _ioctl(fd: int, request: int, data: bytearray) -> object:
    return fcntl.ioctl(fd, request, data)


@dataclass(frozen=True)
class Machine:
    """Everything that the checks may touch. Names of files are given from /, whatever the root."""

    root: Path = Path("/")
    run: Run = field(default_factory=Commands)
    ioctl: Ioctl = _ioctl
    host: Callable[[Config], Host] = wires
    room: Callable[[Path], Room] = room
    owner: Callable[[Path], Owner] = owner
    uid: int = field(default_factory=os.geteuid)
    gids: frozenset[int] = field(default_factory=lambda: frozenset({os.getegid(), *os.getgroups()}))
    bits: int = 8 * struct.calcsize("P")  # of the programs, which may be fewer than the kernel's
    python: tuple[int, int, int] = sys.version_info[:3]

    def path(self, name: str) -> Path:
        """Where a file really is."""
        return self.root / name.lstrip("/")

    def text(self, name: str) -> str:
        """What a file says, up to 64 kB, NULs and blanks around it taken off. Raises CannotTellError."""
        try:
            fd = os.open(self.path(name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # never waits for a pipe
            try:
                data = os.read(fd, MOST)
            finally:
                os.close(fd)
        except FileNotFoundError:
            raise CannotTellError(f"there is no {name}") from None
        except OSError as error:
            raise CannotTellError(f"{name} cannot be read: {error.strerror or error}") from None
        return data.decode(errors="replace").strip("\0 \t\r\n")

    def number(self, name: str) -> int:
        """The whole number in a file, decimal or 0x. Raises CannotTellError."""
        text = self.text(name)
        try:
            return int(text, 0)
        except ValueError:
            raise CannotTellError(f"{name} says {text[:20]!r}, which is no number") from None

    def has(self, name: str) -> bool:
        """Whether there is such a file, through links; False as well where one may not look."""
        return os.path.exists(self.path(name))  # noqa: PTH110 (Path.exists raises where one may not look)

    def behind(self, name: str) -> str:
        """The file that a link points to; the name itself where it is none."""
        try:
            target = self.path(name).readlink()
        except OSError:
            return name
        return os.path.normpath(Path(name).parent / target)

    def glob(self, pattern: str) -> list[str]:
        """Names that match, in order."""
        return sorted(f"/{name}" for name in glob(pattern.lstrip("/"), root_dir=self.root))

    def users(self) -> dict[str, tuple[int, int]]:
        """Number and own group of each user, by name. Raises CannotTellError."""
        rows = (line.split(":") for line in self.text("/etc/passwd").splitlines())
        numbers = {row[0]: row[2:4] for row in rows if len(row) >= 4}
        return {name: (int(u), int(g)) for name, (u, g) in numbers.items() if u.isdecimal() and g.isdecimal()}

    def groups(self) -> dict[str, tuple[int, list[str]]]:
        """Number and members of each group, by name. Raises CannotTellError."""
        rows = (line.split(":") for line in self.text("/etc/group").splitlines())
        return {row[0]: (int(row[2]), row[3].split(",")) for row in rows if len(row) >= 4 and row[2].isdecimal()}

    def show(self, *what: str) -> dict[str, str]:
        """Properties as `systemctl show` tells them. Raises CannotTellError."""
        code, said = self.run(["systemctl", "show", *what])
        if code:
            raise CannotTellError(said.splitlines()[0][:200] if said else f"systemctl ends with code {code}")
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
