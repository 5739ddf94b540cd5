"""The pages' logic by NiceGUI's own simulation of a user: no browser, no network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")

from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from simulated_user import run

from lanista.arena.play.house import House
from lanista.arena.play.session import Rules, Seat
from lanista.arena.play.table import Start, Table
from lanista.arena.play.views.arcade import Arcade
from lanista.arena.play.views.board import Board
from lanista.arena.play.views.controls import Button, Field, Rich, Select
from lanista.arena.play.views.move_buttons import groups_of
from lanista.arena.play.views.placing import PlacingBoard

ADA, BOB = Seat("person", "ada"), Seat("person", "bob")


def only(user: User, kind: type[ui.element]) -> ui.element:
    (found,) = user.find(kind).elements
    return found


def board_plays(user: User, word: str) -> None:
    """As a browser tells that a move was made on the board."""
    scene = only(user, Board)._props["scene"]
    action = next(move[0] for move in scene["moves"] if move[1] == word)
    user.find(Board).trigger("play", [action, scene["key"]])


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.01)


def test_a_game_is_chosen_begun_and_played(tmp_path: Path) -> None:
    async def work(user: User, house: House) -> None:
        await user.open("/?game=tictactoe")
        await user.should_see("Tic-tac-toe")
        user.find("People").click()
        user.find(kind=Button, content="Play").click()
        await until(lambda: len(house.sessions) == 1)
        (session,) = house.sessions.values()
        assert [seat.kind for seat in session.seats] == ["person", "person"]
        await user.open(f"/game/{session.number}")
        for word in ("a1", "b1", "a2", "b2", "a3"):
            board_plays(user, word)
        await user.should_see("guest wins: 3 in a row")
        await user.should_see("Rematch")
        assert not only(user, Board)._props["scene"]["live"] or session.over

    run(tmp_path, work)


def test_an_agent_may_be_written_as_text_but_no_path(tmp_path: Path) -> None:
    async def work(user: User, house: House) -> None:
        await user.open("/?game=tictactoe")
        select = next(each for each in user.find(Select).elements if each._props["aria-label"] == "Opponent")
        assert isinstance(select, Select)
        user.find(kind=Select).elements  # noqa: B018 - all selects are there
        for written, told in (("py:/etc/x.py:X", "not among this server"), ("minimax:depth=77", "at most 12")):
            with user:
                select._changed(_Event("other"))  # type: ignore[arg-type]
            field = next(each for each in user.find(Field).elements if each._props["aria-label"] == "A player as text")
            assert isinstance(field, Field)
            field.text = written
            user.find(kind=Button, content="Play").click()
            await user.should_see(told)
        assert not house.sessions

    run(tmp_path, work)


class _Event:
    def __init__(self, args: object) -> None:
        self.args = args


def test_what_a_browser_sends_wrongly_changes_nothing(tmp_path: Path) -> None:
    async def work(user: User, house: House) -> None:
        session = house.new_game("tictactoe", (ADA, BOB), Rules(), 1)
        await user.open(f"/game/{session.number}")
        key = only(user, Board)._props["scene"]["key"]
        board, moves = user.find(Board), user.find(Rich)
        for args in (None, [], [0], [0, "old"], ["x", key], [99, key], [-1, key], [True, key], [[0], key],
                     [1.5, key], [{"a": 1}, key], "text", [0, key, 1]):  # fmt: skip
            board.trigger("play", args)
            moves.trigger("pick", args)
        for number in (77, -1, True, None, "0", 1e99):
            moves.trigger("pick", ["node", number])
            moves.trigger("pick", ["action", number])
        await asyncio.sleep(0.05)
        assert session.live == 0 and len(session.tree) == 1
        board.trigger("play", [4, key])
        assert len(session.tree) == 2

    run(tmp_path, work)


def test_two_views_of_one_game_follow_it(tmp_path: Path) -> None:
    async def work(user: User, house: House) -> None:
        session = house.new_game("tictactoe", (ADA, Seat("agent", "random")), Rules(), 1)
        await user.open(f"/game/{session.number}")
        session.play(0, 0, 4, 0.0)  # in the other tab
        house.changed(session)
        await until(lambda: len(session.tree) == 3)
        await user.should_see("Your move")
        user.find("Take back").click()
        assert session.live == 0
        user.find("Resign").click()
        assert not session.over
        user.find("Really resign?").click()
        await user.should_see("You resigned: Random wins")

    run(tmp_path, work)


def test_a_view_follows_a_takeback_and_stays_where_it_looks_back(tmp_path: Path) -> None:
    async def work(user: User, house: House) -> None:
        session = house.new_game("tictactoe", (ADA, BOB), Rules(), 1)
        await user.open(f"/game/{session.number}")

        def looks_at() -> int:
            return int(only(user, Board)._props["scene"]["key"].split(".")[1])

        def other_tab(deed: Callable[[], object]) -> None:
            deed()
            house.changed(session)

        other_tab(lambda: session.play(0, 0, 0, 0.0))
        await until(lambda: looks_at() == session.live != 0)
        other_tab(lambda: session.take_back(0.0))
        await until(lambda: looks_at() == session.live == 0)
        other_tab(lambda: session.play(0, 0, 4, 0.0))
        second = session.live
        other_tab(lambda: session.play(session.live, 1, 8, 0.0))
        await until(lambda: looks_at() == session.live)
        (back,) = (each for each in user.find(Button).elements if each._props.get("aria-label") == "Back")
        UserInteraction(user, {back}, None).click()
        await until(lambda: looks_at() == second)
        other_tab(lambda: session.play(session.live, 0, 1, 0.0))
        await asyncio.sleep(0.1)
        assert looks_at() == second, "who steps through a game that goes on is not pulled forward"

    run(tmp_path, work)


def test_a_strict_game_has_no_help(tmp_path: Path) -> None:
    async def work(user: User, house: House) -> None:
        session = house.new_game("tictactoe", (ADA, Seat("agent", "random")), Rules(strict=True), 1)
        await user.open(f"/game/{session.number}")
        await user.should_not_see("Take back")
        await user.should_not_see("Hint")
        (analyse,) = user.find(kind=Button, content="Analyse").elements
        assert analyse._props.get("disabled")

    run(tmp_path, work)


def test_a_position_is_pasted_and_what_is_wrong_is_said(tmp_path: Path) -> None:
    async def work(user: User, house: House) -> None:
        await user.open("/analyse?game=tictactoe")
        (field,) = user.find(Field).elements
        assert isinstance(field, Field)
        field.text = "a1 a1"
        user.find("Set up").click()
        await user.should_see("move 2, 'a1', is not legal", retries=100)
        field.text = "a1 b2"
        user.find("Set up").click()
        await until(lambda: len(house.sessions) == 1)
        (session,) = house.sessions.values()
        assert session.rules.analysis and [node.word for node in session.tree.line(session.live)] == ["a1", "b2"]
        await user.open(f"/game/{session.number}")
        await until(lambda: all(node.chance is not None for node in session.tree.nodes))
        await until(lambda: "heat" in only(user, Board)._props["scene"]["overlay"])

    run(tmp_path, work)


def test_pieces_are_placed_by_hand_and_the_rules_say_what_is_wrong(tmp_path: Path) -> None:
    async def work(user: User, house: House) -> None:
        await user.open("/analyse?game=chess")
        user.find(marker="by-hand").trigger("toggle", True)
        await user.should_see("played on: rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1", retries=100)
        user.find(kind=Button, content="Empty board").click()
        await user.should_see("White has 0 kings", retries=100)
        for name, cell in (("white king", 60), ("black king", 4), ("black rook", 3), ("white queen", 7)):
            button = next(each for each in user.find(Button).elements if each._props.get("aria-label") == name)
            UserInteraction(user, {button}, None).click()
            user.find(PlacingBoard).trigger("place", cell)
        await user.should_see("The king that is not to move stands in check", retries=100)
        for wrong in (None, -1, 64, "4", [4, 4], [[4]], True, 1.5):
            user.find(PlacingBoard).trigger("place", wrong)
        black = next(each for each in user.find(Button).elements if each._text == "Black")
        UserInteraction(user, {black}, None).click()
        await user.should_see("played on: 3rk2Q/8/8/8/8/8/8/4K3 b - - 0 1", retries=100)
        user.find(kind=Button, content="Set up this position").click()
        await until(lambda: len(house.sessions) == 1)
        (session,) = house.sessions.values()
        assert session.rules.analysis and session.start.position == "3rk2Q/8/8/8/8/8/8/4K3 b KQkq - 0 1"
        assert session.movers() == (1,)
        await user.should_see("Share", retries=100)  # the game's page, that opens by itself: else it might open later
        await user.open("/analyse?game=kuhn_poker")
        user.find(marker="by-hand").trigger("toggle", True)
        await user.should_see("no notation for positions", retries=100)

    Table(Start("chess", 0, "k7/7P/8/8/8/8/8/K7 w - - 0 1"))  # compiled now, and not while the user waits
    run(tmp_path, work)


def test_many_moves_are_grouped() -> None:
    few = [(action, f"m{action}") for action in range(40)]
    assert groups_of(few) == [("", few)]
    board = [(row * 19 + column, f"{letter}{19 - row}") for row in range(19) for column, letter in
             enumerate("ABCDEFGHJKLMNOPQRST")]  # fmt: skip
    grouped = groups_of([*board, (361, "pass")])
    assert [name for name, _ in grouped[:2]] == ["A …", "B …"] and grouped[-1] == ("pass", [(361, "pass")])
    assert sorted(move for _, moves in grouped for move in moves) == sorted([*board, (361, "pass")])
    numbered = groups_of([(action, str(action)) for action in range(50)])
    assert [name for name, _ in numbered] == ["0 to 23", "24 to 47", "48 to 49"]


@pytest.mark.thorough
def test_a_game_in_real_time_is_chosen_from_what_there_is(tmp_path: Path) -> None:
    pytest.importorskip("ale_py", reason="Atari needs ale-py: pip install 'lanista[atari]'")

    async def work(user: User, house: House) -> None:
        await user.open("/real-time?game=chess")
        await user.should_see("chess waits for moves", retries=300)
        await user.should_see("The Atari 2600 game pong")  # the first one instead
        user.find("An agent, watched").click()
        user.find(kind=Button, content="Start").click()
        (cabinet,) = house.hall.cabinets.values()
        assert cabinet.setting.game == "atari:pong" and cabinet.setting.seats == ("random",)
        await user.open(f"/real-time/{cabinet.number}")
        (shown,) = user.find(Arcade).elements
        assert shown._props["about"]["socket"].endswith(cabinet.number) and not shown._props["about"]["seats"]
        await user.open("/real-time/another")
        await user.should_see("This game is not here")

    run(tmp_path, work)


def test_an_address_without_a_game_says_so(tmp_path: Path) -> None:
    async def work(user: User, house: House) -> None:
        await user.open("/game/nothere12")
        await user.should_see("This game is not here")

    run(tmp_path, work)
