"""The process that is counted: `worker.py CASE WORK N` does `cases.CASE.WORK(N)` and nothing else."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    case, work, n = sys.argv[1:]
    getattr(import_module(f"cases.{case}"), work)(int(n))
