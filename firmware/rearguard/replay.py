"""The same core over recorded inputs, at full speed: what was felt, or would have been."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rearguard import lines
from rearguard.config import Config, parse
from rearguard.core.pipeline import Pipeline
from rearguard.core.reading import Input
from rearguard.core.threat import PROFILES, Profile
from rearguard.errors import ConfigError, InputError

MAX_GAP_S = 30.0  # of silence that is stepped through; after that nothing changes (a pause has ended by then)
MAX_SENSORS = 64  # that no configuration names
MAX_LINE = 1_000_000  # bytes; a sweep of 3600 points takes a tenth of that
BOM = b"\xef\xbb\xbf"  # some editors begin a file with it
HEADER = b'{"schema":'  # how ours begins


class Replay:
    """Steps a pipeline over lines. `notes` collects what the user should know at the end."""

    def __init__(self, config: Config | None, profile: Profile | None) -> None:
        """Without a configuration, that of the journal's header is used, or none: every sensor is one plain beam."""
        self._config, self._profile = config, profile
        self._pipeline = self._make(config)
        self._wake_s = float("inf")
        self._key: tuple[Any, ...] | None = None
        self._exact = False  # a journal says when each step was
        self._waiting: list[Input] = []
        self._waiting_s = 0.0
        self._sensors: set[str] = set()
        self.notes: list[str] = []
        self.inputs = 0
        self.last_s = 0.0

    def run(self, source: Iterable[bytes], name: str) -> Iterator[bytes]:
        """The alert lines, one each time the alert changes. Raises InputError with the line that is wrong."""
        bad: InputError | None = None
        zeroed = 0
        for number, text in enumerate(source, 1):
            if len(text) >= MAX_LINE:
                raise InputError(
                    f"{name}, line {number}: longer than {MAX_LINE} bytes; this is no file of reading lines"
                )
            if b"\0" in text:  # no JSON holds a zero byte: a power cut leaves them for what was not written
                zeroed += 1
                if number == 1:
                    self.notes.append(f"{name}: its header is lost; give its configuration with --config")
                continue
            text = text.removeprefix(BOM) if number == 1 else text  # noqa: PLW2901
            if not text.strip():
                continue
            if bad is not None:
                raise bad
            try:
                line = lines.decode(text, f"{name}, line {number}")
            except InputError as error:
                if not text.endswith(b"\n") and (number > 1 or text.startswith(HEADER)):
                    self.notes.append(f"{name}, line {number}: torn off in mid-line, as by a power cut; skipped")
                    break
                bad = error  # raised on its own if it is not the last line
                continue
            yield from self._take(line, f"{name}, line {number}")
        if bad is not None:
            raise bad
        if zeroed:
            self.notes.append(f"{name}: zero bytes in {zeroed} of its lines, as after a power cut; skipped")
        yield from self._flush()

    def _take(self, line: lines.Line, where: str) -> Iterator[bytes]:
        if line.schema is not None:
            self._open(line, where)
            return
        if line.level is not None:
            return  # what was felt then; here it is worked out anew
        item = line.input()
        if item is not None:
            self.inputs += 1
        if line.sensor is not None:
            self._sensors.add(line.sensor)
            if len(self._sensors) > MAX_SENSORS:
                raise InputError(f"{where}: more than {MAX_SENSORS} sensors; a belt has a few")
        self._exact = self._exact or line.now_s is not None
        if not self._exact:
            assert item is not None  # lines.decode lets nothing else pass
            yield from self._until(item.t_s)
            yield from self._step([item], item.t_s)
            return
        now_s = line.now_s if line.now_s is not None else (item.t_s if item else self._waiting_s)
        if self._waiting and now_s != self._waiting_s:
            yield from self._flush()
        if item is None:
            yield from self._step([], now_s)
        else:
            self._waiting.append(item)
            self._waiting_s = now_s

    def _open(self, line: lines.Line, where: str) -> None:
        """A header: a journal begins."""
        if line.schema != lines.SCHEMA or line.version != lines.VERSION:
            raise InputError(
                f"{where}: schema {line.schema!r}, version {line.version}; this firmware reads {lines.SCHEMA!r}, "
                f"version {lines.VERSION}"
            )
        if self._config is None and line.config is not None:
            try:
                self._pipeline = self._make(parse(line.config, where))
            except ConfigError as error:
                self.notes.append(f"{error}; going on without its configuration")

    def _make(self, config: Config | None) -> Pipeline:
        if config is None:
            return Pipeline([], [-90.0, 0.0, 90.0], self._profile or PROFILES["default"])
        return config.pipeline(self._profile)

    def _flush(self) -> Iterator[bytes]:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            yield from self._step(waiting, self._waiting_s)

    def _until(self, t_s: float) -> Iterator[bytes]:
        """The wake-ups that a live guard would have had before `t_s`."""
        until = min(t_s, self.last_s + MAX_GAP_S)
        while self._wake_s < until:
            yield from self._step([], self._wake_s)

    def _step(self, inputs: list[Input], now_s: float) -> Iterator[bytes]:
        tick = self._pipeline.step(inputs, now_s)
        self._wake_s = tick.wake_s
        self.last_s = tick.t_s
        key = lines.change_key(tick.alert, self._pipeline)
        if key != self._key:
            self._key = key
            yield lines.alert(tick.t_s, tick.alert)
