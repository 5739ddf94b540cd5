"""Serve the page: NiceGUI's server around a house."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from dataclasses import dataclass
from typing import Any

from nicegui import app, ui

from lanista.arena.play.guard import LOOPBACK, Guard
from lanista.arena.play.house import House
from lanista.arena.play.views.frame import build_tabs
from lanista.errors import UsageError

QUIET_SECONDS = 60.0
logger = logging.getLogger("lanista.play")
TRIES = 20  # ports after the wanted one that are looked at


@dataclass(frozen=True)
class Address:
    """Where the page is.

    Attributes:
        host, port: what is listened on.
        token: that a browser must know; "" on loopback.
    """

    host: str
    port: int
    token: str

    @property
    def link(self) -> str:
        """What to open in a browser."""
        name = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(self.host, self.host)
        name = f"[{name}]" if ":" in name else name
        return f"http://{name}:{self.port}/" + (f"?token={self.token}" if self.token else "")


def address(host: str, port: int | None) -> Address:
    """Where the page can be; without a wanted port the first free one from 8080 on.

    Raises:
        UsageError: the port is in use, or the host is none of this machine.
    """
    token = "" if host in LOOPBACK else secrets.token_urlsafe(16)
    for each in [port] if port is not None else range(8080, 8080 + TRIES):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, each))
            except (OSError, OverflowError) as error:
                trouble = getattr(error, "strerror", None) or str(error)
                continue
            free = probe.getsockname()[1]  # of port 0, whichever is free
        return Address(host, free, token)
    where = f"port {port}" if port is not None else f"a port from 8080 to {8080 + TRIES - 1}"
    raise UsageError(f"cannot listen on {host}, {where}: {trouble}")


def serve(house: House, where: Address, *, browser: bool) -> None:
    """Serve until the program is interrupted.

    Args:
        house: what is shown.
        where: from `address`.
        browser: open it in a browser.
    """
    build_tabs(house)
    app.add_middleware(Guard, token=where.token, loopback=where.host in LOOPBACK)
    app.on_startup(lambda: asyncio.get_running_loop().set_exception_handler(_Quiet()))
    app.on_startup(lambda: house.soon(house.tick()))
    app.on_startup(house.keeper.forget_old)
    app.on_startup(lambda: house.soon(house.begin()))
    app.on_shutdown(house.close)
    ui.run(
        host=where.host, port=where.port, title="Lanista", dark=None, reload=False, show_welcome_message=False,
        show=f"/?token={where.token}" if browser and where.token else browser, tailwind=False, favicon=_icon(),
        reconnect_timeout=30.0, binding_refresh_interval=None,
    )  # fmt: skip


class _Quiet:
    """Says in one line, and not often, that a browser sent what no page sends; all else is reported as always."""

    def __init__(self) -> None:
        self._said = -QUIET_SECONDS

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "_handle_event_internal" not in repr(context.get("future")):  # python-socketio's, of one event
            loop.default_exception_handler(context)
        elif time.monotonic() - self._said >= QUIET_SECONDS:
            self._said = time.monotonic()
            logger.warning("a browser sent what no page sends: %r", context.get("exception"))


def _icon() -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="15" fill="#1d6a5b"/>'
        '<path d="M10 7v18h13" fill="none" stroke="#fff" stroke-width="3.4"/><circle cx="20.5" cy="13.5" r="4" '
        'fill="#fff"/></svg>'
    )
