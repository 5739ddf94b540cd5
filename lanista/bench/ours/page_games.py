"""Many games on the page at once, without browsers: what the server needs from a person's move to the agent's reply.

NiceGUI's own simulation stands in for the browsers; sessions, agents and all that is drawn are the page's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from lanista.bench.worker import Work

READY = 60.0  # seconds until every agent has answered once


def begin(games: int, game: str, agent: str, thinking: float) -> Work:
    """Open the games, each in a view of its own.

    Args:
        games: so many at once.
        game: what is played.
        agent: against whom.
        thinking: seconds between its reply and the person's next move.
    """
    from nicegui.testing.user_simulation import user_simulation

    from lanista.arena.play.house import House
    from lanista.arena.play.keeping import Keeper
    from lanista.arena.play.session import Rules, Seat
    from lanista.arena.play.views.frame import build_tabs
    from lanista.arena.play.views.game_view import GameView

    loop, stack = asyncio.new_event_loop(), contextlib.AsyncExitStack()
    draws = np.random.default_rng(0)
    house = House(keeper=Keeper(Path(tempfile.mkdtemp())))
    seats = (Seat("person", "guest"), Seat("agent", agent))

    async def move(view: GameView) -> float:
        """One move of a person; the seconds until the reply is drawn."""
        session, began = view.session, time.perf_counter()
        view.play(int(draws.choice(session.table.legal(0))))
        while not session.over and not session.may_move(session.live):
            await asyncio.sleep(0.001)
        return time.perf_counter() - began

    async def open_all() -> list[GameView]:
        user = await stack.enter_async_context(user_simulation())
        build_tabs(house)
        client = await user.open("/")
        with client:
            views = [GameView(house, house.new_game(game, seats, Rules(), seed)) for seed in range(games)]
        await asyncio.wait_for(asyncio.gather(*map(move, views)), READY)
        return views

    views = loop.run_until_complete(open_all())

    async def person(view: GameView, until: float, waited: list[float]) -> None:
        await asyncio.sleep(float(draws.uniform(0, thinking)))
        while True:  # each moves once at least: on a crowded core the time may be over before anybody has
            if view.session.over:
                with view.client:
                    view = GameView(house, house.new_game(game, seats, Rules(), int(draws.integers(2**31))))
            waited.append(await move(view))
            await asyncio.sleep(thinking)
            if time.perf_counter() >= until:
                return

    def work(seconds: float) -> dict[str, float]:
        waited: list[float] = []
        until = time.perf_counter() + max(seconds, 3 * thinking)

        async def all_persons() -> None:
            await asyncio.gather(*(person(view, until, waited) for view in views))

        loop.run_until_complete(all_persons())
        return {"steps": len(waited), "median": statistics.median(waited)}

    return work
