"""Who may be met, the minds of agents, and the house that lets them move; without NiceGUI."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lanista.arena.play.house import House
from lanista.arena.play.keeping import Keeper
from lanista.arena.play.mind import Mind, Position
from lanista.arena.play.minds import Minds, is_quick
from lanista.arena.play.roster import Roster, game_title
from lanista.arena.play.session import Rules, Seat, Session
from lanista.arena.play.table import Start
from lanista.errors import UsageError

ADA = Seat("person", "ada")


def test_a_browser_names_only_what_the_server_lists_and_searches() -> None:
    roster = Roster(listed=("py:mine.py:Mine",))
    spec = roster.check_game("tictactoe")
    for good in ("minimax:depth=3", "random", "mcts:simulations=9", "tictactoe", "tictactoe?temperature=0.3",
                 "tictactoe?simulations=20", "py:mine.py:Mine", "minimax?depth=2"):  # fmt: skip
        assert roster.check_contestant(good, "tictactoe", spec) == good
    for bad in ("py:other.py:X", "sb3:model.zip", "uci:sh", "gtp:sh -c id", "http://127.0.0.1/", "hf:a/b", "/etc",
                "../runs/x", "runs/x", "network:path=/etc", "minimax:depth=99", "mcts:simulations=9999999",
                "minimax:table=60000", "minimax:nope=1", "tictactoe?path=/etc", "connect_four", "", "x" * 999,
                "random\n", "py:mine.py:Mine?x=1"):  # fmt: skip
        with pytest.raises(UsageError):
            roster.check_contestant(bad if bad != "random\n" else "ran\ndom", "tictactoe", spec)


@pytest.mark.parametrize("game", ["gym:os:Env-v0", "zoo:../x", "nothere", "go:size=0", "x" * 300, "gym:Pendulum-v1"])
def test_a_browser_names_no_game_that_would_load_more(game: str) -> None:
    with pytest.raises(UsageError):
        Roster().check_game(game)


@pytest.mark.parametrize(
    "options",
    ["zoo:classic/tictactoe_v3?auto_rom_install_path=/tmp", "zoo:classic/tictactoe_v3?screen_height=100000",
     "zoo:classic/tictactoe_v3?render_mode=human", "openspiel:hex(board_size=2000)", "openspiel:hex(board_size=-1)",
     "openspiel:hex(board_size=5,string_rep=a/b)"],
)  # fmt: skip
def test_a_browser_reaches_no_file_and_no_great_size_through_a_doors_options(options: str) -> None:
    with pytest.raises(UsageError, match="numbers from 0 to"):
        Roster().check_game_name(options)
    assert Roster(games_listed=(options,)).check_game_name(options) == options, "who began the server may"


def test_a_browser_chooses_the_size_of_a_doors_game() -> None:
    for name in ("openspiel:hex(board_size=5)", "zoo:classic/tictactoe_v3?screen_height=100"):
        assert Roster().check_game_name(name) == name


def test_opponents_fit_the_game(tmp_path: Path) -> None:
    roster = Roster(runs=tmp_path)
    titles = [each.title for each in roster.opponents("connect_four", roster.check_game("connect_four"))]
    assert titles[0] == "Lanista" and "Minimax" in titles and "Random" in titles
    hidden = [each.title for each in roster.opponents("kuhn_poker", roster.check_game("kuhn_poker"))]
    assert hidden == ["Random"]
    assert game_title("go:size=9") == "Go, size 9" and roster.games()[0] == "connect_four"


def test_a_mind_answers_many_positions_at_once_as_it_does_one() -> None:
    mind = Mind("connect_four", "connect_four")
    positions = [Position(Start("connect_four", seed), moves) for seed, moves in ((1, ()), (2, (3,)), (3, (3, 3, 2)))]
    together = mind.answer(positions)
    assert [mind.answer([each])[0].action for each in positions] == [each.action for each in together]
    assert [each.player for each in together] == [0, 1, 1]
    for thought in together:
        assert not thought.failed and thought.chance is not None and 0 <= thought.chance <= 1
        assert sum(share for _, share in thought.policy) == pytest.approx(1, abs=1e-4)


@pytest.mark.thorough
def test_a_mind_shows_the_lines_of_a_search() -> None:
    position = Position(Start("tictactoe", 0), (0, 3, 1, 4))
    for contestant in ("minimax:depth=3", "mcts:simulations=200", "tictactoe?simulations=60"):
        thought = Mind(contestant, "tictactoe").explain(position)
        assert thought.action == 2 and thought.lines[0].words == ("c3",) and thought.lines[0].chance > 0.95


def test_a_search_has_its_own_process_and_a_network_a_thread() -> None:
    assert is_quick("connect_four") and is_quick("connect_four?temperature=1") and is_quick("random")
    assert not is_quick("connect_four?simulations=9") and not is_quick("minimax:depth=1")
    assert not is_quick("uci:stockfish") and not is_quick("py:x.py:X")


def test_an_agent_that_hangs_or_dies_costs_its_answer_only(tmp_path: Path) -> None:
    source = tmp_path / "odd.py"
    source.write_text(
        "import os, time\n"
        "class Odd:\n"
        "    def act(self, turn, memory=None):\n"
        "        if turn.plies[0] == 1: os._exit(3)\n"
        "        if turn.plies[0] == 2: time.sleep(60)\n"
        "        from lanista.envs.core import Choice\n"
        "        return Choice(turn.legal.argmax(axis=1))\n"
    )
    minds = Minds()
    contestant = f"py:{source}:Odd"
    ask = [Position(Start("tictactoe", 0), moves) for moves in ((), (4,), ())]
    try:
        thoughts = [minds.answer(contestant, [each], 30).result(90)[0] for each in ask]
        assert thoughts[0].action == 0 and thoughts[1].failed and thoughts[2].action == 0
        (unknown,) = minds.answer("minimax:depth=1", [Position(Start("kuhn_poker", 0), ())]).result(90)
        assert "minimax needs to see the whole position" in unknown.failed
    finally:
        minds.close()


def run(tmp_path: Path, work: Callable[[House], Awaitable[None]]) -> None:
    """Run something in a house that is closed afterwards."""

    async def inside() -> None:
        house = House(Roster(), Keeper(tmp_path))
        try:
            await asyncio.wait_for(work(house), 90)
        finally:
            house.close()

    asyncio.run(inside())


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.01)


def test_an_agent_answers_is_kept_and_the_finished_game_is_stored(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        session = house.new_game("tictactoe", (ADA, Seat("agent", "random")), Rules(), 3)
        heard = 0

        def listener() -> None:
            nonlocal heard
            heard += 1

        stop = house.listen(session, listener)
        while not session.over:
            await until(lambda: session.over or bool(session.may_move(session.live)))
            if not session.over:
                session.play(session.live, 0, session.table.legal(0)[0], 0.0)
                house.changed(session)
        await until(lambda: session.saved)
        assert heard >= len(session.tree) - 1
        stop()
        await until(lambda: not house._keeping)
        await asyncio.sleep(0.2)
        kept = house.keeper.read_kept(session.number, 0.0)
        assert kept is not None and kept.over and kept.tree.moves(kept.live) == session.tree.moves(session.live)

    run(tmp_path, work)
    assert (tmp_path / "tictactoe.sqlite").is_file()


def test_a_game_is_kept_as_it_was_when_that_began_and_no_older_state_comes_after_a_newer(tmp_path: Path) -> None:
    begun, written = list[int](), list[int]()

    class Slow(Keeper):
        """A keeper on a busy machine: what it was given first it writes last."""

        def keep(self, plain: dict[str, Any], state: int = 0) -> None:
            begun.append(len(plain["nodes"]))
            time.sleep(0.4 if len(begun) == 1 else 0.0)
            super().keep(plain, state)
            written.append(len(plain["nodes"]))

    async def work(house: House) -> None:
        house.keeper = Slow(tmp_path)
        session = house.new_game("tictactoe", (ADA, Seat("person", "eve")), Rules(), 1)
        for number, action in enumerate((4, 0, 8), 1):
            session.play(session.live, (number - 1) % 2, action, 0.0)
            house.changed(session)
            await asyncio.sleep(0.12)  # the first state is being written meanwhile
        await until(lambda: 3 in written and len(written) == len(begun))
        assert written[-1] == 1, "the newest was written before"
        kept = Keeper(tmp_path).read_kept(session.number, 0.0)
        assert kept is not None and kept.tree.moves(kept.live) == (4, 0, 8)

    run(tmp_path, work)


def test_an_end_that_is_shown_is_written_down_already(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        session = house.new_game("tictactoe", (ADA, Seat("person", "eve")), Rules(), 1)
        shown: list[bool] = []

        def look() -> None:
            kept = Keeper(tmp_path).read_kept(session.number, 0.0)
            shown.append(kept is not None and kept.over)

        house.listen(session, look)
        for number, action in enumerate((0, 3, 1, 4, 2)):
            session.play(session.live, number % 2, action, 0.0)
            house.changed(session)
        assert session.over and shown == [False] * 4 + [True]

    run(tmp_path, work)


def test_agents_play_each_other_pause_and_step(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        random = Seat("agent", "random")
        session = house.new_game("othello", (random, random), Rules(pace=0.0), 3)
        await until(lambda: len(session.tree) > 3)
        session.paused = True
        await asyncio.sleep(0.2)
        count = len(session.tree)
        await house.step_once(session)
        assert len(session.tree) == count + 1
        session.paused = False
        house.changed(session)
        await until(lambda: session.over)

    run(tmp_path, work)


def test_fifty_games_at_once_are_answered_in_batches(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        seats = (ADA, Seat("agent", "connect_four"))
        sessions: list[Session] = [house.new_game("connect_four", seats, Rules(), seed) for seed in range(50)]
        for session in sessions:
            session.play(session.live, 0, session.start.seed % 7, 0.0)
            house.changed(session)
        await until(lambda: all(len(session.tree) == 3 for session in sessions))
        assert {session.movers() for session in sessions} == {(0,)}

    run(tmp_path, work)


def test_a_takeback_while_the_agent_thinks_drops_its_answer(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        session = house.new_game("tictactoe", (ADA, Seat("agent", "minimax:depth=6")), Rules(), 3)
        session.play(session.live, 0, 4, 0.0)
        house.changed(session)
        session.take_back(0.0)
        house.changed(session)
        assert session.live == 0
        await asyncio.sleep(0.3)
        session.play(session.live, 0, 0, 0.0)
        house.changed(session)
        await until(lambda: len(session.tree.line(session.live)) == 2)
        assert session.tree.line(session.live)[0].word == "a3"

    run(tmp_path, work)


def test_a_game_is_judged_by_an_analyst(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        session = Session(Start("tictactoe", 0), (ADA, ADA), Rules(analysis=True))
        session.replay((4, 1, 0, 3))
        house.open(session)
        names = [name for _, name in house.analyst_names(session)]
        assert names[0] == "tictactoe" and "random" not in names
        house.choose_analyst(session, "tictactoe")
        told = []
        assert await house.judge(session, session.live, lambda: told.append(1)) == ""
        assert told and all(node.chance is not None for node in session.tree.nodes)
        assert session.tree[4].chance is not None and session.tree[4].chance > 0.9
        house.choose_analyst(session, "random")
        assert await house.judge(session, session.live, lambda: None) == "random tells no values of positions"

    run(tmp_path, work)
