"""What the tests of the doctor share."""

from __future__ import annotations

from pathlib import Path

import pytest

from doctor.fake_pi import Pi


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    """A Zero 2 W on which all is well, the service installed and stopped."""
    return Pi(tmp_path)
