"""Inside a virtual belt: takes one case after another from its serial line and answers with what it measured."""

from __future__ import annotations

import json
import os
import sys
import traceback
import tty
from collections.abc import Callable
from typing import Any

sys.path.insert(0, "/run/bench")
import desk
import long
import trouble
import walks


def find(case: str) -> Callable[..., Any]:
    """The case of that name."""
    return next(getattr(m, f"case_{case}") for m in (walks, trouble, desk, long) if hasattr(m, f"case_{case}"))


def main() -> None:
    """A line of JSON in, a line of JSON out, for as long as the machine runs."""
    line = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)

    def say(**told: object) -> None:
        os.write(line, (json.dumps(told) + "\n").encode())

    walks.case_wire()  # the starter belt's sensor is there when the guard begins
    say(case="ready")
    said = b""
    while True:
        said += os.read(line, 4096)
        while b"\n" in said:
            asked, _, said = said.partition(b"\n")
            how = json.loads(asked)
            case = how.pop("case")
            try:
                found = find(case)(**how)
                for told in (found,) if isinstance(found, dict) else found:  # a long case tells as it goes
                    say(case=case, **told)
            except Exception:
                say(case=case, error=traceback.format_exc())


main()
