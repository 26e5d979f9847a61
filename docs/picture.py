"""Draws docs/bench.svg, the picture of the bench in the README: python docs/picture.py."""

from __future__ import annotations

import re
from contextlib import closing
from io import StringIO
from pathlib import Path

from rich.console import Console

from rearguard.bench.looking.picture import Picture
from rearguard.bench.walking.walk import Walk
from rearguard.bench.world import fit, scenario
from rearguard.core.threat import PROFILES, Level

SEED, AFTER_S = 1, 12.0  # the wall's STOP, not the person's
FRAME = 10  # moments


def main() -> None:
    walk = Walk(scenario.load("first-walk"), fit.load("both"), PROFILES["default"], SEED)
    picture = Picture(walk, fine=True)
    with closing(walk.run()) as moments:
        for i, moment in enumerate(moments):
            picture.add(moment)
            if i % FRAME:
                continue
            drawn = picture.drawn()
            if moment.t_s > AFTER_S and moment.level is Level.STOP and all(moment.duties):
                break
        else:
            raise SystemExit("this walk has no STOP at the wall; choose another seed")
    console = Console(width=80, record=True, file=StringIO(), force_terminal=True)
    console.print(drawn)
    svg = console.export_svg(title="rearguard bench")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no fonts from the network
    svg = re.sub(r"font-family: Fira Code, monospace", "font-family: monospace", svg)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)  # some viewers fold the spaces of the plan
    Path(__file__).with_name("bench.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


if __name__ == "__main__":
    main()
