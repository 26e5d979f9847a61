"""The same walk and trouble on Debian's arm64 kernel, with the wheels of a Pi and its name in the device tree."""

# ruff: noqa: F401 # the tests that are run here too

from __future__ import annotations

import os

import image
import pytest
from arch import ARM64
from machine import Machine
from test_survival import test_a_guard_that_dies_or_hangs_lets_go_of_the_motors_and_is_back
from test_walk import (
    test_distance_is_true,
    test_distance_is_true_at_each_range,
    test_each_level_comes_at_its_distance,
    test_latency_from_echo_to_motor,
    test_processor_time,
    test_the_rhythm_is_the_table_s,
    test_who_stands_is_left_in_peace,
    walk,
)

if "REARGUARD_ARM64" not in os.environ:
    pytest.skip("takes minutes; `make test-arm64` asks for it", allow_module_level=True)
LOOK = """uname -m
grep -c Revision /proc/cpuinfo
cd /tmp
export GPIOZERO_PIN_FACTORY=lgpio
/opt/rearguard/bin/python -c 'from gpiozero import pi_info; print(pi_info().model)'"""


@pytest.fixture(scope="module")
def built() -> image.Image:
    """What arm64 machines boot from."""
    return image.build(ARM64)


@pytest.fixture(scope="module")
def fitted(belt: Machine) -> tuple[Machine, str, str]:
    """The starter belt: machine, emulated part, name."""
    belt.ask("course", part="echo", points=[[0, 3.0]], wait_s=1.5)
    return belt, "echo", "hcsr04 on arm64"


def test_gpiozero_takes_it_for_a_pi_4_by_its_device_tree(belt: Machine) -> None:
    told = belt.ask("shell", command=LOOK)["out"]
    assert told.split() == ["aarch64", "0", "4B"], "with no revision in /proc/cpuinfo"
