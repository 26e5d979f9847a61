"""What the wearer will get from a configuration, in words and numbers."""

from __future__ import annotations

from rearguard.config import Config
from rearguard.core.reading import SensorSpec
from rearguard.core.threat import NOTICE_S, WARN_S, max_speed, stop_distance

SPEEDS_MPS = (0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5)
WALK_MPS = 0.6  # a slow, steady backward walk; older fallers stay below it (docs/facts.md)
SIDE_DEG = 60.0


def summary(config: Config) -> str:
    """The whole page of `check-config`."""
    specs = config.specs()
    wide = max(map(len, ["enable_pin", *config.sensors, *(name for name, _ in config.belt.motors())]))
    parts = [f"{config.source}: good", "", "Sensors", *(_sensor(config, spec, wide) for spec in specs)]
    parts += ["", f"Belt: {config.belt.driver}, pins by {config.pin_factory}"]
    pins = config.belt.pins()
    for name, motor in config.belt.motors():
        pin = pins.get(f"motor.{name}.pin")
        on = f" GPIO {pin}" if pin is not None else _channel(config, name)
        parts.append(f"  {name:<{wide}} {place(motor.bearing_deg):<22}{on}")
    parts += [f"  {key:<{wide + 23}} GPIO {pin}" for key, pin in pins.items() if "." not in key]
    parts += [f"  {'buzzer':<{wide + 23}} GPIO {config.buzzer.pin}"] if config.buzzer else []
    parts += [f"  {'button':<{wide + 23}} GPIO {config.button.pin}"] if config.button else []
    parts += ["", f"Alerts (profile {config.profile.name}), distance from the sensor in m"]
    parts += ["  walking     NOTICE   WARN   STOP"]
    parts += [_row(config, specs, v) for v in SPEEDS_MPS]
    if any("*" in line for line in parts):
        parts.append("  * farther than a sensor is sure to see: the alert may come later")
    parts += ["", *(_fastest(config, spec) for spec in specs)]
    warnings = _warnings(config, specs)
    return "\n".join([*parts, *(["", "Warnings", *(f"  {line}" for line in warnings)] if warnings else [])])


def _sensor(config: Config, spec: SensorSpec, wide: int) -> str:
    driver = config.sensors[spec.name].driver
    return (
        f"  {spec.name:<{wide}} {driver:<10} {place(spec.bearing_deg):<22} "
        f"{spec.min_range_m:g} to {spec.max_range_m:g} m, sure to {spec.proved_range_m:g} m"
    )


def _channel(config: Config, name: str) -> str:
    """The output of a board that a motor hangs on."""
    prefix = f"motor.{name}."
    found = {key.removeprefix(prefix): n for key, n in config.belt.channels().items() if key.startswith(prefix)}
    return "".join(f" {what} {number}" for what, number in found.items())


def _row(config: Config, specs: list[SensorSpec], v: float) -> str:
    stop = stop_distance(v, config.profile)
    sure = max(spec.proved_range_m for spec in specs)
    cells = [f"{d:6.2f}{'*' if d > sure else ' '}" for d in (stop + NOTICE_S * v, stop + WARN_S * v, stop)]
    return f"  {v:.1f} m/s    {''.join(cells)}".rstrip()


def _fastest(config: Config, spec: SensorSpec) -> str:
    speed = max_speed(spec.proved_range_m, config.profile, spec.round_s)
    return f"Fastest safe walk: {int(100 * speed) / 100:.2f} m/s ({spec.name}); faster is felt as NOTICE"


def _warnings(config: Config, specs: list[SensorSpec]) -> list[str]:
    """What is allowed and still worth a thought."""
    found = []
    for spec in specs:
        if max_speed(spec.proved_range_m, config.profile, spec.round_s) < WALK_MPS:
            found.append(f"{spec.name}: sees too near for a walk at {WALK_MPS} m/s with this profile")
    if len(specs) == 1:
        found.append(f"{specs[0].name} is the only sensor: if it fails, that is felt, but nothing guards")
    if all(abs(spec.bearing_deg) > SIDE_DEG for spec in specs):
        found.append("no sensor looks behind: bearing_deg 0 is straight behind the wearer")
    if len(config.bearings()) == 1:
        found.append("one motor cannot tell sides")
    if config.buzzer is None:
        found.append("no buzzer: a fault during an alarm is felt only when the alarm ends")
    if config.belt.channels() and not config.belt.pins():
        found.append("no enable line: if the Pi or the bus hangs, the motor board goes on with what it was told last")
    if config.button is None:
        found.append("no button: alerts cannot be paused")
    if config.pin_factory == "mock":
        found.append("pin_factory is 'mock': no motor will turn")
    if not config.journal.enabled:
        found.append("the journal is off: nothing can be replayed after a fall")
    return found


def place(deg: float) -> str:
    """A bearing in words, as the wearer has it."""
    if deg == 0:
        return "straight behind"
    return f"{abs(deg):g} degrees {'right' if deg > 0 else 'left'}"
