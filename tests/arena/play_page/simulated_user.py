"""A simulated user of the page, and what NiceGUI does to the process on the way undone."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation

from lanista.arena.play.house import House
from lanista.arena.play.keeping import Keeper
from lanista.arena.play.roster import Roster
from lanista.arena.play.views.frame import build_tabs


def run(tmp_path: Path, work: Callable[[User, House], Awaitable[None]], **of_house: Any) -> None:
    """Let a simulated user loose on a house.

    Args:
        tmp_path: where its games are kept.
        work: what the user does.
        **of_house: as of `House`.
    """

    async def inside() -> None:
        async with user_simulation() as user:
            house = House(**{"roster": Roster(), "keeper": Keeper(tmp_path), **of_house})
            build_tabs(house)
            try:
                await asyncio.wait_for(work(user, house), 60)
            finally:
                house.close()

    # At its end NiceGUI forgets the modules of all pages and those above them, so that a script could be run again;
    # whoever imports them then has others than the tests before.
    known = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "lanista"}
    try:
        asyncio.run(inside())
    finally:
        sys.modules.update(known)
