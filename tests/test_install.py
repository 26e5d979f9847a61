"""The installer on a machine that is a folder: what it makes, what it leaves alone, and what it says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from install_help import CONFIG_TXT, FIRMWARE, TOP, Machine, release

DEFAULT = (FIRMWARE / "default.toml").read_text()
LIDAR = """
[sensor.rear]
driver = "ld06"
port = "auto"
[belt]
driver = "gpio_pwm"
motor.back = { pin = 13, bearing_deg = 0 }
"""
OVERRIDE = "etc/systemd/system/rearguard.service.d/fifo.conf"  # as docs/operate.md has it written by hand
pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("bash", "awk", "flock", "sha256sum")),
    reason="no tools of a Debian here",
)


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(tmp_path_factory.mktemp("release") / "one")


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release(tmp_path_factory.mktemp("release") / "two", "0.2.0", default=DEFAULT + "# more\n")


@pytest.fixture
def pi(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "pi")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, shipped: Path) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("installed") / "pi")
    good(machine.install(shipped, "--uart"))
    machine.save()
    return machine


@pytest.fixture
def installed(once: Machine) -> Machine:
    """A board on which Rearguard is installed."""
    once.restore()
    return once


def version(machine: Machine) -> str:
    """Of the program that is in place, by its own word."""
    command = [machine.root / "opt/rearguard/bin/rearguard", "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_fresh_board_guards_afterwards(pi: Machine, shipped: Path) -> None:
    said = good(pi.install(shipped))
    assert version(pi) == "rearguard 0.1.0"
    assert pi.read("etc/rearguard/rearguard.toml") == DEFAULT
    assert (pi.root / "opt/rearguard").readlink() == Path("rearguard-0.1.0-1")
    assert list((pi.root / "opt/rearguard-0.1.0-1").rglob("rearguard/__pycache__/cli.*.pyc"))
    calls = pi.asked("systemctl")
    assert calls.index("daemon-reload") < calls.index("restart rearguard.service")
    assert {"enable --quiet rearguard.service", "enable --quiet rearguard-poweroff.path"} <= set(calls)
    assert pi.asked("apt-get") == []  # what it needs is there
    assert len(said.splitlines()) < 30


def test_the_real_pip_installs_the_same(tmp_path: Path) -> None:
    pi = Machine(tmp_path / "pi")
    folder = release(tmp_path / "release", real_pip=True)
    good(pi.install(folder))
    assert version(pi) == "rearguard 0.1.0"
    assert "Nothing to change" in good(pi.install(folder))


def test_every_file_of_systemd_has_its_place(pi: Machine, shipped: Path) -> None:
    good(pi.install(shipped, "--i2c"))
    laid = {
        path.read_text()
        for path in (pi.root / "usr/lib").rglob("*")
        if path.is_file() and "rearguard/" not in str(path.relative_to(pi.root / "usr/lib"))
    }
    ours = [path for path in (TOP / "systemd").rglob("*") if path.is_file()]
    for path in ours:
        if path.parent.name not in ("setup", "cloud-init"):
            assert path.read_text() in laid, path.name


def test_a_second_run_changes_nothing_and_says_so(installed: Machine, shipped: Path) -> None:
    before = installed.files()
    installed.log.write_text("")
    said = good(installed.install(shipped, "--uart"))
    assert "Nothing to change" in said
    assert installed.files() == before
    assert not any(call.startswith(("restart", "enable", "daemon-reexec")) for call in installed.asked("systemctl"))


def test_a_dry_run_prints_the_steps_and_changes_nothing(pi: Machine, shipped: Path) -> None:
    before = pi.files()
    said = good(pi.install(shipped, "--dry-run", "--uart"))
    assert pi.files() == before
    assert not any(call.split()[0] not in ("is-enabled", "is-active") for call in pi.asked("systemctl"))
    steps = [line.removeprefix("  would ") for line in said.splitlines() if line.startswith("  would ")]
    assert "      +enable_uart=1" in said.splitlines()
    done = [line.removeprefix("  ") for line in good(pi.install(shipped, "--uart")).splitlines()]
    missing = [step for step in steps if step not in done and not step.startswith("ask the configuration")]
    assert missing == []


def test_an_upgrade_keeps_the_configuration_and_says_what_is_new(
    installed: Machine, shipped: Path, newer: Path
) -> None:
    installed.write("etc/rearguard/rearguard.toml", DEFAULT.replace('profile = "default"', 'profile = "cautious"'))
    mine = installed.read("etc/rearguard/rearguard.toml")
    said = good(installed.install(newer))
    assert "0.1.0 -> 0.2.0" in said
    assert version(installed) == "rearguard 0.2.0"
    assert installed.read("etc/rearguard/rearguard.toml") == mine
    assert installed.read("etc/rearguard/rearguard.toml.new") == DEFAULT + "# more\n"
    assert "      +# more" in said.splitlines()
    assert [path.name for path in (installed.root / "opt").iterdir() if not path.is_symlink()] == ["rearguard-0.2.0-1"]


def test_an_upgrade_with_the_same_default_lays_nothing_beside_the_configuration(
    installed: Machine, tmp_path: Path, shipped: Path
) -> None:
    good(installed.install(release(tmp_path / "next", "0.1.1")))
    assert not (installed.root / "etc/rearguard/rearguard.toml.new").exists()


def test_an_upgrade_that_does_not_take_the_configuration_is_not_switched_to(
    installed: Machine, shipped: Path, newer: Path
) -> None:
    installed.write("etc/rearguard/rearguard.toml", DEFAULT + "[siren]\n")
    said = refused(installed.install(newer))
    assert "siren" in said
    assert "goes on as it was" in said
    assert version(installed) == "rearguard 0.1.0"
    assert not (installed.root / "opt/rearguard-0.2.0-1").exists()


def test_an_upgrade_that_does_not_start_is_taken_back(installed: Machine, shipped: Path, newer: Path) -> None:
    installed.has("rearguard.service-fails", "0.2.0")
    said = refused(installed.install(newer))
    assert "did not start; the one before guards again" in said
    assert "journalctl -u rearguard" in said
    assert version(installed) == "rearguard 0.1.0"
    assert installed.asked("systemctl")[-1] == "restart rearguard.service"


def test_a_guard_that_does_not_start_at_first_is_told(pi: Machine, shipped: Path) -> None:
    pi.has("rearguard.service-fails", "0.1.0")
    assert "It does not guard yet" in good(pi.install(shipped))


def test_a_configuration_beside_the_installer_becomes_the_first_one(pi: Machine, tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    (folder / "rearguard.toml").write_text(LIDAR)
    good(pi.install(folder))
    assert pi.read("etc/rearguard/rearguard.toml") == LIDAR
    assert "enable_uart=1" in pi.read("boot/firmware/config.txt")


# Where the power may be cut: each leaves a belt that works, and another run makes all of it good.
CUTS = [("^sync", 1), ("^sync", 5), ("daemon-reexec", 1), ("restart rear", 1)]


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: f"{cut[0]}-{cut[1]}".replace(" ", "-"))
def test_a_first_run_that_is_cut_short_is_made_good_by_the_next(
    pi: Machine, once: Machine, shipped: Path, cut: tuple[str, int]
) -> None:
    once.restore()
    pi.kill_at(*cut)
    assert pi.install(shipped, "--uart").returncode == -9
    good(pi.install(shipped, "--uart"))
    assert pi.asked("systemctl")[-1] == "restart rearguard.service"
    assert set(pi.files()) == set(once.files())
    assert pi.read("boot/firmware/config.txt") == once.read("boot/firmware/config.txt")
    assert version(pi) == "rearguard 0.1.0"


@pytest.mark.parametrize("count", [1, 2, 4])
def test_an_upgrade_that_is_cut_short_leaves_a_belt_that_works(
    installed: Machine, shipped: Path, newer: Path, count: int
) -> None:
    installed.kill_at("^sync", count)
    done = installed.install(newer)
    assert version(installed) in ("rearguard 0.1.0", "rearguard 0.2.0")
    assert done.returncode in (0, -9)
    good(installed.install(newer))
    assert version(installed) == "rearguard 0.2.0"
    assert [path.name for path in (installed.root / "opt").iterdir() if not path.is_symlink()] == ["rearguard-0.2.0-1"]


def test_uninstalling_leaves_the_wearers_data_and_nothing_else(pi: Machine, shipped: Path) -> None:
    before = pi.files()
    good(pi.install(shipped, "--uart", "--i2c"))
    pi.write("var/lib/rearguard/journal/journal-000001.jsonl", "{}\n")
    pi.write(OVERRIDE, "[Service]\nNice=0\n")
    said = good(pi.install(pi.root / "usr/lib/rearguard", "--uninstall"))
    after = pi.files()
    mine = {"etc/rearguard/rearguard.toml", "var/lib/rearguard/journal/journal-000001.jsonl", OVERRIDE}
    assert {name: text for name, text in after.items() if name not in {*mine, "run/reboot-required"}} == before
    assert mine <= set(after)
    assert "still there: /etc/rearguard/rearguard.toml" in said
    assert "still there: /var/lib/rearguard" in said
    assert "still there: /etc/systemd/system/rearguard.service.d" in said
    assert pi.asked("userdel") == ["rearguard"]
    assert pi.asked("groupdel") == ["gpio", "i2c"]  # dialout was there before us
    assert "nothing to do" in good(pi.install(shipped, "--uninstall"))


def test_purging_takes_the_wearers_data_as_well(pi: Machine, shipped: Path) -> None:
    before = pi.files()
    good(pi.install(shipped))
    pi.write("var/lib/rearguard/journal/journal-000001.jsonl", "{}\n")
    pi.write(OVERRIDE, "[Service]\nNice=0\n")
    good(pi.install(shipped, "--uninstall", "--purge"))
    assert pi.files() == before


def test_a_dry_run_of_uninstalling_changes_nothing(installed: Machine, shipped: Path) -> None:
    before = installed.files()
    assert "would remove /opt/rearguard" in good(installed.install(shipped, "--uninstall", "--purge", "--dry-run"))
    assert installed.files() == before


def test_the_kept_installer_looks_at_the_configuration_again(pi: Machine, shipped: Path) -> None:
    good(pi.install(shipped))
    assert pi.read("boot/firmware/config.txt") == CONFIG_TXT
    pi.write("etc/rearguard/rearguard.toml", LIDAR)
    said = good(pi.install(pi.root / "usr/lib/rearguard"))
    assert "enable_uart=1" in pi.read("boot/firmware/config.txt")
    assert "sudo reboot" in said


def test_in_a_chroot_it_only_enables(tmp_path: Path, shipped: Path) -> None:
    pi = Machine(tmp_path, systemd=False)
    assert "will start at the next boot" in good(pi.install(shipped))
    assert {call.split()[0] for call in pi.asked("systemctl")} == {"is-enabled", "enable"}
    assert pi.asked("udevadm") == []


def test_lgpio_comes_from_apt_where_it_is_missing(pi: Machine, shipped: Path) -> None:
    pi.lacks("python3-lgpio")
    good(pi.install(shipped))
    assert pi.asked("apt-get") == ["-q -y install --no-install-recommends python3-lgpio"]
    assert "include-system-site-packages = true" in pi.read("opt/rearguard/pyvenv.cfg")
