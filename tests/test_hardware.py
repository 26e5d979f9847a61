"""The wiring that is documented is the wiring that is configured."""

from __future__ import annotations

import re
from pathlib import Path

from rearguard.config import load

TABLE = Path(__file__).parents[1] / "hardware" / "README.md"


def test_the_wiring_table_names_the_pins_of_the_default_configuration() -> None:
    documented = {int(pin) for pin in re.findall(r"\| GPIO (\d+) \|", TABLE.read_text())}
    config = load(None)
    assert config.buzzer is not None
    assert config.button is not None
    used = {*config.belt.pins().values(), config.buzzer.pin, config.button.pin}
    for sensor in config.sensors.values():
        used |= set(sensor.pins().values())
    assert documented == used
