"""A real-time game on the page, read from its socket as a browser does: when its frames come.

Run as a program, `PORT GAME CONTESTANT`, it is the page's server with that game open; it prints the game's number.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lanista.agents import processes
from lanista.bench.processes import waited_seconds
from lanista.bench.worker import Work

FRAME = 1 / 60
LATE = FRAME + 0.005  # seconds after the frame before
PRESSED = 20  # frames for which a key is held


def begin(game: str, watched: bool) -> Work:
    """Start the page's server, and open the game.

    Args:
        game: its string.
        watched: an agent plays it, and shows where it looks; else keys are pressed.
    """
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    from lanista.arena.play.arcade import hall, messages

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp()
    player = _untrained(game, Path(folder)) if watched else ""
    command = [sys.executable, "-m", "lanista.bench.ours.page_frames", str(port), game, player]
    server = processes.begin(command, cwd=folder)  # which dies with this process
    assert server.stdout is not None
    number = _line(server.stdout)
    for _ in range(600):
        try:
            page = connect(
                f"ws://127.0.0.1:{port}{hall.PATH.replace('{number}', number)}",
                additional_headers={"Origin": f"http://127.0.0.1:{port}"},
            )
            break
        except (OSError, ConnectionClosed):
            time.sleep(0.1)

    def frame() -> float:
        """Wait for a frame, and tell that it was seen; when it came."""
        while True:
            said = page.recv(timeout=120)
            if isinstance(said, bytes) and said[0] == messages.FRAME:
                came = time.perf_counter()
                serial = messages.HEAD.unpack(said[: messages.HEAD.size])[3]
                if serial % 3 == 0:
                    page.send(bytes((messages.SEEN, *serial.to_bytes(4, "little"))))
                return came
            if isinstance(said, str) and '"over"' in said:
                page.send(bytes((messages.ORDER, messages.RESTART, 0)))
            if isinstance(said, str) and '"ready"' in said:
                page.send(bytes((messages.ORDER, messages.PAUSE, 0)))

    def work(seconds: float) -> dict[str, float]:
        page.send(bytes((messages.ORDER, messages.RESTART, 0)))  # no game ends within a slice
        for _ in range(30):
            frame()
        times, waited = [frame()], waited_seconds(os.getpid())
        while times[-1] - times[0] < seconds:
            if not watched and len(times) % PRESSED == 0:
                page.send(bytes((messages.KEYS, 0, len(times) // PRESSED % 3, 0)))
            times.append(frame())
        page.send(bytes((messages.ORDER, messages.PAUSE, 1)))
        waited = waited_seconds(os.getpid()) - waited
        between = np.diff(times)
        return {
            "steps": len(times) + 30,
            "rate": len(between) / float(between.sum()),
            "late": float((between > LATE).mean()),
            "waited": waited / len(between),
        }

    if watched:
        frame()
        page.send(bytes((messages.ORDER, messages.LOOKS, 1)))
    return work


def _line(pipe: object) -> str:
    """The next line of a pipe that is not waited for."""
    said = b""
    while not said.endswith(b"\n"):
        said += pipe.read() or b""  # type: ignore[attr-defined]
        time.sleep(0.05)
    return said.decode().split()[-1]


def _untrained(game: str, folder: Path) -> str:
    """The folder of an agent for a game that has learned nothing."""
    from lanista.agents.artifact import save_agent
    from lanista.agents.policy_network import build_network
    from lanista.envs.catalogue import make

    network = build_network(make(game).spec, "nature_cnn:dim=256").eval()
    save_agent(folder / "agent", network, game, "float32", {})
    return str(folder / "agent")


def serve_one(port: int, game: str, player: str) -> None:
    """The page's server with one game open."""
    from nicegui import app

    from lanista.arena.play.house import House
    from lanista.arena.play.keeping import Keeper
    from lanista.arena.play.server import address, serve

    house = House(keeper=Keeper(Path.cwd()))
    app.on_startup(lambda: print(house.hall.open(game, [player]).number, flush=True))
    serve(house, address("127.0.0.1", port), browser=False)


if __name__ == "__main__":
    serve_one(int(sys.argv[1]), *sys.argv[2:])
