"""Raw byte captures of serial sensors: which decoder reads them."""

from __future__ import annotations

from typing import cast

from rearguard import sensors
from rearguard.config import Config
from rearguard.errors import InputError
from rearguard.explain import join
from rearguard.sensors import Decoder


def decoder_for(sensor: str, config: Config | None) -> Decoder:
    """A fresh decoder for a sensor of the configuration, or for a driver with its defaults.

    Raises InputError when there is no such sensor, or when it does not talk on a serial line.
    """
    if config is not None and sensor in config.sensors:
        settings = config.sensors[sensor]
        module = sensors.load(settings.driver)
    else:
        try:
            module = sensors.load(sensor)
        except KeyError:
            raise InputError(f"{sensor!r}: no such sensor; allowed: {join(_serial())}") from None
        settings = None
    make = getattr(module, "Decoder", None)
    if make is None:
        raise InputError(f"{sensor!r} does not talk on a serial line; allowed: {join(_serial())}")
    return cast(Decoder, make(sensor, settings or module.Config(driver=sensor)))


def _serial() -> list[str]:
    return [name for name in sensors.names() if hasattr(sensors.load(name), "Decoder")]
