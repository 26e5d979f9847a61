"""The parts list of a build, counted from its harness: parts.csv, its price and its mass.

`python hardware/bill.py` writes all of them anew.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from wiring import BUILDS, HERE, Build, WiringError

SPARE = 0.1  # more wire than the harness is long: for stripped ends and one mistake (assumed)
COLUMNS = ("quantity", "unit", "part", "look for", "substitutes", "price each (EUR)", "price (EUR)", "mass (g)")


class Line(NamedTuple):
    """One part of a bill. Wire is counted in metres, `price_each_eur` and the part's mass are then a metre's."""

    part: str
    quantity: float
    unit: str
    price_each_eur: float
    price_eur: float
    mass_g: float


def counts(build: Build) -> Counter[str]:
    """How many of each part, by its name in parts.toml; no wire. A soldered board counts as what is soldered on it."""
    found: Counter[str] = Counter(build.about["extra"])
    for name, drawn in build.connectors.items():
        part = build.part(name)
        found.update(part.get("needs", {}))
        if not part.get("soldered", False):
            found[drawn["pn"]] += 1
    return found


def wire_m(build: Build) -> dict[str, float]:
    """Metres of each kind of wire to buy: length by wires, a tenth more, rounded up to 0.1 m."""
    found: Counter[str] = Counter()
    for cable in build.cables.values():
        found[cable.part] += round(cable.length_m * 1000) * cable.wires  # whole millimetres add up exactly
    return {part: math.ceil(round(mm * (1 + SPARE), 3) / 100) / 10 for part, mm in found.items()}


def bill(build: Build) -> list[Line]:
    """Every part to buy, in the order of parts.toml. A part that parts.toml lacks raises WiringError."""
    pieces, wires = counts(build), wire_m(build)
    unknown = sorted((pieces.keys() | wires.keys()) - build.parts.keys())
    if unknown:
        raise WiringError(f"hardware/parts.toml has no [{unknown[0]}], which hardware/{build.name} needs")
    lines = []
    for part, facts in build.parts.items():
        quantity, unit = (wires[part], "m") if part in wires else (pieces[part], "")
        if quantity:
            price_eur, mass_g = (round(quantity * facts[key], 2) for key in ("price_eur", "mass_g"))
            lines.append(Line(part, quantity, unit, facts["price_eur"], price_eur, mass_g))
    return lines


def price_eur(build: Build) -> float:
    """Of all parts together."""
    return round(sum(line.price_eur for line in bill(build)), 2)


def mass_g(build: Build) -> float:
    """Of all parts together, without webbing and printed parts."""
    return round(sum(line.mass_g for line in bill(build)), 1)


def write(build: Build, out: Path) -> list[Path]:
    """Writes parts.csv into the folder `out`."""
    path = out / "parts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for line in bill(build):
            facts = build.parts[line.part]
            table.writerow(
                (
                    f"{line.quantity:g}",
                    line.unit,
                    facts["name"],
                    facts["look_for"].replace("**", "") if "look_for" in facts else "",
                    facts.get("instead", ""),
                    f"{line.price_each_eur:.2f}",
                    f"{line.price_eur:.2f}",
                    f"{line.mass_g:.1f}",
                )
            )
        table.writerow(("", "", "Total", "", "", "", f"{price_eur(build):.2f}", f"{mass_g(build):.1f}"))
    return [path]


if __name__ == "__main__":
    for known in BUILDS:
        build = Build(known)
        for made in write(build, HERE / known):
            print(f"{made}: {price_eur(build):.2f} EUR, {mass_g(build):.0f} g")
