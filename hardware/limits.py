"""What is too thin, too small or too many on a belt: wires, fuses, transistors, what feeds, bank and cable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import loads
from wiring import HEADER_PART, RAILS_V, Build, End

ROUNDING_MA = 0.1
Carried = dict[tuple[str, int], loads.Wire]
SUPPLY = ("power-bank-5000", "usb-cable")


def faults(build: Build) -> Iterator[str]:
    """What is too thin, too small or too many, each with what mends it. None for a belt that is fit to be built."""
    where = f"hardware/{build.name}/harness.yml"
    carried = loads.wires(build)
    for wire in build.wires:
        pn, got = build.cables[wire.cable].part, carried[wire.cable, wire.number].most_ma
        if got > build.parts[pn]["most_ma"]:
            fit = [other for other, part in build.parts.items() if "ohm_per_m" in part and part["most_ma"] >= got]
            mend = f"take {fit[0]}" if fit else "run two side by side"
            yield (
                f"{where}: wire {wire.number} of {wire.cable} ({build.cables[wire.cable].what}) carries up to "
                f"{got:.0f} mA; {pn} takes {build.parts[pn]['most_ma']} mA: {mend}"
            )
    for name, board, behind in loads.boards(build):
        yield from _board_faults(build, carried, name, board, behind, where)
        yield from _channels(build, carried, name, board, where)
    yield from _feeds(build, where)
    peak = max(need.peak_ma for need in loads.budget(build).values())
    for pn in SUPPLY:
        if peak > build.parts[pn]["most_ma"]:
            yield f"{where}: up to {peak:.0f} mA from the {pn}, which gives {build.parts[pn]['most_ma']}: fewer motors"


def _board_faults(
    build: Build, carried: Carried, name: str, board: dict[str, Any], behind: list[str], where: str
) -> Iterator[str]:
    """A fuse that trips by itself, or too late to save a wire behind it; more outputs than transistors."""
    fuse, on = build.parts[board["fuse"]], loads.drawn_ma(build, behind)
    if on > loads.WARM * fuse["hold_ma"]:
        kinds = [p for p in build.parts if p.startswith("fuse-") and loads.WARM * build.parts[p]["hold_ma"] >= on]
        mend = f"take {kinds[0]}" if kinds else "fewer motors, or a second fuse"
        yield (
            f"{where}: {name} draws {on:.0f} mA; its {board['fuse']} holds "
            f"{loads.WARM * fuse['hold_ma']:.0f} mA at 40 C: {mend}"
        )
    out = [w for w in build.wires for end in w.ends if end.part == name and end.pin not in ("5V", "GND")]
    early = {w.cable for w in out for end in w.ends if end.pin in board.get("unfused", [])}
    for cable in dict.fromkeys(w.cable for w in out if carried[w.cable, w.number].feeds and w.cable not in early):
        pn = build.cables[cable].part
        if fuse["trip_ma"] > build.parts[pn]["short_ma"]:
            yield (
                f"{where}: a short in {cable} draws {fuse['trip_ma']} mA before the {board['fuse']} of {name} trips; "
                f"{pn} takes {build.parts[pn]['short_ma']}: a smaller fuse or a thicker wire"
            )
    has = sum(count * build.parts[pn].get("channels", 0) for pn, count in board["needs"].items())
    if len(board["drives"]) > has:
        yield f"{where}: {name} drives {len(board['drives'])} outputs with {has} transistors: add a mosfet to its needs"


def _channels(build: Build, carried: Carried, name: str, board: dict[str, Any], where: str) -> Iterator[str]:
    """A transistor that takes less than what hangs on it; a motor whose start is not what it lets through."""
    kinds = [pn for pn, count in board["needs"].items() for _ in range(count * build.parts[pn].get("channels", 0))]
    for out, pn in zip(board["drives"].values(), kinds, strict=False):  # the ninth of eight is told above
        on_it = [carried[w.cable, w.number] for w in build.wires if End(name, out) in w.ends]
        got, most = sum(wire.most_ma for wire in on_it), build.parts[pn]["channel_ma"]
        if got > most:
            yield (
                f"{where}: {name}.{out} carries up to {got:.0f} mA; a channel of the {pn} takes {most} mA "
                "(hardware/parts.toml: channel_ma)"
            )
        for load in (load for wire in on_it for load in wire.feeds if "rise_s" in build.part(load)):
            volts, drop, series = RAILS_V["5V"], build.parts[pn]["drop_v"], board["motor_ohm"]
            (_, winding), told = build.part(load)["holds"]["-"], build.part(load)["start_ma"]
            start = 1000 * (volts - drop) / (series + winding)
            if abs(start - told) > ROUNDING_MA:
                yield (
                    f"{where}: {name} lets {load} start with {volts:g} - {drop:g} V over {series:g} and {winding:g} "
                    f"ohm, {start:.1f} mA; hardware/parts.toml says {told:g} "
                    f"(start_ma of {build.connectors[load]['pn']})"
                )


def _feeds(build: Build, where: str) -> Iterator[str]:
    """A pin that feeds more than it can; those of one rail count together."""
    for name in build.connectors:
        for rail, most in build.part(name).get("gives_ma", {}).items():
            pins = [end for end in build.ends() if end.part == name and _label(build, end) == rail]
            fed = sorted(other for other in build.connectors if other != name and _on(build, other, pins))
            got = loads.drawn_ma(build, fed, "start_ma")
            if got > most:
                yield (
                    f"{where}: {name}.{rail} feeds up to {got:.0f} mA ({', '.join(fed)}); a "
                    f"{build.connectors[name]['pn']} gives {most} mA there (hardware/parts.toml: gives_ma): "
                    "feed them from elsewhere"
                )


def _label(build: Build, end: End) -> str:
    return build.header[end.pin] if build.connectors[end.part]["pn"] == HEADER_PART else end.pin


def _on(build: Build, name: str, pins: list[End]) -> bool:
    """Whether a part that draws hangs on one of these pins."""
    part = build.part(name)
    ends = [End(name, pin) for pin in part.get("supply", {"+": None})] if "on_ma" in part else []
    return any(pin in build.net(end) for pin in pins for end in ends)
