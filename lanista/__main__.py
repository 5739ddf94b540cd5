"""`python -m lanista` is the command `lanista`."""

import sys

from lanista.cli.main import main

sys.exit(main())
