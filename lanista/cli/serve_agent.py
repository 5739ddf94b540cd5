"""Offer an agent over HTTP, for others to play against.

Example:
    lanista serve-agent minimax:depth=3 --game connect_four
    lanista match http://127.0.0.1:8700 random --game connect_four --games 20

Whoever can reach the port may ask: it listens on this machine alone unless `--host` says otherwise. Needs the extra
`serve`.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.errors import UsageError
from lanista.plugs import required


@dataclass(frozen=True)
class Options:
    """Who plays what, and where."""

    agent: Annotated[Positional[str], arg(metavar="AGENT")]
    """Who plays: `lanista agents` lists who can."""
    game: Annotated[str, arg(metavar="GAME")]
    """The game."""
    port: Annotated[int, arg(metavar="PORT")] = 8700
    """Where it listens; 0 takes a free one, and says which."""
    host: Annotated[str, arg(metavar="HOST")] = "127.0.0.1"
    """The address of this machine at which it listens; 0.0.0.0 is all."""
    seconds: Annotated[float, arg(metavar="S")] = 60.0
    """In which the agent must answer a turn."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of the agent's chance."""


def run(options: Options) -> int:
    """Serve until Ctrl-C."""
    for module in ("fastapi", "uvicorn"):
        required(module, "serve", "lanista serve-agent")
    import uvicorn

    from lanista.agents.agent_server import agent_app

    if not 0 <= options.port < 65536:
        raise UsageError(f"a port is a number from 0 to 65535, not {options.port}")
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((options.host, options.port))
        except OSError as error:
            raise UsageError(f"{options.host}:{options.port} cannot be listened at: {error.strerror}") from None
        app = agent_app(options.agent, options.game, seed=options.seed, seconds=options.seconds)
        listening.listen(128)  # who has read the line below is heard, even before the server runs
        host = f"[{options.host}]" if family == socket.AF_INET6 else options.host
        print(f"{options.agent} plays {options.game} at http://{host}:{listening.getsockname()[1]}", flush=True)
        try:
            uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)).run([listening])
        finally:
            app.state.close()
    return 0
