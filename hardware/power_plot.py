"""The picture of the power budget: current over strength, hours on a bank, the motors' inrush. Needs matplotlib."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence

import loads
from loads import budget
from wiring import Build

COLORS = {"starter": "#0072B2", "outdoor": "#D55E00", "full-view": "#009E73"}  # Okabe and Ito: for any eye
STRENGTHS = [0.3 + 0.05 * i for i in range(15)]
TIMES_S = sorted([0.002 * i for i in range(41)] + [0.01 * i - 1e-6 for i in range(3)])  # each slot from both sides


def curves(builds: Sequence[Build]) -> dict[str, dict[str, list[float]]]:
    """What the picture shows of each build, rounded: mA over strength, hours a bank, mA over time."""
    found = {}
    for build in builds:
        needs = [budget(build, strength) for strength in STRENGTHS]
        found[build.name] = {
            **{state: [need[state].mean_ma for need in needs] for state in ("STOP held", "walk")},
            "hours": [loads.life_h(build, mah) for mah in loads.BANKS_MAH],
            "staggered": [loads.inrush_ma(build, t_s) for t_s in TIMES_S],
            "at once": [loads.inrush_ma(build, t_s, staggered=False) for t_s in TIMES_S],
        }
    return {name: {key: [round(v, 1) for v in row] for key, row in shown.items()} for name, shown in found.items()}


def stamp(builds: Sequence[Build]) -> str:
    """A mark of what the picture shows; power.svg holds it, so that a stale one is found without drawing."""
    return f"curves {hashlib.sha256(json.dumps(curves(builds)).encode()).hexdigest()[:16]}"


def picture(builds: Sequence[Build]) -> str:
    """power.svg: the same text for the same data. Needs matplotlib."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    style = {
        "svg.fonttype": "none",
        "svg.hashsalt": "rearguard",
        "font.family": "sans-serif",
        "font.size": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 10.5,
        "axes.grid": True,
        "grid.color": "#e4e4e4",
        "axes.edgecolor": "#888888",
        "axes.axisbelow": True,
    }
    with rc_context(style):
        figure = Figure(figsize=(11, 4.3), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        for i, (name, shown) in enumerate(curves(builds).items()):
            look, above = (
                {"color": COLORS[name], "zorder": 5 - i},
                {"textcoords": "offset points", "color": COLORS[name]},
            )
            left.plot(STRENGTHS, shown["STOP held"], **look, lw=2)
            left.plot(STRENGTHS, shown["walk"], **look, lw=1.3, ls=(0, (4, 2)))
            left.annotate(name, (STRENGTHS[6], shown["STOP held"][6]), (0, 6), ha="right", **above)
            for j, hours in enumerate(shown["hours"]):
                y = len(builds) - i - (j - 1) * 0.24
                middle.plot([hours * loads.WORN, hours], [y, y], **look, lw=5, solid_capstyle="butt")
                middle.annotate(f"{loads.BANKS_MAH[j]:,} mAh", (hours, y), (4, -3), fontsize=8, **above)
            now_ms = [1000 * t_s for t_s in TIMES_S]
            right.plot(now_ms, shown["at once"], **look, lw=1.2, ls=(0, (2, 1.5)))
            right.plot(now_ms, shown["staggered"], **look, lw=2)
            right.annotate(name, (now_ms[-1], shown["staggered"][-1]), (0, 5), ha="right", **above)
        left.set(title="Mean current (dashed: a walk; solid: STOP held)", xlabel="strength of the motors")
        left.set(ylabel="mA at 5 V", ylim=(0, 850), xlim=(0.3, 1.0))
        middle.set(title="A walk on a bank", xlabel="hours, old and cold to new and warm")
        middle.set(xlim=(0, 92), ylim=(0.5, len(builds) + 0.5))
        middle.set_yticks(range(len(builds), 0, -1), [build.name for build in builds])
        middle.grid(axis="y", visible=False)
        right.set(title="STOP begins (dotted: all at once)", xlabel="ms", ylabel="mA of all motors", ylim=(0, 900))
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Description": stamp(builds)})
    return out.getvalue()
