"""The real-time games of a server: a process each, and the sockets on which browsers see and steer them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from lanista.agents import processes
from lanista.arena.play.arcade import messages
from lanista.arena.play.arcade.messages import ALIVE, BINARY, KEYS, NOTE, ORDER, TEXT, State
from lanista.envs.instructed import Sound
from lanista.errors import UsageError

MOST_RUNNING = 8  # processes at once; each has a core's time only as far as there is one
MOST_KNOWN = 200  # games whose address is still known
AWAY = 20.0  # seconds without a browser, after which a game's process ends: time enough to load the page again
IDLE = 15 * 60.0  # seconds without a key, after which a person has gone
WATCHED = 60 * 60.0  # the same, of somebody who watches
CHUNK = 1 << 16  # bytes read at once
LOADING, SILENCE = 120.0, 20.0  # seconds until a process is taken for hanging: at first, and later
PATH = "/real-time/socket/{number}"
NOT_HERE, ELSEWHERE, NONSENSE = 4404, 4409, 4400  # codes with which sockets are closed
# One thread, so that games do not take the cores from each other; no screen and no sound of pygame's own.
SURROUNDINGS = {"OMP_NUM_THREADS": "1", "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
PROGRAM = "lanista.arena.play.arcade.process"
logger = logging.getLogger("lanista.play")


@dataclass(frozen=True)
class Setting:
    """What is played by whom.

    Attributes:
        game: its string.
        seats: for each player a contestant's string, or "" for a person.
    """

    game: str
    seats: tuple[str, ...]

    @property
    def people(self) -> int:
        """How many of the players are people."""
        return self.seats.count("")


@dataclass
class Cabinet:
    """One game: its process while there is one, and the browser that looks at it.

    Attributes:
        number: in its address; nobody can guess it.
        setting: what is played.
        state: what the process said last of itself.
        hall: whose it is.
        about: what its page shows of it, once somebody has asked for that.
    """

    number: str
    setting: Setting
    hall: Hall
    state: State = field(default_factory=lambda: State("loading"))
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: WebSocket | None = None
        self._reading: asyncio.Task[None] | None = None
        self._acted = self._left = time.monotonic()

    @property
    def running(self) -> bool:
        """Whether it has a process."""
        return self._process is not None

    def begin(self) -> None:
        """Start the process; must be called in the event loop.

        Raises:
            UsageError: there are too many, or the system has no room for one.
        """
        self.hall.prepare()
        paths = os.pathsep.join(dict.fromkeys(os.path.abspath(path) for path in sys.path))
        try:
            self._process = processes.begin(
                [sys.executable, "-m", PROGRAM],
                bufsize=0,
                env={**os.environ, **SURROUNDINGS, "PYTHONPATH": paths},
            )
        except processes.ProcessError as error:
            raise UsageError(f"the game's process {error}") from None
        self.state, self._acted, self._left = State("loading"), time.monotonic(), time.monotonic()
        told = {"game": self.setting.game, "seats": self.setting.seats, "seed": secrets.randbelow(2**31)}
        self._write(json.dumps(told).encode() + b"\n")
        self._reading = asyncio.get_running_loop().create_task(self._read(self._process))

    def end(self, words: str = "") -> None:
        """End the process, and have the browser say why."""
        process, self._process = self._process, None
        if process is not None:
            processes.end(process)
            self.state = replace(self.state, stage="ended", words=words)
            self.hall.soon(self._tell(self.state.text()))

    async def serve(self, socket: WebSocket) -> None:
        """Be looked at by a browser, until it goes; whoever looked before is told that it goes on elsewhere."""
        before, self._socket = self._socket, socket
        if before is not None:
            with contextlib.suppress(Exception):
                await before.close(ELSEWHERE)
        await self._tell(self.state.text())
        self._write(messages.packed(BINARY, bytes((ORDER, messages.ATTACH, 0))))
        try:
            while True:
                told = messages.from_browser(await socket.receive_bytes())
                if told is None:
                    await socket.close(NONSENSE)
                    break
                if told[0] in (KEYS, ORDER):
                    self._acted = time.monotonic()
                if not self.running and told[:2] == bytes((ORDER, messages.RESTART)):
                    await self._again()
                elif self.running:
                    self._write(messages.packed(BINARY, told))
        except (WebSocketDisconnect, KeyError, RuntimeError):  # KeyError: a text, which no page sends
            with contextlib.suppress(Exception):
                await socket.close(NONSENSE)
        finally:
            if self._socket is socket:
                self._socket, self._left = None, time.monotonic()
                self._write(messages.packed(BINARY, bytes((ORDER, messages.PAUSE, 1))))

    def tell(self, words: str | None, sound: Sound | None = None) -> None:
        """Have the player be told something else; the process says what became of it.

        Args:
            words, sound: see `envs.instructed.InstructedGame`.
        """
        self._acted = time.monotonic()
        self._write(messages.packed(BINARY, messages.instruction(words, sound)))

    def check(self, now: float) -> None:
        """End the process if nobody looks or plays any more."""
        if not self.running:
            return
        if self._socket is None and now - self._left > AWAY:
            self.end("It ended, since nobody looked")
        elif now - self._acted > (IDLE if self.setting.people else WATCHED):
            minutes = (IDLE if self.setting.people else WATCHED) / 60
            self.end(f"It ended after {minutes:.0f} minutes without a key")

    async def _again(self) -> None:
        """Another process, since the person wants to go on."""
        try:
            self.begin()
        except UsageError as error:
            self.state = replace(self.state, stage="ended", words=str(error))
        await self._tell(self.state.text())

    async def _read(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what the process shows. It sends no more than the browser has drawn, so nothing piles up here."""
        reader = asyncio.StreamReader()
        assert process.stdout is not None
        loop = asyncio.get_running_loop()
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), process.stdout)
        words, patience, heard = "", LOADING, bytearray()
        try:
            while self._process is process and self.state.stage != "ended":
                async with asyncio.timeout(patience):
                    chunk = await reader.read(CHUNK)
                if not chunk:
                    words = "Its process ended"
                    break
                heard += chunk
                patience = SILENCE
                for kind, body in messages.taken(heard):
                    if kind == TEXT:
                        self.state = State(**json.loads(body))
                    if kind != ALIVE and self.state.stage != "ended":
                        await self._tell(body.decode() if kind in (TEXT, NOTE) else body)
        except TimeoutError:
            words = f"Nothing was heard of it for {patience:.0f} seconds, so it was ended"
        except (ValueError, TypeError):
            words = "Its process said what cannot be"
        finally:
            pipe.close()
            if self._process is process:
                self.end(self.state.words if self.state.stage == "ended" else words)

    async def _tell(self, body: bytes | str) -> None:
        """Send to the browser, if one looks."""
        socket = self._socket
        if socket is None:
            return
        with contextlib.suppress(Exception):  # it has gone; `serve` sees that
            if isinstance(body, str):
                await socket.send_text(body)
            else:
                await socket.send_bytes(body)

    def _write(self, message: bytes) -> None:
        """Send to the process; it reads at once, and what does not fit is lost with it."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                os.write(self._process.stdin.fileno(), message)


class Hall:
    """All of a server."""

    def __init__(self) -> None:
        self.cabinets: dict[str, Cabinet] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ticking: asyncio.Task[None] | None = None

    def open(self, game: str, seats: Sequence[str]) -> Cabinet:
        """Begin a game whose names have been checked; must be called in the event loop.

        Args:
            game: its string.
            seats: for each player a contestant's string, or "" for a person.

        Raises:
            UsageError: there are too many.
        """
        cabinet = Cabinet(secrets.token_urlsafe(9), Setting(game, tuple(seats)), self)
        cabinet.begin()
        self.cabinets[cabinet.number] = cabinet
        for number in list(self.cabinets)[: max(0, len(self.cabinets) - MOST_KNOWN)]:
            if not self.cabinets[number].running:
                del self.cabinets[number]
        return cabinet

    def prepare(self) -> None:
        """Raise UsageError if no other process may begin; else begin to watch over them."""
        if sum(cabinet.running for cabinet in self.cabinets.values()) >= MOST_RUNNING:
            raise UsageError(
                f"{MOST_RUNNING} real-time games are open on this server, which is all it has room for: close the page "
                "of one and wait half a minute"
            )
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.get_running_loop().create_task(self._tick())

    def route(self) -> WebSocketRoute:
        """Where browsers reach the games."""
        return WebSocketRoute(PATH, self._serve)

    def soon(self, work: Any) -> None:
        """Run a coroutine beside all else."""
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:  # the server has ended
            work.close()
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """End all processes."""
        for cabinet in self.cabinets.values():
            cabinet.end()

    async def _tick(self) -> None:
        """Look for games that nobody looks at, as long as there are any."""
        running = True
        while running:
            await asyncio.sleep(1.0)
            running = any(cabinet.running for cabinet in self.cabinets.values())
            for cabinet in list(self.cabinets.values()):
                cabinet.check(time.monotonic())

    async def _serve(self, socket: WebSocket) -> None:
        await socket.accept()
        cabinet = self.cabinets.get(socket.path_params["number"])
        if cabinet is None:
            await socket.close(NOT_HERE)
            return
        await cabinet.serve(socket)
