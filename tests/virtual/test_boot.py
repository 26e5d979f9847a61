"""From power-on to armed, in systemd's own figures."""

from __future__ import annotations

from machine import Machine

OURS_S = 3.0


def test_the_belt_arms_itself_and_little_of_the_time_is_ours(belt: Machine) -> None:
    shown = belt.ask(
        "shell",
        command="systemctl show rearguard -p InactiveExitTimestampMonotonic -p ExecMainStartTimestampMonotonic"
        " -p ActiveEnterTimestampMonotonic; systemctl show -p KernelTimestampMonotonic -p UserspaceTimestampMonotonic",
    )["out"]
    at = {name: int(value) / 1e6 for name, _, value in (line.partition("=") for line in shown.splitlines())}
    began, executed = at["InactiveExitTimestampMonotonic"], at["ExecMainStartTimestampMonotonic"]
    armed, userspace = at["ActiveEnterTimestampMonotonic"], at["UserspaceTimestampMonotonic"]
    print(
        f"power-on to armed {armed:.1f} s: kernel {userspace:.1f}, systemd until our turn {began - userspace:.1f}, "
        f"sandbox {executed - began:.2f}, guard until READY {armed - executed:.2f}"
    )
    blame = "systemctl is-system-running --wait >/dev/null; systemd-analyze blame --no-pager | head -8"
    print(belt.ask("shell", command=blame)["out"])
    assert armed - began < OURS_S


def test_nothing_of_ours_waits_for_a_network(belt: Machine) -> None:
    chain = belt.ask("shell", command="systemctl list-dependencies --all --no-pager --plain rearguard")["out"]
    assert "network" not in chain


def test_the_sandbox_is_as_tight_on_the_machine_as_on_paper(belt: Machine) -> None:
    told = belt.ask("shell", command="systemd-analyze security --no-pager rearguard | tail -1")["out"]
    exposure = float(told.split("exposure level for rearguard.service:")[1].split()[0])
    print(f"systemd-analyze security: {exposure}")
    assert exposure <= 2.0
    said = belt.ask("shell", command="systemd-analyze verify /usr/lib/systemd/system/rearguard*.service 2>&1")["out"]
    assert said == ""


def test_all_its_threads_go_before_other_programs(belt: Machine) -> None:
    told = belt.ask("shell", command="ps -L -o cls=,rtprio= -p $(systemctl show -P MainPID rearguard)")["out"]
    assert {tuple(line.split()) for line in told.splitlines()} == {("FF", "20")}
