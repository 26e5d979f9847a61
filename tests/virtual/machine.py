"""One virtual belt: QEMU with a Debian kernel, gpio-sim lines for a header, the project installed by its own installer.

Time inside is virtual where `timed` is asked for: the one emulated processor does 500 million instructions a second,
about what a core of a Pi Zero 2 W does (assumed); its clock stands still while this machine is busy elsewhere, and what
is idle is skipped.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any, Self

import image
from arch import Arch

GUEST = Path(__file__).parent / "guest"
TIMED = ("-accel", "tcg,thread=single", "-icount", "shift=1,sleep=off,align=off", "-rtc", "base=2026-01-01,clock=vm")
FAST = ("-accel", "tcg,thread=multi", "-rtc", "base=2026-01-01")
UNIT = """[Unit]
Description=The bench inside a virtual belt
DefaultDependencies=no
Before=systemd-udevd.service systemd-tmpfiles-setup.service
[Service]
ExecStart=/usr/bin/python3 -u /run/bench/agent.py /dev/{line}
Nice=-10
OOMScoreAdjust=-1000
OOMPolicy=continue
"""
PATIENCE_S = 400.0  # of this machine's time, for one case
KERNEL_WORDS = "console={console} quiet panic=-1 mitigations=off nokaslr systemd.show_status=0"
DROP_IN = """[Service]
# What a Raspberry Pi has by itself: a revision in /proc or in its device tree. And what stands for a serial port here.
BindReadOnlyPaths=-/run/bench/cpuinfo:/proc/cpuinfo
DeviceAllow=char-pts rw
"""
NO_DISK_WAITS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "fstrim.timer",
)


class Machine:
    """Boots at once; `ask` runs a case of the guest's and returns what it measured. A context manager."""

    def __init__(
        self,
        built: image.Image,
        *,
        timed: bool = True,
        files: dict[str, str] | None = None,
        disk: tuple[str, ...] | None = None,
        nap: Path | None = None,
        memory_mb: int = 768,
    ) -> None:
        """Boots from `built`, or from `disk` (QEMU's options for one) in place of its root.

        `files` are laid into /run/bench; one named `prepare` is run as a shell script before systemd starts.
        `nap` is a file that keeps the kernel as it is just before it looks for its disk: the first machine makes it,
        and each begins there, with the first one's `files`, as if it had just been switched on.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="belt-"))
        self.console = self.folder / "console"
        ramdisk = self.folder / "ramdisk"
        ramdisk.write_bytes(built.ramdisk.read_bytes() + image.packed(self._bench(built.arch, files or {})))
        # the root is in memory unless it is a disk: nothing waits for it, and what is written is forgotten
        given = built.arch.board(self.folder, memory_mb, built.root if disk is None else None)
        argv = [*given.argv, *(TIMED if timed else FAST), "-smp", "1" if timed else "2"]
        argv += ["-nodefaults", "-no-reboot", "-display", "none", *(disk or ())]
        device = "/dev/pmem0" if disk is None else "/dev/vda"
        words = f"{KERNEL_WORDS.format(console=built.arch.console)}{given.words} bench.disk={device}"
        argv += ["-kernel", str(built.kernel), "-initrd", str(ramdisk), "-append", words]
        argv += ["-serial", f"file:{self.console}", *built.arch.serial]
        if nap is not None:
            argv[argv.index("-append") + 1] += " bench.nap"
            if not nap.exists():
                self._fall_asleep(argv, nap)
            argv += ["-incoming", f"exec:cat '{nap}'"]
        self._start(argv)
        if nap is not None:
            self._napping()
            self._in.write("wake\n")
            self._in.flush()

    def _start(self, argv: list[str]) -> None:
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None and self.process.stdin is not None
        self._out, self._in = self.process.stdout, self.process.stdin
        self._ready = False

    def _fall_asleep(self, argv: list[str], nap: Path) -> None:
        """Boot up to the nap, keep that, and end."""
        monitor = self.folder / "monitor"
        self._start([*argv, "-monitor", f"unix:{monitor},server=on,wait=off"])
        self._napping()
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(monitor))
            line.sendall(f"migrate \"exec:cat >'{nap}'\"\nquit\n".encode())
            self.process.communicate()
        self.console.unlink()

    def _napping(self) -> None:
        """Wait until the kernel says that it naps."""
        while "BENCH naps" not in self.said():
            assert self.process.poll() is None, f"the machine ended before its nap:\n{self.said()}"
            time.sleep(0.02)

    def _bench(self, arch: Arch, files: dict[str, str]) -> Path:
        """What is laid into the ramdisk: the guest's side of the bench, and its unit."""
        tree = self.folder / "tree"
        shutil.copytree(GUEST, tree / "bench")
        units = tree / "bench/units"
        (units / "sysinit.target.wants").mkdir(parents=True)
        (units / "bench.service").write_text(UNIT.format(line=arch.line))
        (units / "sysinit.target.wants/bench.service").symlink_to("../bench.service")
        (units / "rearguard.service.d").mkdir()
        (units / "rearguard.service.d/virtual.conf").write_text(DROP_IN)
        for name in NO_DISK_WAITS:
            (units / name).symlink_to("/dev/null")
        for name, text in {**arch.files, **files}.items():
            path = tree / "bench" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tree

    def lines(self) -> Iterator[dict[str, Any]]:
        """What the guest says, as it says it."""
        for line in self._out:
            if line.startswith("{") and line.endswith("\n"):  # the last is torn where the machine was cut
                yield json.loads(line)

    def ask(self, case: str, **how: Any) -> dict[str, Any]:
        """Run one case; what it measured. Raises AssertionError with the guest's own words when it fails."""
        if not self._ready:  # what is sent before the line is open is lost
            self._ready = next(self.lines(), {}).get("case") == "ready"
        patience = Timer(PATIENCE_S, self.process.kill)  # a machine that hangs must not hang us
        patience.start()
        try:
            self._in.write(json.dumps({"case": case, **how}) + "\n")
            self._in.flush()
            for told in self.lines():
                if told.get("case") == case:
                    assert "error" not in told, f"{case}:\n{told['error']}"
                    return told
                print(told)
        finally:
            patience.cancel()
        raise AssertionError(f"the machine ended during {case}; its console ends with:\n{self.said()}")

    def shell(self, command: str) -> str:
        """What a command prints; it has to work."""
        told = self.ask("shell", command=command)
        assert told["code"] == 0, told["out"]
        return str(told["out"])

    def said(self, last: int = 3000) -> str:
        """The end of the console."""
        return self.console.read_text(errors="replace")[-last:] if self.console.exists() else ""

    def cut(self) -> None:
        """Pull the plug."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
        shutil.rmtree(self.folder)
