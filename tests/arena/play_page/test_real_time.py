"""Games in real time: processes behind sockets, and who watches them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")
pytest.importorskip("ale_py", reason="Atari needs ale-py: pip install 'lanista[atari]'")

import uvicorn
import websockets
from starlette.applications import Starlette
from test_arcade import agent

from lanista.arena.play.arcade import hall as halls
from lanista.arena.play.arcade import messages
from lanista.arena.play.arcade.hall import Cabinet, Hall
from lanista.arena.play.arcade.messages import HEAD, KEYS, LOOKS, ORDER, PAUSE, RESTART, SEEN, SOUND, SPEED
from lanista.arena.play.guard import Guard
from lanista.errors import UsageError

pytestmark = pytest.mark.long
__all__ = ["agent"]  # a fixture


class Viewer:
    """A browser's side of a socket."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.frames, self.heats, self.last = socket, 0, 0, 0
        self.sounds: list[bytes] = []
        self.state: dict[str, object] = {"stage": ""}
        self.pictures: set[bytes] = set()

    async def read(self) -> None:
        """Take one message, and tell that a frame was seen."""
        said = await asyncio.wait_for(self.socket.recv(), 60)
        if isinstance(said, str):
            self.state = json.loads(said)
        elif said[0] == messages.HEAT:
            self.heats += 1
        elif said[0] == messages.HEARD:
            assert messages.SOUND_HEAD.unpack(said[: messages.SOUND_HEAD.size])[3] == self.last, "of the frame before"
            self.sounds.append(said[messages.SOUND_HEAD.size :])
        else:
            self.frames, self.last = self.frames + 1, HEAD.unpack(said[: HEAD.size])[3]
            self.pictures.add(said[HEAD.size :])
            await self.socket.send(bytes((SEEN, *self.last.to_bytes(4, "little"))))

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            await self.read()

    async def order(self, which: int, value: int) -> None:
        await self.socket.send(bytes((ORDER, which, value)))


def run(work: Callable[[Hall, Callable[..., Any]], Awaitable[None]]) -> None:
    """Let a hall be served, as the page does."""

    async def inside() -> None:
        hall = Hall()
        server = uvicorn.Server(uvicorn.Config(Guard(Starlette(routes=[hall.route()])), port=0, log_level="error"))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]

        def connect(cabinet: Cabinet, **more: Any) -> Any:
            return websockets.connect(f"ws://127.0.0.1:{port}{halls.PATH.replace('{number}', cabinet.number)}", **more)

        try:
            await asyncio.wait_for(work(hall, connect), 120)
        finally:
            hall.close()
            server.should_exit = True
            await serving

    asyncio.run(inside())


@pytest.mark.thorough
def test_sound_is_sent_only_to_who_wants_it() -> None:
    async def work(hall: Hall, connect: Callable[..., Any]) -> None:
        async with connect(hall.open("atari:pong", [""])) as socket:
            viewer = Viewer(socket)
            await viewer.until(lambda: viewer.state["stage"] == "ready" and viewer.frames > 0)
            assert viewer.state["sounds"] and not viewer.state["sound"]
            await viewer.order(SPEED, 200)
            await viewer.order(PAUSE, 0)
            await viewer.until(lambda: viewer.frames > 200)
            assert not viewer.sounds
            await viewer.order(SOUND, 1)
            await viewer.until(lambda: len(viewer.sounds) > 5)
            assert viewer.state["sound"] and all(len(sound) == 512 for sound in viewer.sounds)
            assert all(set(sound) != {128} for sound in viewer.sounds), "silence is not sent"
            await viewer.order(SOUND, 0)
            await viewer.until(lambda: not viewer.state["sound"])
            count, frame = len(viewer.sounds), viewer.frames
            await viewer.until(lambda: viewer.frames > frame + 150)
            assert len(viewer.sounds) == count

    run(work)


def test_a_person_plays_pauses_and_comes_back() -> None:
    async def work(hall: Hall, connect: Callable[..., Any]) -> None:
        cabinet = hall.open("atari:pong", [""])
        with pytest.raises(websockets.InvalidStatus):  # another site's page
            await connect(cabinet, origin="http://evil.example")
        async with connect(replace(cabinet, number="guessed")) as socket:
            with pytest.raises(websockets.ConnectionClosed):
                await socket.recv()
            assert socket.close_code == halls.NOT_HERE
        async with connect(cabinet) as socket:
            viewer = Viewer(socket)
            await viewer.until(lambda: viewer.state["stage"] == "ready" and viewer.frames > 0)
            await socket.send(bytes((KEYS, 0, 1, 0)))
            await viewer.until(lambda: viewer.frames > 60)
            assert viewer.state["stage"] == "playing" and len(viewer.pictures) > 10
            for _ in range(40):  # whatever a page may send, in whatever order
                await socket.send(bytes((KEYS, *np.random.default_rng(0).integers(0, [2, 256, 256]).tolist())))
                await viewer.order(LOOKS, 1)
            await socket.send(bytes((KEYS, 0, 0, 0)))
            await viewer.order(SPEED, 50)
            await viewer.until(lambda: viewer.state["speed"] == 50)
            began, before = time.perf_counter(), viewer.last
            await viewer.until(lambda: viewer.last >= before + 60)
            assert time.perf_counter() - began > 1.8  # 30 a second, or fewer on a busy machine
            await viewer.order(PAUSE, 1)
            await viewer.until(lambda: viewer.state["stage"] == "paused")
        async with connect(cabinet) as socket:  # the page is loaded again
            again = Viewer(socket)
            await again.until(lambda: again.state["stage"] == "paused" and again.frames > 0)
            async with connect(cabinet) as other:  # and in another tab
                third = Viewer(other)
                await third.until(lambda: third.frames > 0)
                with pytest.raises(websockets.ConnectionClosed):
                    while True:
                        await socket.recv()
                assert socket.close_code == halls.ELSEWHERE
                await third.order(RESTART, 0)
                await third.until(lambda: third.state["stage"] == "ready")
                for nonsense in (b"\x09\x01", "text"):
                    await other.send(nonsense)
                with pytest.raises(websockets.ConnectionClosed):
                    while True:
                        await other.recv()
                assert other.close_code == halls.NONSENSE
        assert cabinet.running

    run(work)


@pytest.mark.thorough
def test_a_browser_that_sees_nothing_is_sent_no_more_than_some_frames(agent: Path) -> None:
    async def work(hall: Hall, connect: Callable[..., Any]) -> None:
        cabinet = hall.open("atari:pong", [str(agent)])
        async with connect(cabinet) as socket:
            viewer = Viewer(socket)
            await viewer.until(lambda: viewer.frames > 5)
            assert viewer.state["looks"] and not viewer.state["heat"]
            silent = 0
            deadline = time.monotonic() + 1.5
            while time.monotonic() < deadline:
                try:
                    silent += isinstance(await asyncio.wait_for(socket.recv(), 0.5), bytes)
                except TimeoutError:
                    break
            assert 0 < silent <= 13
            await socket.send(bytes((SEEN, *(2**32 - 1).to_bytes(4, "little"))))
            # And then it goes on where the game is.
            await viewer.read()
            assert viewer.last > 13
            await viewer.order(LOOKS, 1)
            await viewer.until(lambda: viewer.heats > 1)

    run(work)


@pytest.mark.thorough
def test_a_process_that_dies_or_hangs_is_told_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(hall: Hall, connect: Callable[..., Any]) -> None:
        cabinet = hall.open("atari:pong", ["random"])
        async with connect(cabinet) as socket:
            viewer = Viewer(socket)
            await viewer.until(lambda: viewer.frames > 3)
            assert cabinet._process is not None
            os.kill(cabinet._process.pid, signal.SIGKILL)
            await viewer.until(lambda: viewer.state["stage"] == "ended")
            assert viewer.state["words"] == "Its process ended" and not cabinet.running
            monkeypatch.setattr(halls, "SILENCE", 1.5)
            await viewer.order(RESTART, 0)
            frames = viewer.frames
            await viewer.until(lambda: viewer.frames > frames + 3)
            os.kill(cabinet._process.pid, signal.SIGSTOP)
            await viewer.until(lambda: viewer.state["stage"] == "ended")
            assert "Nothing was heard of it" in str(viewer.state["words"])

    run(work)


def test_games_end_when_nobody_looks_and_are_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(hall: Hall, connect: Callable[..., Any]) -> None:
        monkeypatch.setattr(halls, "MOST_RUNNING", 1)
        wrong = hall.open("atari:pong", ["nobody/here"])
        with pytest.raises(UsageError, match="close the page of one"):
            hall.open("atari:pong", [""])
        async with connect(wrong) as socket:
            viewer = Viewer(socket)
            await viewer.until(lambda: viewer.state["stage"] == "ended")
            assert "nobody/here" in str(viewer.state["words"])
        assert not wrong.running
        cabinet = hall.open("atari:pong", [""])
        monkeypatch.setattr(halls, "AWAY", 0.1)
        while cabinet.running:
            await asyncio.sleep(0.05)
        assert cabinet.state.words == "It ended, since nobody looked"

    run(work)
