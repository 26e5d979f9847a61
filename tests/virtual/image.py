"""Builds what a virtual belt boots from: a Debian kernel, a first ramdisk, and a root with the project installed.

Everything lands in one folder under the name of a hash of what it was made from, and is used again as long as that
is the same. `python tests/virtual/image.py` builds it by itself and says where it is.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from arch import AMD64, ARM64, Arch

HERE = Path(__file__).parent
REPO = HERE.parent.parent
CACHE = Path(os.environ.get("REARGUARD_VIRTUAL", REPO / ".virtual"))
PINS = tomllib.loads((HERE / "pins.toml").read_text())
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
TOOLS = ("mmdebstrap", "mke2fs", "debugfs", "depmod", "apt-get", "dpkg-deb", "cpio")
PROJECT = (  # what a release is made of
    "pyproject.toml", "README.md", "LICENSE", "requirements.lock", "install.sh", "firmware", "systemd", "tools",
    "docs/operate.md", "docs/read-only.md", "docs/faults.md",
)  # fmt: skip


class Image(NamedTuple):
    """The files of a machine."""

    kernel: Path
    ramdisk: Path
    root: Path
    arch: Arch


class CannotBuildError(Exception):
    """This machine lacks what it takes; the text says what."""


class NoMeansError(CannotBuildError):
    """It is not the project: the tools are not here, or Debian cannot be had."""


def missing(arch: Arch = AMD64) -> str | None:
    """Why no virtual belt can be built here, or None."""
    tools = (*arch.tools, *TOOLS)
    absent = [tool for tool in tools if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if absent:
        return f"not installed: {', '.join(absent)} (see .ci/run)"
    if os.geteuid() != 0:
        return "building a Debian root takes root"
    return None


def build(arch: Arch = AMD64) -> Image:
    """Everything a machine needs, from the cache where it can be. Raises CannotBuildError."""
    if why := missing(arch):
        raise NoMeansError(why)
    CACHE.mkdir(exist_ok=True)
    own = arch.prefix
    kernel = made(f"{own}kernel", [repr(PINS["kernel"])], lambda to: _kernel(arch, to))
    plain = debian(arch)
    first = [repr(PINS), _text(HERE / "initrd.sh"), kernel.name]
    ramdisk = made(f"{own}ramdisk", first, lambda to: _ramdisk(kernel, plain, to))
    shipped = release(arch)
    parts = [repr(PINS["debian"]), plain.name, shipped.parent.name, _text(Path(__file__))]
    belt = made(f"{own}root", parts, lambda to: root(plain, to, lambda tree: install(arch, shipped, tree)))
    return Image(next(kernel.glob("usr/lib/modules/*/vmlinuz")), ramdisk / "ramdisk", belt / "root.ext4", arch)


def debian(arch: Arch, *more: str) -> Path:
    """The folder of a small Debian, with these packages beside those of every belt."""
    name = f"{arch.prefix}{'-'.join(more)}{'-' if more else ''}debian"
    return made(name, [repr(PINS["debian"])], lambda to: _debian(arch, [*PINS["debian"]["packages"], *more], to))


def release(arch: Arch) -> Path:
    """The release folder, as anybody would download it; of the wheels, those for this Debian's Python and processor."""
    environment = {**os.environ, "BOARDS": arch.wheels, "PYTHONS": "311", "PYTHON": sys.executable}
    folder = made(
        f"{arch.prefix}release",
        map(_text, _files(REPO / name for name in PROJECT)),
        lambda to: run("bash", REPO / "tools/release.sh", to, env=environment),
    )
    return next(folder.glob("rearguard-*"))


def made(name: str, parts: Iterable[str], make: Callable[[Path], None]) -> Path:
    """The folder of that name, made now unless it is there; a half-made one is never taken for whole."""
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    folder = CACHE / f"{name}-{key}"
    if folder.exists():
        return folder
    print(f"virtual bench: making the {name}", file=sys.stderr, flush=True)
    for old in CACHE.glob(f"{name}-*"):
        shutil.rmtree(old)
    part = CACHE / f"part-{name}-{key}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    make(part)
    part.rename(folder)
    return folder


def _files(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        within = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [p for p in within if p.is_file() and "__pycache__" not in p.parts and ".egg-info" not in str(p)]
    return found


def _text(path: Path) -> str:
    return f"{path.name}\n{path.read_bytes().hex()}"


def run(*argv: str | Path, **how: object) -> str:
    """A command that must work; its standard output."""
    done = subprocess.run([str(a) for a in argv], text=True, capture_output=True, check=False, **how)  # type: ignore[call-overload]
    if done.returncode:
        raise CannotBuildError(f"{' '.join(map(str, argv))}: {(done.stderr or done.stdout)[-2000:]}")
    return str(done.stdout)


def fetch(*argv: str | Path, **how: object) -> None:
    """A command that needs the mirror. Raises NoMeansError."""
    try:
        run(*argv, **how)
    except CannotBuildError as error:
        raise NoMeansError(str(error)) from error


def mirror() -> str:
    """The Debian mirror that this machine's apt uses for itself. Raises NoMeansError."""
    known = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian").split()
    if not known:  # it tells of those whose lists it has
        raise NoMeansError("apt knows no mirror of Debian here; with one among its sources: sudo apt-get update")
    return known[0]


def _kernel(arch: Arch, to: Path) -> None:
    """The kernel's packages, unpacked; with an apt of their own, so that this machine's lists stay as they are."""
    apt = to / "apt"
    for sub in (
        "etc/apt.conf.d",
        "etc/preferences.d",
        "etc/trusted.gpg.d",
        "state/lists/partial",
        "cache/archives/partial",
    ):
        (apt / sub).mkdir(parents=True)
    (apt / "state/status").touch()
    suite, version = PINS["kernel"]["suite"], PINS["kernel"]["version"]
    (apt / "etc/sources.list").write_text(f"deb [arch={arch.name} signed-by={KEYRING}] {mirror()} {suite} main\n")
    (apt / "apt.conf").write_text(
        f'Dir::Etc "{apt}/etc"; Dir::Etc::sourcelist "{apt}/etc/sources.list"; Dir::Etc::sourceparts "-";\n'
        f'Dir::State "{apt}/state"; Dir::State::status "{apt}/state/status"; Dir::Cache "{apt}/cache";\n'
        f'APT::Architecture "{arch.name}"; APT::Architectures {{ "{arch.name}"; }}; APT::Sandbox::User "root";\n'
        'Acquire::Languages "none";\n'
    )
    env = {**os.environ, "APT_CONFIG": str(apt / "apt.conf")}
    fetch("apt-get", "-qq", "update", "--error-on=any", env=env)
    found = run("apt-cache", "policy", f"linux-image-{arch.name}", env=env)
    if version not in found:  # mirrors drop old versions
        known = re.findall(r"^\s+(\d\S+) \d+$", found, re.M)
        if not known:
            raise NoMeansError(f"the mirror has no linux-image-{arch.name} in {suite}")
        version = known[0]
        print(
            f"virtual bench: the mirror has no kernel {PINS['kernel']['version']} any more; {version} instead",
            file=sys.stderr,
        )
    release = re.search(
        r"Depends: linux-image-(\S+)", run("apt-cache", "depends", f"linux-image-{arch.name}={version}", env=env)
    )
    assert release, "a meta package that names no kernel"
    fetch("apt-get", "-qq", "download", f"linux-binary-{release[1]}", f"linux-modules-{release[1]}", env=env, cwd=to)
    for deb in to.glob("*.deb"):
        run("dpkg-deb", "-x", deb, to)
        deb.unlink()
    shutil.rmtree(apt)
    run("/usr/sbin/depmod", "-b", to / "usr", release[1])


def _ramdisk(kernel: Path, debian: Path, to: Path) -> None:
    """Debian's busybox, the modules in the order of their needs, and initrd.sh."""
    tree = to / "tree"
    for sub in ("modules", "proc", "sys", "dev", "root"):
        (tree / sub).mkdir(parents=True)
    modules = next((kernel / "usr/lib/modules").iterdir())
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, deps = line.partition(":")
        needs[path] = deps.split()
    by_name = {Path(path).name.partition(".ko")[0].replace("-", "_"): path for path in needs}
    order: list[str] = []

    def add(path: str) -> None:
        if path not in order:
            for need in reversed(needs[path]):
                add(need)
            order.append(path)

    for name in PINS["modules"]["names"]:
        if name in by_name:  # else it is built in
            add(by_name[name])
    for path in [*order, *(by_name[name] for name in PINS["modules"]["late"] if name in by_name)]:
        data = (modules / path).read_bytes()
        (tree / "modules" / Path(path).name.removesuffix(".xz")).write_bytes(
            lzma.decompress(data) if path.endswith(".xz") else data
        )
    (tree / "modules/order").write_text("".join(f"{Path(path).name.removesuffix('.xz')}\n" for path in order))
    run("tar", "-xf", debian / "debian.tar", "-C", tree, "--strip-components=2", "./usr/bin/busybox")
    shutil.copy(HERE / "initrd.sh", tree / "init")
    (tree / "init").chmod(0o755)
    (to / "ramdisk").write_bytes(packed(tree))
    shutil.rmtree(tree)


def packed(tree: Path) -> bytes:
    """A folder as the kernel wants its first files: a cpio archive. Several may follow each other."""
    names = "\n".join(str(p.relative_to(tree)) for p in sorted(tree.rglob("*")))
    return subprocess.run(
        ["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"],
        input=names.encode(),
        cwd=tree,
        capture_output=True,
        check=True,
    ).stdout


def _debian(arch: Arch, packages: list[str], to: Path) -> None:
    """A small Debian of the suite, as a tar."""
    suite = PINS["debian"]["suite"]
    fetch(
        *arch.foreign, "mmdebstrap", f"--architectures={arch.name}", "--mode=root", "--skip=check/qemu",
        "--variant=minbase", f"--include={','.join(packages)}", "--aptopt=Acquire::Languages \"none\"",
        "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*", suite, to / "debian.tar",
        f"deb [signed-by={KEYRING}] {mirror()} {suite} main",
    )  # fmt: skip


def root(debian: Path, to: Path, fill: Callable[[Path], None]) -> None:
    """Debian on a disk, and what `fill` adds to its tree."""
    tree = to / "root"
    tree.mkdir()
    run("tar", "-xf", debian / "debian.tar", "-C", tree)
    (tree / "etc/hostname").write_text("belt\n")
    (tree / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (tree / "etc/fstab").write_text("/dev/root / ext4 defaults,noatime 0 1\n")
    fill(tree)
    run("mke2fs", "-q", "-t", "ext4", "-d", tree, "-L", "belt", to / "root.ext4", f"{PINS['debian']['image_mb']}M")
    shutil.rmtree(tree)


def install(arch: Arch, release: Path, root: Path) -> None:
    """As its owner would: the release folder is copied over, and its installer does the rest."""
    shutil.copytree(release, root / "root/rearguard")
    print(run(*arch.foreign, "chroot", root, "/root/rearguard/install.sh"), file=sys.stderr)
    extra = PINS["debian"]["rpigpio"]  # beside the program, for the tests that want RPi.GPIO in place of lgpio
    run(
        sys.executable,
        "-m",
        "pip",
        "-q",
        "--disable-pip-version-check",
        "install",
        "--no-deps",
        "--target",
        root / "usr/share/rpigpio",
        extra,
    )


if __name__ == "__main__":
    try:
        print(*build(ARM64 if "arm64" in sys.argv[1:] else AMD64)[:3], sep="\n")
    except CannotBuildError as error:
        sys.exit(f"virtual bench: {error}")
