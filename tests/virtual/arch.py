"""The processors that a virtual belt can have, and how QEMU is told of each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

CPUINFO = "Revision\t: c03115\nSerial\t\t: 10000000deadbeef\nModel\t\t: Raspberry Pi 4 Model B Rev 1.5\n"
MEMORY_BASE = 0x40000000  # of QEMU's `virt`


class Given(NamedTuple):
    """What QEMU is given for the board: its options, and words for the kernel."""

    argv: list[str]
    words: str


class Arch(NamedTuple):
    """What differs from one processor to the next."""

    name: str  # as Debian calls it
    wheels: str  # as Python does
    prefix: str  # of its folders in the cache
    tools: tuple[str, ...]
    foreign: tuple[str | Path, ...]  # put before a command that runs its programs while an image is built
    console: str
    line: str  # between the bench and its agent, second of the serial ones
    serial: tuple[str, ...]  # QEMU's options for it
    files: dict[str, str]  # laid into /run/bench
    board: Callable[[Path, int, Path | None], Given]  # folder for its own files, MB of memory, root that is memory


def _pc(_: Path, memory_mb: int, root: Path | None) -> Given:
    """A PC; the root is an NVDIMM. Of a Pi it has the revision in /proc/cpuinfo, see initrd.sh."""
    if root is None:
        return Given(["qemu-system-x86_64", "-M", "pc", "-cpu", "max", "-m", f"{memory_mb}M"], "")
    argv = ["qemu-system-x86_64", "-M", "pc,nvdimm=on", "-cpu", "max", "-m", f"{memory_mb}M,slots=2,maxmem=4G"]
    argv += ["-object", f"memory-backend-file,id=root,share=off,mem-path={root},size={root.stat().st_size}"]
    return Given([*argv, "-device", "nvdimm,memdev=root"], "")


def _virt(folder: Path, memory_mb: int, root: Path | None) -> Given:
    """QEMU's `virt` with a Pi 4's processor and, in its device tree, a Pi 4's name.

    It has NVDIMMs only with ACPI. So the root is plain memory behind the memory that the kernel is allowed, and the
    device tree says that it persists. The second serial line is a PCI card, for `virt` has one UART.
    """
    argv = ["qemu-system-aarch64", "-cpu", "cortex-a72", "-m", f"{memory_mb}M"]
    words, pmem = "", []
    if root is not None:
        size = root.stat().st_size
        at = MEMORY_BASE + memory_mb * 2**20
        argv[-1] = f"{memory_mb * 2**20 + size}B"
        argv += ["-object", f"memory-backend-ram,id=memory,size={memory_mb}M", "-numa", "node,memdev=memory"]
        argv += ["-object", f"memory-backend-file,id=root,share=off,mem-path={root},size={size}"]
        argv += ["-numa", "node,memdev=root"]
        words = f" mem={memory_mb}M numa=off"
        pmem = [
            ("s", f"/pmem@{at:x}", "compatible", "pmem-region"),
            ("x", f"/pmem@{at:x}", "reg", f"{at >> 32:x}", f"{at & 0xFFFFFFFF:x}", f"{size >> 32:x}", f"{size:x}"),
        ]
    tree = folder / "board.dtb"
    subprocess.run([*argv, "-M", f"virt,dumpdtb={tree}", "-display", "none"], check=True, capture_output=True)
    for kind, node, *rest in (
        ("s", "/", "model", "Raspberry Pi 4 Model B Rev 1.5"),
        ("x", "/system", "linux,revision", "c03115"),
        ("s", "/pl061@9030000", "status", "disabled"),  # its GPIO chip, for a power button
        *pmem,
    ):
        subprocess.run(["fdtput", "-p", "-t", kind, tree, node, *rest], check=True)
    return Given([*argv, "-M", "virt", "-dtb", str(tree)], words)


AMD64 = Arch(
    "amd64", "x86_64", "", ("qemu-system-x86_64",), (), "ttyS0", "ttyS1", ("-serial", "stdio"),
    {"cpuinfo": CPUINFO}, _pc,
)  # fmt: skip
ARM64 = Arch(
    "arm64", "aarch64", "arm64-", ("qemu-system-aarch64", "qemu-aarch64-static", "fdtput"),
    (sys.executable, Path(__file__).parent / "foreign.py"), "ttyAMA0", "ttyS0",
    ("-chardev", "stdio,id=line", "-device", "pci-serial,chardev=line"), {}, _virt,
)  # fmt: skip
