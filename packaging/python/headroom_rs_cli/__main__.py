"""Runs `headroom` as `python -m headroom_rs_cli`."""

import sys

from headroom_rs_cli import main

sys.exit(main())
