"""`python -m rearguard`."""

import sys

from rearguard.cli import main

sys.exit(main())
