"""The configuration: TOML into frozen structs. Every bound stands beside its default.

A bad value is answered with the file, the key, the value given and what is allowed; unknown keys fail.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from rearguard import belt as belts
from rearguard import sensors
from rearguard.core.pipeline import SWATH_M, Pipeline
from rearguard.core.reading import SensorSpec
from rearguard.core.threat import PROFILES, Profile
from rearguard.errors import ConfigError
from rearguard.explain import explain, join
from rearguard.panel import ButtonConfig, BuzzerConfig

DEFAULT = Path(__file__).with_name("default.toml")
RESERVED = {"belt", "config", "journal", "system"}  # these names stand before other faults
I2C_PINS = {2, 3}  # they carry 1.8 kilohm pull-ups on the board
TURN_LIMIT_S = 0.2  # sensors in turn must each be heard well within the 250 ms of NO_DATA
NAME = r"^[a-z][a-z0-9_-]{0,31}$"
S = TypeVar("S", bound=msgspec.Struct)


class JournalConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[journal]`: the black box."""

    enabled: bool = True
    directory: Annotated[str, Meta(min_length=1)] = "auto"  # $STATE_DIRECTORY under systemd, else ~/.local/state
    file_mb: Annotated[float, Meta(ge=0.01, le=100.0)] = 8.0  # a new file is begun at this size
    total_mb: Annotated[float, Meta(ge=0.02, le=10_000.0)] = 200.0  # the oldest files go first: some four hours


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file as written; sensors and belt are read by their drivers."""

    sensor: dict[Annotated[str, Meta(pattern=NAME)], dict[str, Any]]
    belt: dict[str, Any]
    profile: Literal["default", "cautious"] = "default"
    pin_factory: Literal["lgpio", "rpigpio", "mock"] = "lgpio"
    swath_m: Annotated[float, Meta(ge=0.2, le=1.0)] = SWATH_M  # half the width of the wearer's way
    buzzer: BuzzerConfig | None = None
    button: ButtonConfig | None = None
    journal: JournalConfig = msgspec.field(default_factory=JournalConfig)


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the guard is told."""

    source: str  # where it was read from
    raw: dict[str, Any]  # as written, for the header of the journal
    sensors: dict[str, sensors.SensorConfig]
    belt: belts.BeltConfig
    profile: Profile
    pin_factory: str
    swath_m: float
    buzzer: BuzzerConfig | None
    button: ButtonConfig | None
    journal: JournalConfig
    text: bytes = b""  # the file itself; nothing where there is none

    def specs(self) -> list[SensorSpec]:
        """What the core has to know of the sensors. One that talks by itself, and slowly, has a round as well."""
        rounds = {bus: self.round_s(names) for bus, names in self.buses().items()}
        specs = [(config, config.spec(name)) for name, config in self.sensors.items()]
        return [spec._replace(round_s=rounds[config.bus()] or spec.round_s) for config, spec in specs]

    def buses(self) -> dict[str, list[str]]:
        """The sensors of each bus, which take turns."""
        found: dict[str, list[str]] = {}
        for name, config in self.sensors.items():
            found.setdefault(config.bus(), []).append(name)
        return found

    def round_s(self, names: list[str]) -> float:
        """How long it takes on a bus with these sensors until one has its turn again."""
        return sum(self.sensors[name].turn_s for name in names)

    def pins(self) -> list[tuple[str, int]]:
        """Each use of a GPIO: its key and its number. Sensors come first, then belt, buzzer and button."""
        parts = {f"sensor.{name}": sensor.pins() for name, sensor in self.sensors.items()}
        parts["belt"] = self.belt.pins()
        parts |= {name: {"pin": part.pin} for name in ("buzzer", "button") if (part := getattr(self, name))}
        return [(f"{name}.{key}", pin) for name, pins in parts.items() for key, pin in pins.items()]

    def bearings(self) -> list[float]:
        """Of the motors, left to right."""
        return [motor.bearing_deg for _, motor in self.belt.motors()]

    def pipeline(self, profile: Profile | None = None) -> Pipeline:
        """The core, set up for this configuration."""
        return Pipeline(self.specs(), self.bearings(), profile or self.profile, self.swath_m)


def load(path: Path | None) -> Config:
    """Read a configuration file; None is the one that ships with the package. Raises ConfigError."""
    path = path or DEFAULT
    try:
        data = path.read_bytes()
        text = data.decode()
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not a text file in UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    return parse(raw, str(path), data)


def parse(raw: dict[str, Any], source: str, text: bytes = b"") -> Config:
    """Check a configuration that is read already, from `text`. Raises ConfigError."""
    file = _convert(raw, _File, source, "")
    if not file.sensor:
        raise ConfigError(f"{source}: sensor: no sensor is given; allowed: one table [sensor.NAME] or more")
    fitted = {}
    for name, table in file.sensor.items():
        key = f"sensor.{name}"
        if name in RESERVED:
            raise ConfigError(f"{source}: {key}: this name is taken by the guard; allowed: any but {join(RESERVED)}")
        fitted[name] = _part(table, source, key, sensors)
    config = Config(
        source=source,
        raw=raw,
        sensors=fitted,
        belt=_part(file.belt, source, "belt", belts),
        profile=PROFILES[file.profile],
        pin_factory=file.pin_factory,
        swath_m=file.swath_m,
        buzzer=file.buzzer,
        button=file.button,
        journal=file.journal,
        text=text,
    )
    _check_belt(config)
    _check_pins(config)
    _check_turns(config)
    _check_journal(config)
    return config


def _part(table: dict[str, Any], source: str, key: str, package: Any) -> Any:
    """A sensor or belt table, read by the driver it names."""
    driver = table.get("driver")
    try:
        module = package.load(driver)
    except KeyError:
        raise ConfigError(
            f"{source}: {key}.driver = {driver!r}: no such driver; allowed: {join(package.names())}"
        ) from None
    return _convert(table, module.Config, source, key)


def _convert(table: Mapping[str, Any], struct: type[S], source: str, key: str) -> S:
    try:
        return msgspec.convert(table, struct)
    except msgspec.ValidationError:
        raise ConfigError(f"{source}: {explain(table, struct, key)}") from None


def _check_belt(config: Config) -> None:
    if not config.bearings():
        raise ConfigError(f"{config.source}: belt.motor: no motor is given; allowed: one or more")
    own = getattr(config.belt, "bus", None)
    for key, channel in config.belt.channels().items():
        if key.endswith(".bus") and channel == own:
            raise ConfigError(
                f"{config.source}: belt.{key} = {channel}: this is the multiplexer's own bus; "
                "allowed: that of a channel, which i2cdetect -l names"
            )
    _check_users(config, "channel", [(f"belt.{key}", channel) for key, channel in config.belt.channels().items()])


def _check_pins(config: Config) -> None:
    """Every pin has one user, and none that belongs to a bus."""
    for key, pin in config.pins():
        if pin in I2C_PINS and key != "button.pin":  # a button to ground may live with a pull-up
            raise ConfigError(
                f"{config.source}: {key} = {pin}: GPIO 2 and 3 belong to I2C and are pulled high on the board; "
                "allowed: 4 to 27"
            )
    _check_users(config, "pin", config.pins())


def _check_users(config: Config, what: str, users: list[tuple[str, int]]) -> None:
    """Each pin or channel has one user."""
    seen: dict[int, str] = {}
    for key, number in users:
        if number in seen:
            taken = f"this {what} is taken by {seen[number]}; allowed: a free one"
            raise ConfigError(f"{config.source}: {key} = {number}: {taken}")
        seen[number] = key


def _check_turns(config: Config) -> None:
    """Sensors that fire in turn must not be so many that each is heard too seldom."""
    for bus, on_it in config.buses().items():
        turn_s = config.round_s(on_it)
        if turn_s > TURN_LIMIT_S:
            raise ConfigError(
                f"{config.source}: sensor: {len(on_it)} on one bus ({', '.join(on_it)}) take {turn_s:.2f} s for a "
                f"round; allowed: {TURN_LIMIT_S} s, which is three ultrasonics"
            )
        if turn_s == 0.0 and len(on_it) > 1:
            raise ConfigError(
                f"{config.source}: sensor.{on_it[1]}.port = {bus!r}: this port is taken by sensor.{on_it[0]}; "
                "allowed: a port of its own"
            )


def _check_journal(config: Config) -> None:
    """All files together hold one at least: else each new one would sweep away what was written before."""
    if config.journal.total_mb < config.journal.file_mb:
        raise ConfigError(
            f"{config.source}: journal.total_mb = {config.journal.total_mb:g}: less than one file; "
            f"allowed: journal.file_mb, which is {config.journal.file_mb:g}, or more"
        )
