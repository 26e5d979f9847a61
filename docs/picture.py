"""Draws docs/bench.svg, the picture of the bench in the README: python docs/picture.py."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

from rearguard.bench.view import HISTORY, _picture
from rearguard.bench.walk import Walk
from rearguard.core.threat import Level
from rich.console import Console

SEED, AFTER_S = 1, 12.0  # the wall's STOP, not the person's


def main() -> None:
    walk = Walk(None, SEED)
    history: list[float] = []
    for i, moment in enumerate(walk.run()):
        if i % 10 == 0:
            history = [*history, moment.room_m][-HISTORY:]
        if moment.t_s > AFTER_S and moment.tick.alert.level is Level.STOP and all(moment.duties) and i % 10 == 0:
            break
    console = Console(width=80, record=True, file=StringIO(), force_terminal=True)
    lit = tuple(duty > 0 for duty in moment.duties)
    console.print(_picture(walk, moment, lit, history, fine=True))
    svg = console.export_svg(title="rearguard bench")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # no fonts from the network
    svg = re.sub(r"font-family: Fira Code, monospace", "font-family: monospace", svg)
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)  # some viewers fold the spaces of the plan
    Path(__file__).with_name("bench.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n")


if __name__ == "__main__":
    main()
