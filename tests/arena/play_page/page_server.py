"""The page's server in a process of its own, for tests that reach it as browsers do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 60.0  # seconds, on a machine that does much else


class Server:
    """`lanista play` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = folder
        self.begin()

    def begin(self) -> None:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "lanista", "play", "--no-browser", "--port", str(self.port)]
        # NiceGUI must not take itself for a part of this test.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        environment |= {"XDG_DATA_HOME": str(self.folder), "PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, "the server has ended"
            time.sleep(0.1)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def link(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"
