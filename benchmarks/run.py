"""Rearguard side by side with its peers and its own limits, as one table. See README.md."""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module

from measure import Row, SkipError

CASES = ("benewake", "ld06", "hcsr04", "step", "start", "memory", "replay", "walking", "alerts")
HEAD = ("what", "ours", "peer or limit", "ratio", "target", "")


def main() -> int:
    """Measure, print, and say by the exit code whether every target was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of: {', '.join(CASES)}")
    parser.add_argument("--allow-skip", action="store_true", help="a row that cannot be measured here is no failure")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in CASES]
    if unknown:
        parser.error(f"no such measurement: {', '.join(unknown)}; there are: {', '.join(CASES)}")
    rows: list[Row] = []
    skipped: list[str] = []
    names = [name for name in CASES if name in args.names or not args.names]
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name}", file=sys.stderr, flush=True)
        began = time.monotonic()
        try:
            rows += import_module(f"cases.{name}").rows()
        except SkipError as error:
            skipped.append(f"{name}: {error}")
        except ImportError as error:
            skipped.append(f"{name}: {error}; pip install 'rearguard[peers]'")
        print(f"    {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(rows))
    for line in skipped:
        print(f"SKIPPED {line}", file=sys.stderr)
    missed = any(row.ok is False for row in rows)
    return 1 if missed or (skipped and not args.allow_skip) else 0


def table(rows: list[Row]) -> str:
    """The rows as Markdown, padded so that it also reads well in a terminal."""
    verdict = {True: "ok", False: "MISSED", None: ""}
    cells = [HEAD, *((r.what, r.ours, r.other, r.ratio, r.target, verdict[r.ok]) for r in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


if __name__ == "__main__":
    sys.exit(main())
