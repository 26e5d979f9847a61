"""The harness of a build for the bench: harness.svg, drawn by WireViz, and wiring.md, every wire in words.

`python hardware/harness.py` makes both anew for all builds. The drawing needs Graphviz (`apt install graphviz`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from wiring import BUILDS, HEADER_PART, HERE, Build, End, Wire

COLORS = {  # IEC 60757
    "BK": "black",
    "BN": "brown",
    "RD": "red",
    "OG": "orange",
    "YE": "yellow",
    "GN": "green",
    "BU": "blue",
    "VT": "violet",
    "GY": "grey",
    "WH": "white",
    "PK": "pink",
    "TQ": "turquoise",
}
STAGES = (
    "Links at a part",
    "Between the boards, and to what hangs on them",
    "From the header, without supply",
    "From the header, with supply",
)


def drawing(build: Build) -> str:
    """The harness as SVG, without date, paths and versions. Needs Graphviz's `dot`."""
    from wireviz import wireviz  # type: ignore[import-untyped]

    drawn = yaml.safe_load((build.folder / "harness.yml").read_text(encoding="utf-8"))
    for group in ("connectors", "cables"):
        for thing in drawn[group].values():
            thing.pop("pn", None)  # it names a table of parts.toml: of no use on paper
    _as_loops(build, drawn)
    text = str(wireviz.parse(drawn, return_types="svg"))
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    # Smaller than Graphviz was told: browsers' fonts are wider than it thinks, and would leave its boxes.
    text = text.replace('font-size="14.00"', 'font-size="13.00"')
    return text.replace("<title>%3</title>", f"<title>Rearguard {build.name}: harness</title>", 1)


def _as_loops(build: Build, drawn: dict[str, Any]) -> None:
    """Draws cables that link a part to itself as loops: as cables, WireViz 0.4.1 takes both ends for the same pin."""
    for name in [name for name in build.cables if stage(build, name) == 0]:
        cable = drawn["cables"].pop(name)
        drawn["connections"] = [row for row in drawn["connections"] if name not in row[1]]
        for wire in (wire for wire in build.wires if wire.cable == name):
            part = drawn["connectors"][wire.ends[0].part]
            pins = [part["pinlabels"].index(end.pin) + 1 for end in wire.ends]
            part.setdefault("loops", []).append(pins)
            link = f"{name}, {COLORS[wire.color]}, {cable['length'] * 100:g} cm: {cable['type']}"
            part["notes"] = "\n".join(filter(None, (part.get("notes"), link)))


def stage(build: Build, cable: str) -> int:
    """When to solder a cable, an index of STAGES: what is fixed first comes first, and what brings volts last."""
    ends = [end for wire in build.wires if wire.cable == cable for end in wire.ends]
    if len({end.part for end in ends}) == 1:
        return 0
    header = [build.header[end.pin] for end in ends if build.connectors[end.part]["pn"] == HEADER_PART]
    if not header:
        return 1
    return 3 if any(label.startswith(("5V", "3V3")) for label in header) else 2


def wires(build: Build) -> list[Wire]:
    """Every wire, in the order in which to solder them."""
    order = list(build.cables)
    return sorted(build.wires, key=lambda wire: (stage(build, wire.cable), order.index(wire.cable), wire.number))


def pin(build: Build, end: End) -> str:
    """An end of a wire in words: part, pin, and at the header the number and the GPIO."""
    if build.connectors[end.part]["pn"] == HEADER_PART:
        return f"{end.part} pin {end.pin}: {build.header[end.pin]}"
    return f"{end.part} {end.pin}"


def way(build: Build, end: End) -> list[Wire]:
    """The wires between a part's pin and what drives it or listens to it."""
    nets = build.net(end).union(*(build.net(at) for at in build.leads_to(end)))
    return [wire for wire in build.wires if set(wire.ends) & nets]


def table(build: Build) -> str:
    """The page wiring.md."""
    title = build.about["title"]
    lines = [
        f"# Wiring: {title.lower()}",
        "",
        "Every wire; [README.md](README.md) says when each is fitted, and what is tested then. Header pins are counted",
        "on the Pi, from the corner with the SD card: odd ones in the inner row, even ones at the edge of the board.",
        "**On the solder side of a socket the rows are swapped**: mark pin 1. [harness.svg](harness.svg) is the same",
        "as a drawing, [schematic.svg](schematic.svg) shows what is on the boards.",
    ]
    for number, heading in enumerate(STAGES):
        rows = [wire for wire in wires(build) if stage(build, wire.cable) == number]
        if rows:
            lines += [
                "",
                f"## {heading}",
                "",
                "| cable | colour | from | to | length | mm² |",
                "|---|---|---|---|---|---|",
            ]
            lines += [_row(build, wire) for wire in rows]
    lines += [
        "",
        "## What the settings of the firmware reach",
        "",
        f"Of the configuration `{build.about['config']}`, from the part to the pin or channel that the setting names.",
        "",
        "| setting | pin or channel | part | wires |",
        "|---|---|---|---|",
    ]
    for key, at in build.about["wires"].items():
        end = End(*at.split(".", 1))
        reached = ", ".join(_reached(build, other) for other in sorted(build.leads_to(end)))
        along = ", ".join(f"{wire.cable} {COLORS[wire.color]}" for wire in way(build, end))
        lines.append(f"| `{key}` | {reached} | {end.part} {end.pin} | {along} |")
    return "\n".join(lines) + "\n"


def write(build: Build, out: Path) -> list[Path]:
    """Writes harness.svg and wiring.md into the folder `out`."""
    page, picture = out / "wiring.md", out / "harness.svg"
    page.write_text(table(build), encoding="utf-8")
    picture.write_text(drawing(build), encoding="utf-8")
    return [page, picture]


def _row(build: Build, wire: Wire) -> str:
    cable = build.cables[wire.cable]
    area = cable.part.removeprefix("wire-")
    ends = " | ".join(pin(build, end) for end in wire.ends)
    name, length = f"{wire.cable}.{wire.number} {cable.what}", f"{cable.length_m * 100:g} cm"
    return f"| {name} | {COLORS[wire.color]} | {ends} | {length} | {area} |"


def _reached(build: Build, end: End) -> str:
    return build.says(end) if build.is_gpio(end) else f"channel {end.pin.removeprefix('LED')} of {end.part}"


if __name__ == "__main__":
    for known in BUILDS:
        for made in write(Build(known), HERE / known):
            print(made)
