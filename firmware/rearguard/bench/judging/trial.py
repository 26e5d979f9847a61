"""`rearguard evaluate`: walk a plan with a progress bar, print the table, leave the report."""

from __future__ import annotations

import argparse
import shlex
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rearguard.bench.judging import report
from rearguard.bench.judging.evaluate import OURS, Plan, evaluate, guard_names
from rearguard.bench.world import scenario
from rearguard.errors import InputError

WIDTH = 110  # of the table where there is no terminal
MOST_WALKS = 100_000


def run(args: argparse.Namespace) -> int:
    """The exit code is 1 when a row that is no declared limit breaks what its scenario states."""
    if not 1 <= args.walks <= MOST_WALKS:
        raise InputError(f"--walks {args.walks}: allowed: 1 to {MOST_WALKS}")
    if args.seed < 0 or (args.workers is not None and args.workers < 1):
        raise InputError("--seed must be 0 or more, --workers 1 or more")
    if not args.report.absolute().parent.is_dir():
        raise InputError(f"--report {args.report}: there is no folder {args.report.absolute().parent}")
    plan = Plan(
        scenarios=args.scenarios or scenario.names(),
        fits=args.fit or ["pair" if args.against == "agreement" else "ultrasonic"],
        profiles=args.profile or ["default"],
        guards=guard_names(args.against),
        walks=args.walks,
        first_seed=args.seed,
        echoes=args.echoes or "",
        obeys=not args.ignore,
    )
    limits = plan.limits()  # loads all that is named: a mistake in it is told before the first walk
    console = Console(stderr=True)
    columns = (TextColumn("walking"), BarColumn(), MofNCompleteColumn(), TextColumn("pieces"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("walking", total=None)
        walks = evaluate(
            plan, args.workers, args.scheduler, lambda done, all_: progress.update(bar, completed=done, total=all_)
        )
    out = Console(highlight=False)
    if not out.is_terminal:
        out = Console(highlight=False, width=WIDTH)
    out.print(report.table(walks, limits))
    command = shlex.join(["rearguard", *sys.argv[1:]])
    try:
        args.report.write_text(report.html(walks, limits, command, "Rearguard, evaluated"), encoding="utf-8")
    except OSError as error:
        raise InputError(f"--report {args.report}: cannot be written: {error.strerror}") from None
    print(f"The report: {args.report}")
    return 1 if any(w.guard == OURS and w.broken and (w.scenario, w.fit) not in limits for w in walks) else 0
