"""What holds for all tests."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several workers share the machine: threads that share a core wait for each other in busy loops. Set before torch
    # is imported; programs that tests start have it too.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
