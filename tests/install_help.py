"""A machine to install on: a folder with what a Raspberry Pi has, and commands that note what they are asked.

Python, pip, the shell and every file are real; apt-get, systemctl and the others that would reach past the folder are
stand-ins that write their arguments to a log and answer from files in the folder.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

TOP = Path(__file__).parents[1]
FIRMWARE = TOP / "firmware" / "rearguard"
BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"

CONFIG_TXT = """\
# For more options and information see
dtparam=audio=on
camera_auto_detect=1

[cm5]
dtoverlay=dwc2,dr_mode=host
"""
CMDLINE_TXT = "console=serial0,115200 console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 fsck.repair=yes rootwait\n"

STANDINS = {
    "apt-get": """
case " $* " in
  *" install "*)
    if [ -e "$STATE/apt-has-nothing" ]; then echo "E: Unable to locate package"; exit 100; fi
    if [ -e "$STATE/no-venv" ]; then exit 100; fi
    touch "$STATE/$(printf %s "$*" | sed 's/.* //')" ;;
  *" update "*) if [ -e "$STATE/no-network" ]; then echo "E: Failed to fetch the lists"; exit 100; fi ;;
esac""",
    "systemctl": """
case "$1" in
  is-enabled) test -e "$STATE/enabled-$3" ;;
  enable) touch "$STATE/enabled-$3" ;;
  disable) shift; for unit; do rm -f "$STATE/enabled-$unit" "$STATE/active-$unit"; done ;;
  is-active)
    for unit; do :; done
    if test -e "$STATE/active-$unit"; then answer=active code=0; else answer=inactive code=3; fi
    [ "$2" = --quiet ] || echo $answer
    exit $code ;;
  start | restart)
    cd "$REARGUARD_ROOT"
    rm -f "$STATE/active-$2"
    if [ "$2" = rearguard.service ]; then
      opt/rearguard/bin/rearguard --version >"$STATE/started" || exit
      # the fact rearguard.service-fails holds a pattern: of the program, or of a line of the unit
      cat "usr/lib/systemd/system/$2" >>"$STATE/started"
      if test -e "$STATE/$2-fails" && grep -q -f "$STATE/$2-fails" "$STATE/started"; then exit 1; fi
    fi
    touch "$STATE/active-$2" ;;
  show) # -P ExecMainStartTimestamp UNIT
    if [ -e "$STATE/started-unknown" ]; then echo; else date -r "$STATE/active-$4" "+%a %F %T %Z"; fi ;;
esac""",
    "systemd-sysusers": 'touch "$STATE/users"',
    "getent": '[ "$1" = group ] && [ "$2" = dialout ] || test -e "$STATE/users"',
    "userdel": 'rm -f "$STATE/users"',
    "groupdel": "",
    "chown": "",
    "dpkg": 'cat "$STATE/architecture" 2>/dev/null || echo arm64',
    "systemd-tmpfiles": "",
    "udevadm": "",
    "df": 'echo "Filesystem 1M-blocks Used Available"; echo "root 9 1 $(cat "$STATE/free" 2>/dev/null || echo 5000)"',
    "sync": "",
}
# Where a test says so, the installer is killed in the middle of a call: at the one that matches, the first time.
STANDIN = """#!/bin/sh
echo "{name} $*" >>"$LOG"
if test -e "$STATE/kill-at" && test "$(grep -c -f "$STATE/kill-at" "$LOG")" -ge "$(cat "$STATE/kill-count")"; then
  rm "$STATE/kill-at"
  kill -9 $PPID
fi
{body}
"""
# the system's Python as apt sees it: lgpio is there once it was "installed"
PYTHON = """#!/bin/sh
case "$*" in
  *'f("_lgpio")'*) test -e "$STATE/python3-lgpio"; exit ;;
  *"import venv"*) test ! -e "$STATE/no-venv"; exit ;;
  *python_version*) if test -e "$STATE/old-python"; then echo 3.9.2; exit; fi ;;
esac
exec {real} "$@"
"""
# pip, for tests that are not about pip: it unpacks the wheels that it is told of, and writes their commands
PIP = """\
import sys, sysconfig, zipfile
from pathlib import Path
argv = sys.argv
wheels = Path(argv[argv.index("--find-links") + 1])
lines = Path(argv[argv.index("-r") + 1]).read_text().split()
site, scripts = (Path(sysconfig.get_path(kind)) for kind in ("purelib", "scripts"))
for name, version in (item.split("==") for item in [*lines, argv[-1]]):
    found = next(wheels.glob(f"{name}-{version}-*.whl"), None)
    if found is None:
        sys.exit(f"ERROR: No matching distribution found for {name}=={version}")
    archive = zipfile.ZipFile(found)
    archive.extractall(site)
    entries = site / f"{name}-{version}.dist-info/entry_points.txt"
    for line in entries.read_text().splitlines()[1:] if entries.exists() else ():
        command, module, function = line.replace(" ", "").replace(":", "=").split("=")
        text = f"#!{sys.executable}\\nimport sys\\nfrom {module} import {function}\\nsys.exit({function}())\\n"
        (scripts / command).write_text(text)
        (scripts / command).chmod(0o755)
"""


def wheel(folder: Path, name: str, version: str, files: dict[str, bytes], tag: str = "py3-none-any") -> None:
    """Write a wheel of these files (by their paths in it) and its RECORD."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
    }
    record = ""
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(data)}\n"
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")


def again(folder: Path, name: str) -> str:
    """A wheel made from what is installed here; returns its version. No network is needed."""
    found: Distribution = distribution(name)
    tag = str(found.read_text("WHEEL")).split("Tag: ")[1].split()[0]
    files = {
        str(path): path.locate().read_bytes()  # type: ignore[attr-defined]
        for path in found.files or ()
        if not {"..", "__pycache__"} & set(path.parts) and ".dist-info" not in str(path)
    }
    wheel(folder, name, found.version, files, tag)
    return found.version


def release(folder: Path, version: str = "0.1.0", *, default: str | None = None, real_pip: bool = False) -> Path:
    """A release folder with this firmware under another version, and perhaps another default configuration."""
    (folder / "wheels").mkdir(parents=True)
    (folder / "docs").mkdir()
    shutil.copy(TOP / "install.sh", folder)
    shutil.copytree(TOP / "systemd", folder / "systemd")
    for page in ("operate", "faults", "read-only"):
        shutil.copy(TOP / "docs" / f"{page}.md", folder / "docs")
    files = {f"rearguard/{path.relative_to(FIRMWARE)}": path.read_bytes() for path in FIRMWARE.rglob("*.py")}
    files = {path: data for path, data in files.items() if "/bench/" not in path}
    files["rearguard/__init__.py"] = f'__version__ = "{version}"\n'.encode()
    files["rearguard/default.toml"] = (default or (FIRMWARE / "default.toml").read_text()).encode()
    scripts = "[console_scripts]\nrearguard = rearguard.cli:main\n"
    files[f"rearguard-{version}.dist-info/entry_points.txt"] = scripts.encode()
    wheel(folder / "wheels", "rearguard", version, files)
    if real_pip:
        again(folder / "wheels", "pip")
    else:
        wheel(folder / "wheels", "pip", "0", {"pip/__main__.py": PIP.encode()})
    pins = [f"msgspec=={again(folder / 'wheels', 'msgspec')}", "lgpio==0.2.2.0"]
    (folder / "requirements.lock").write_text("".join(f"{pin} \\\n    --hash=sha256:0\n" for pin in pins))
    return folder


class Machine:
    """A root folder, the commands on its path, and what they were asked."""

    def __init__(self, folder: Path, *, pi: str = "Raspberry Pi Zero 2 W Rev 1.0", systemd: bool = True) -> None:
        self.root, self.state, self.bin = folder / "root", folder / "state", folder / "bin"
        for path in (self.root, self.state, self.bin):
            path.mkdir(parents=True)
        self.log = folder / "log"
        self.log.touch()
        for name, body in STANDINS.items():
            self._command(name, STANDIN.replace("{name}", name).replace("{body}", body))
        self._command("python3", PYTHON.replace("{real}", str(BASE_PYTHON)))
        self.write("etc/os-release", "ID=debian\nVERSION_CODENAME=trixie\n")
        self.write("proc/cmdline", CMDLINE_TXT)
        self.write("proc/device-tree/model", pi + "\0")
        self.write("dev/watchdog0", "")
        self.write("boot/firmware/config.txt", CONFIG_TXT)
        self.write("boot/firmware/cmdline.txt", CMDLINE_TXT)
        if systemd:
            (self.root / "run/systemd/system").mkdir(parents=True)
        self.has("python3-lgpio")

    def _command(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def has(self, fact: str, text: str = "") -> None:
        """Let the stand-ins know a fact, such as a package that is installed."""
        (self.state / fact).write_text(text)

    def kill_at(self, call: str, count: int = 1) -> None:
        """Kill the next installer, as a power cut would, at the so-manieth call that matches, from now on."""
        self.log.write_text("")
        self.has("kill-at", call)
        self.has("kill-count", str(count))

    def lacks(self, fact: str) -> None:
        (self.state / fact).unlink(missing_ok=True)

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())

    def read(self, path: str) -> str:
        return (self.root / path).read_bytes().decode()

    def asked(self, command: str) -> list[str]:
        """The arguments of each call of that command, so far."""
        return [line.partition(" ")[2] for line in self.log.read_text().splitlines() if line.split(" ")[0] == command]

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "REARGUARD_ROOT": str(self.root),
            "REARGUARD_PYTHON": str(self.bin / "python3"),
            "STATE": str(self.state),
            "LOG": str(self.log),
            "LC_ALL": "C",
        }

    def install(self, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the installer of a release folder."""
        return subprocess.run(
            [folder / "install.sh", *options],
            env=self.environment(), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def save(self) -> None:
        """Keep all of it as it is now, to come back to; an environment cannot be copied to another place."""
        shutil.copytree(self.root.parent, self.root.parent.with_suffix(".saved"), symlinks=True)

    def restore(self) -> None:
        shutil.rmtree(self.root.parent)
        shutil.copytree(self.root.parent.with_suffix(".saved"), self.root.parent, symlinks=True)
        for unit in self.state.glob("active-*"):
            unit.touch()  # a copy is newer than what it was made of; the units are as after a start of the machine

    def files(self) -> dict[str, str]:
        """Every file and link, with what it holds; without the lock, which lies in a folder that no restart keeps."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if path.is_symlink():
                found[name] = f"-> {path.readlink()}"
            elif path.is_file() and name != "run/rearguard-install.lock":
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found
