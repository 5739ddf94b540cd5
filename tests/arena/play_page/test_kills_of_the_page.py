"""`kill -9` of the page's server while somebody plays: games that were over are stored, once, and open ones go on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from killing import PATIENCE, Command, Launcher, instants

pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")

from browser import Browser, GoneError

from lanista.agents.contestant import load_agent
from lanista.arena.store import Store
from lanista.arena.verification import verify
from lanista.envs import make
from lanista.envs.loop import play

BUSY = 5.0  # seconds in which a move that is shown is written down, on a machine that does much else
MODULES = ["nicegui", "lanista.cli.play", "lanista.arena.play.server", "lanista.arena.play.tournament_data"]
MODULES += ["lanista.arena.play.keeping", "lanista.envs.games.tictactoe"]


class Player:
    """Who plays tic-tac-toe on both sides, game after game, and goes on with an open one after a kill."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self.port, self.chance = port, chance
        self.finished: list[str] = []  # numbers of sessions whose end was shown
        self.never_kept: list[str] = []  # of sessions that a later server did not know
        self.open = ""  # the session being played
        self.shown: list[float] = []  # when each of its moves was, of those made since the server began
        self.wrong: BaseException | None = None
        self.killed = threading.Event()  # the server was, perhaps before it answered

    def play(self) -> None:
        """Until the server is gone."""
        try:
            asyncio.run(self._play())
        except GoneError:
            pass
        except BaseException as error:
            self.wrong = error

    async def _play(self) -> None:
        while not await asyncio.to_thread(answers, self.port):
            if self.killed.is_set():
                raise GoneError
            await asyncio.sleep(0.01)
        browser = Browser(f"http://127.0.0.1:{self.port}")
        self.shown = []
        while True:
            if not self.open:
                await browser.open("/?game=tictactoe")
                await browser.press("People")
                await browser.press("Play")
                await browser.until(lambda: browser.path.startswith("/game/"))
                self.open, self.shown = browser.path.removeprefix("/game/"), []
            await browser.open(f"/game/{self.open}")
            if not await browser.shows_a_board():  # the kill came before the game was written down
                self.never_kept.append(self.open)
                self.open = ""
                continue
            while browser.scene["live"]:
                await browser.move(self.chance.choice(browser.scene["moves"])[0])
                self.shown.append(time.monotonic())
            self.finished.append(self.open)
            self.open = ""


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def kept(folder: Path) -> dict[str, dict[str, Any]]:
    """Every session that is written down, each of which can be read."""
    files = [path for path in (folder / "open").glob("*.json") if not path.name.startswith(".")]
    return {path.stem: json.loads(path.read_text()) for path in files}


def stored(folder: Path) -> list[int]:
    """The seeds of all stored games: each session has its own."""
    path = folder / "tictactoe.sqlite"
    if not path.exists():
        return []
    with contextlib.closing(Store(path)) as store:
        return [game.seed for game in store.games()]


def twice(folder: Path) -> list[str]:
    """What is stored of games that are stored more than once."""
    with contextlib.closing(Store(folder / "tictactoe.sqlite")) as store:
        games = list(store.games())
    counts = Counter(game.seed for game in games)
    return [str(game) for game in games if counts[game.seed] > 1]


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.faults)])
def test_a_killed_server_keeps_what_was_played(kills: int, tmp_path: Path) -> None:
    chance = random.Random(kills)
    next(play(make("tictactoe"), [load_agent("random")], seed=0))  # compiled, so that kills do not meet that alone
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder, player = tmp_path / "data" / "lanista" / "play", Player(port, chance)
    before: list[int] = []

    def stands() -> tuple[float, ...]:
        assert player.wrong is None, player.wrong
        files = [folder / "tictactoe.sqlite", folder / "tictactoe.sqlite-wal", *(folder / "open").glob("*")]
        found = []
        for path in files:
            with contextlib.suppress(OSError):
                found.append(path.stat().st_mtime)
        return tuple(found)

    (tmp_path / "said").mkdir()
    with Launcher(tmp_path / "said", *MODULES, environment={"XDG_DATA_HOME": str(tmp_path / "data")}) as launcher:
        threads: list[threading.Thread] = []

        def begin(number: int) -> Command:
            for thread in threads:
                thread.join(PATIENCE)
            words = ["play", "--no-browser", "--game", "tictactoe", "--port", str(port)]
            command = launcher.cold(*words) if kills > 5 and number % 10 == 9 else launcher.warm(*words)
            player.killed.clear()
            threads[:] = [threading.Thread(target=player.play)]
            threads[0].start()
            return command

        for _, command, code in instants(chance, begin, stands, kills, 4.0):
            player.killed.set()
            threads[0].join(PATIENCE)
            assert code != 0 and "Traceback" not in command.said and not answers(port)
            assert player.wrong is None, player.wrong
            sessions = kept(folder)
            assert not sessions.keys() & set(player.never_kept)
            now = stored(folder)
            assert set(before) <= set(now), "stored games are there"
            assert len(now) == len(set(now)), f"each once, not {twice(folder)}"
            # An end is written down before it is shown; a kill may come before it is stored: the next server does that.
            ended = {number for number, plain in sessions.items() if plain["result"] is not None}
            assert set(player.finished) <= ended, "what was shown as finished is"
            lasting = [moment for moment in player.shown if moment < player.shown[-1] - BUSY]
            if player.open and lasting:
                assert len(sessions[player.open]["nodes"]) >= len(lasting)
            before = now
        command = begin(0)
        until, over = time.monotonic() + PATIENCE, len(player.finished) + 1
        while len(player.finished) < over and time.monotonic() < until:
            time.sleep(0.01)
        saved = False
        while not saved and len(player.finished) >= over and time.monotonic() < until:
            sessions = kept(folder)
            saved = all(sessions[number]["saved"] for number in player.finished[:over])
            time.sleep(0.05)
        command.kill()
        player.killed.set()
        threads[0].join(PATIENCE)
        assert saved and player.wrong is None, player.wrong
    now = stored(folder)
    over_all = {plain["start"]["seed"] for plain in kept(folder).values() if plain["saved"]}
    assert over_all and over_all <= set(now), "what is called stored is"
    with Store(folder / "tictactoe.sqlite", write=False) as store:
        assert verify(store).true
