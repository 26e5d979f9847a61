"""`make hardware`: every drawing and table of this folder, made anew; `--check` says which no longer fit their source.

Tables are compared word for word. Drawings come out of programs whose next version may place a line elsewhere, so of
them made.json keeps what they were made from and what came out, and both must still be so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bill
import checks
import harness
import limits
import loads
import power
import power_plot
import schematic
from mounts import make as mounts
from mounts.parameters import ParameterError
from mounts.parameters import load as parameters
from mounts.parts import all_parts
from rearguard.config import load
from rearguard.core.threat import max_speed
from rearguard.errors import ConfigError
from wiring import BUILDS, HERE, Build, WiringError

MADE = HERE / "made.json"
TABLES = (".md", ".csv")
SOURCES = ("*.py", "*.toml", "*/*.py", "*/*.toml", "*/*.yml")
BEGIN, END = "<!-- made by `make hardware` -->\n", "<!-- so far -->\n"
GROUPS = ("builds", "mounts")
PETG_G_MM3 = 1.27e-3
FILL = 0.85  # of a part's volume: four perimeters leave little to fill at 30 % (assumed)
FRAME = ("belt-plate", "upright", "box", "box-lid")


def side_by_side(builds: list[Build]) -> str:
    """The table of README.md: what each build sees and does not, and what it costs, weighs and lasts."""
    rows = {
        "sees": [build.about["sees"] for build in builds],
        "does not see": [build.about["misses"] for build in builds],
        "motors": [str(len(loads.motors(build))) for build in builds],
        "fastest safe walk": [f"{_fastest_mps(build):.2f} m/s" for build in builds],
        "parts": [f"{bill.price_eur(build):.0f} EUR" for build in builds],
        "worn": [f"{round(bill.mass_g(build) + printed_g(build), -1):.0f} g" for build in builds],
        "a walk on 5,000 mAh": [
            f"{life * loads.WORN:.0f} to {life:.0f} h" for life in (loads.life_h(build, 5000) for build in builds)
        ],
        "for whom": [build.about["suits"] for build in builds],
    }
    head = " | ".join(f"[{build.about['title']}]({build.name}/README.md)" for build in builds)
    lines = [f"| | {head} |", "|---" * (len(builds) + 1) + "|"]
    lines += [f"| **{name}** | {' | '.join(cells)} |" for name, cells in rows.items()]
    return "\n".join(lines) + "\n"


def printed_g(build: Build) -> float:
    """What the prints of a build weigh, with a clip for each motor."""
    volumes_mm3 = {name: solid.volume() for name, solid in all_parts(parameters()).items()}
    names = [*FRAME, *build.about["prints"], *["pod-clip"] * len(loads.motors(build))]
    return PETG_G_MM3 * FILL * sum(volumes_mm3[name] for name in names)


def _fastest_mps(build: Build) -> float:
    """With all sensors at work: what the farthest-seeing one allows."""
    config = load(checks.config_path(build))
    return max(int(100 * max_speed(s.proved_range_m, config.profile, s.round_s)) / 100 for s in config.specs())


def with_table(text: str, table: str) -> str:
    """README.md with another table."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + table + END + tail


def make(out: Path) -> dict[str, list[Path]]:
    """Everything that is made, in a folder like this one; the files of each group, relative to it."""
    builds = [Build(name) for name in BUILDS]
    made = []
    for build in builds:
        folder = out / build.name
        folder.mkdir(parents=True, exist_ok=True)
        for part in (schematic, bill, harness):
            made += part.write(build, folder)
    made += power.write(out)
    readme = out / "README.md"
    readme.write_text(with_table((HERE / "README.md").read_text(), side_by_side(builds)))
    printed = mounts.write(parameters(), out / "mounts")
    return {
        "builds": [path.relative_to(out) for path in [*made, readme]],
        "mounts": [p.relative_to(out) for p in printed],
    }


def sources(group: str) -> str:
    """A digest of all that a group is made from."""
    found = sorted({path for pattern in SOURCES for path in HERE.glob(pattern)})
    ours = [path for path in found if (path.parent.name == "mounts") is (group == "mounts")]
    return _digest(b"\0".join(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes() for path in ours))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def note(made: dict[str, list[Path]]) -> str:
    """What made.json says of files that were made just now."""
    drawn = {group: [path for path in paths if path.suffix not in TABLES] for group, paths in made.items()}
    return (
        json.dumps(
            {
                group: {"from": sources(group), **{p.as_posix(): _digest((HERE / p).read_bytes()) for p in paths}}
                for group, paths in drawn.items()
            },
            indent=1,
        )
        + "\n"
    )


def stale() -> Iterator[str]:
    """Each file that is not what would be made now, in words. Draws nothing."""
    told = json.loads(MADE.read_text())
    for group in GROUPS:
        if told[group]["from"] != sources(group):
            yield f"hardware: the drawings of the {group} are older than what they are made from"
        for name, digest in told[group].items():
            path = HERE / name
            if name != "from" and (not path.exists() or _digest(path.read_bytes()) != digest):
                yield f"hardware/{name} is not the one that was made"
    builds = [Build(name) for name in BUILDS]
    picture = HERE / "power.svg"
    if picture.exists() and power_plot.stamp(builds) not in picture.read_text():
        yield "hardware/power.svg does not show what parts and firmware say now"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        tables = {HERE / "power.md": power.page(builds)}
        for build in builds:
            (path,) = bill.write(build, out)
            tables[build.folder / "parts.csv"] = path.read_text()
            tables[build.folder / "wiring.md"] = harness.table(build)
        readme = (HERE / "README.md").read_text()
        tables[HERE / "README.md"] = with_table(readme, side_by_side(builds))
    for path, text in tables.items():
        if not path.exists() or path.read_text() != text:
            yield f"hardware/{path.relative_to(HERE)} is not what the data say now"


def main() -> int:
    """The exit code is 1 where something is stale or disagrees."""
    parser = argparse.ArgumentParser(description="Every drawing and table of the hardware, made from its data.")
    parser.add_argument("--check", action="store_true", help="make nothing; say what is stale")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="where to (default: here)")
    args = parser.parse_args()
    try:
        return run(args.check, args.out)
    except (WiringError, ParameterError, ConfigError) as error:
        print(error, file=sys.stderr)
        return 1


def run(check: bool, out: Path) -> int:
    """The command. Raises WiringError, ParameterError and ConfigError for data that cannot be used."""
    wrong = [text for name in BUILDS for text in checks.disagreements(Build(name))]
    wrong += [text for name in BUILDS for text in limits.faults(Build(name))]
    if check:
        wrong += [f"{text}; mend: make hardware" for text in stale()]
    wrong += [] if check else [f"hardware/mounts/parameters.toml: {text}" for text in mounts.wrong(parameters())]
    for text in wrong:
        print(text, file=sys.stderr)
    if wrong or check:
        return 1 if wrong else 0
    made = make(out)
    if out.resolve() == HERE.resolve():
        MADE.write_text(note(made))
    print(f"{sum(map(len, made.values()))} files in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
