"""The game at the page without the page: seats, moves, takeback, variations, resignation, clock, ends."""

from __future__ import annotations

import numpy as np
import pytest

from lanista.agents.time_control import TimeControl
from lanista.arena.play.chess_clock import ChessClock, parse_control
from lanista.arena.play.judging import can_be_judged, judged, unjudged
from lanista.arena.play.move_tree import ROOT
from lanista.arena.play.saying import names, short, status
from lanista.arena.play.session import Rules, Seat, Session
from lanista.arena.play.table import Start, Table
from lanista.errors import UsageError

ADA, BOB = Seat("person", "ada"), Seat("person", "bob")
AGENT = Seat("agent", "minimax:depth=2")


def session_of(game: str, *seats: Seat, rules: Rules | None = None, position: str | None = None) -> Session:
    return Session(Start(game, 3, position), seats or (ADA, BOB), rules or Rules())


def play(session: Session, *words: str, now: float = 0.0) -> None:
    """Play written moves, each for whoever is to move."""
    for word in words:
        session.table.go_to(session.tree.moves(session.live))
        action = session.table.parse_move(word)
        session.play(session.live, session.movers()[0], action, now)


def test_a_game_is_played_won_and_told() -> None:
    session = session_of("connect_four")
    assert status(session) == "ada is to move" and session.movers() == (0,)
    play(session, "4", "3", "4", "3", "4", "3", "4")
    assert session.result is not None and session.result.returns == (1.0, -1.0)
    assert status(session) == "ada wins: 4 in a row"
    with pytest.raises(UsageError, match="not that player's move"):
        session.play(session.live, 1, 0, 0.0)
    assert [node.word for node in session.tree.line(session.live)] == list("4343434")


def test_only_legal_moves_of_the_player_to_move_are_taken() -> None:
    session = session_of("tictactoe")
    play(session, "b2")
    cell = session.tree[session.live].actions[0]
    for player, action in ((0, 0), (1, cell), (1, 99), (1, -1), (1, True), (1, "b1"), (1, None), (1, 1.0)):
        with pytest.raises(UsageError):
            session.play(session.live, player, action, 0.0)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no such position"):
        session.play(7, 1, 0, 0.0)
    assert len(session.tree) == 2


def test_an_agent_is_waited_for_and_the_person_takes_back() -> None:
    session = session_of("tictactoe", ADA, AGENT)
    assert session.agent_to_move() is None and session.may_move(ROOT) == (0,)
    play(session, "b2")
    assert session.agent_to_move() == 1 and session.may_move(session.live) == ()
    assert status(session) == "Minimax (depth 2) thinks"
    play(session, "a1", "c3")
    session.take_back(0.0)  # the move that the agent has not answered yet
    assert [node.word for node in session.tree.line(session.live)] == ["b2", "a1"]
    session.take_back(0.0)  # the answer goes too
    assert session.live == ROOT and len(session.tree) == 4, "what was played stays as variations"
    with pytest.raises(UsageError, match="no move of yours"):
        session.take_back(0.0)


def test_a_strict_game_takes_nothing_back_and_its_past_stands() -> None:
    session = session_of("tictactoe", ADA, AGENT, rules=Rules(strict=True))
    play(session, "b2", "a1")
    with pytest.raises(UsageError, match="strict"):
        session.take_back(0.0)
    assert session.may_move(ROOT) == () and session.may_move(session.live) == (0,)


def test_playing_from_an_earlier_position_makes_a_variation() -> None:
    session = session_of("tictactoe")
    play(session, "b2", "a1", "c3")
    first = session.tree[ROOT].children[0]
    other = session.play(first, 1, session.table.parse_move("a3"), 0.0)
    assert session.live == other.number and session.tree[first].children == [other.number, 2]
    again = session.play(first, 1, session.tree[2].actions[0], 0.0)
    assert again.number == 2 and len(session.tree) == 5, "a known move is no new position"
    assert session.tree.end(ROOT) == 3, "the line that was played last is the main one"


def test_after_the_end_moves_are_variations_and_the_result_stays() -> None:
    session = session_of("tictactoe", ADA, AGENT)
    play(session, "b2", "a1")
    session.resign(0)
    assert status(session) == "You resigned: Minimax (depth 2) wins"
    end = session.live
    play_at = session.may_move(end)
    assert play_at == (0,) and session.agent_to_move() is None
    node = session.play(end, 0, session.table.legal(0)[0], 0.0)
    assert session.live == end and session.result is not None and node.parent == end
    with pytest.raises(UsageError, match="the game is over"):
        session.resign(0)


def test_a_rematch_changes_seats_and_chance() -> None:
    session = session_of("kuhn_poker", ADA, AGENT)
    again = session.rematch()
    assert again.seats == (AGENT, ADA) and again.number != session.number
    assert again.start.seed != session.start.seed and again.agent_to_move() == 0


def test_a_game_goes_on_from_a_position() -> None:
    session = session_of("othello")
    play(session, "d3", "c3", "c4")
    fresh = session.branch(2, (ADA, AGENT))
    assert fresh.movers() == (0,) and [node.word for node in fresh.tree.line(fresh.live)] == ["d3", "c3"]
    assert fresh.opening == 2
    with pytest.raises(UsageError, match="hidden"):
        session_of("kuhn_poker").branch(ROOT, (ADA, AGENT))


def test_hands_are_seen_by_their_holder_only_until_the_end() -> None:
    session = session_of("kuhn_poker", AGENT, ADA)
    assert session.viewer(ROOT) == 1
    seen = session.table.picture(session.viewer(ROOT))
    assert seen.count("?") == 1 and session.table.picture(None).count("?") == 0
    with pytest.raises(UsageError, match="hidden"):
        session.take_back(0.0)
    play(session, "pass", "pass")
    assert session.over and session.viewer(session.live) is None
    both = session_of("kuhn_poker")
    assert both.shared_screen and both.viewer(ROOT) == 0
    play(both, "pass")
    assert both.viewer(both.live) == 1


def test_two_people_agree_a_draw_and_an_agent_does_not() -> None:
    session = session_of("chess")
    session.agree_draw()
    assert status(session) == "A draw: agreement"
    with pytest.raises(UsageError, match="between people"):
        session_of("chess", ADA, AGENT).agree_draw()


def test_a_failure_forfeits_and_is_told() -> None:
    session = session_of("tictactoe", ADA, AGENT)
    play(session, "b2")
    session.fail(1, "did not answer in 60 seconds")
    assert session.result is not None and session.result.at_fault == 1 and session.result.returns == (1.0, -1.0)
    assert status(session) == "You win: minimax:depth=2 failed: did not answer in 60 seconds"


@pytest.mark.parametrize(
    ("position", "moves", "words"),
    [
        (None, "f3 e5 g4 Qh4#", "bob wins: checkmate"),
        ("7k/8/5KQ1/8/8/8/8/8 w - - 0 1", "Qf7", "A draw: stalemate"),
        ("7k/8/8/8/8/8/6q1/7K w - - 0 1", "Kxg2", "A draw: too little material to mate"),
        ("7k/8/8/8/8/8/R7/K7 w - - 99 80", "Ra3", "A draw: fifty moves without a capture or a pawn's move"),
        (None, "Nf3 Nf6 Ng1 Ng8 Nf3 Nf6 Ng1 Ng8", "A draw: the same position for the third time"),
    ],
)
def test_chess_says_why_it_ended(position: str | None, moves: str, words: str) -> None:
    session = session_of("chess", position=position)
    play(session, *moves.split())
    assert status(session) == words


@pytest.mark.parametrize(
    ("game", "moves", "words"),
    [
        ("tictactoe", "a1 b1 a2 b2 a3", "ada wins: 3 in a row"),
        ("tictactoe", "a1 b1 c1 b2 b3 a2 c2 c3 a3", "A draw: the board is full"),
        ("go:size=5", "c3 pass pass", "ada wins: B+17.5 by area"),
        ("hex:size=3", "a1 b1 a2 b2 a3", "ada wins: both sides are joined"),
        ("breakthrough", "a2a3 h7h6 a3a4 h6h5 a4a5 h5h4 a5a6 g7g6 a6xb7 g6g5 b7xa8", "ada wins: the far side"),
        ("liars_dice", "1x1 liar", None),
        ("leduc_poker", "raise fold", "ada wins: the others folded"),
    ],
)  # fmt: skip
def test_games_say_why_they_ended(game: str, moves: str, words: str | None) -> None:
    session = session_of(game)
    play(session, *moves.split())
    assert session.over
    assert status(session).startswith(words) if words else "the bid 1x1 was called" in status(session)


def test_the_clock_runs_for_the_mover_and_ends_the_game() -> None:
    session = session_of("tictactoe", rules=Rules(control=TimeControl(60.0, 2.0)))
    clock = session.clock
    assert clock is not None and clock.running is None
    session.begin(100.0)
    play(session, "b2", now=500.0)  # before the first move nobody's time runs
    assert clock.left == [62.0, 60.0] and clock.running == 1
    play(session, "a1", now=510.0)
    assert clock.left[1] == 52.0 and session.tree[session.live].seconds == 10.0
    assert not session.check_time(571.0) and clock.remaining(0, 571.0) == 1.0
    assert session.check_time(573.0) and status(session) == "bob wins: time is over"


def test_a_move_after_the_flag_is_none() -> None:
    session = session_of("tictactoe", rules=Rules(control=TimeControl(10.0)))
    session.begin(0.0)
    play(session, "b2", now=0.0)
    with pytest.raises(UsageError, match="time is over"):
        play(session, "a1", now=11.0)
    assert session.result is not None and session.result.reason == "time" and len(session.tree) == 2


@pytest.mark.parametrize(("text", "seconds", "increment"), [("3+2", 180.0, 2.0), ("0.5", 30.0, 0.0)])
def test_time_controls_are_read(text: str, seconds: float, increment: float) -> None:
    control = parse_control(text)
    assert control == TimeControl(seconds, increment) and parse_control("none") is None
    assert ChessClock.new(TimeControl(5.0), 2).remaining(1, 99.0) == 5.0


@pytest.mark.parametrize("text", ["0+0", "x", "-1", "9999999", "3+2+1", "1e9"])
def test_wrong_time_controls_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_control(text)


def test_blunders_are_marked_by_what_they_cost() -> None:
    session = session_of("tictactoe")
    play(session, "b2", "a1", "c3", "a3")
    assert can_be_judged(session) and len(unjudged(session, session.live)) == 5
    for node, chance in zip(session.tree.nodes, (0.5, 0.5, 0.5, 0.9, 0.1), strict=True):
        node.chance, node.best = chance, 0 if node.number != 2 else 6
    marks = [(move.node.word, move.mark, move.better) for move in judged(session, session.live)]
    assert marks[0] == ("b2", "", "") and marks[2][1] == ""
    assert marks[1][1] == "" and marks[3][1] == "", "the other's chances rose"
    session.tree[3].chance = 0.2
    third = judged(session, session.live)[2]
    assert third.mark == "blunder" and third.loss == pytest.approx(0.3) and third.better == "a1"


def test_contestants_have_names_for_people() -> None:
    assert short("connect_four") == "Lanista" and short("othello?temperature=0.5") == "Lanista (temperature 0.5)"
    assert short("uci:stockfish?depth=1&Skill Level=3") == "Stockfish (depth 1, skill level 3)"
    assert short("runs/first/checkpoints/512?temperature=1") == "first, checkpoint 512 (temperature 1)"
    assert short("gtp:gnugo --level 5") == "GNU Go (level 5)" and short("runs/first?simulations=9").startswith(
        "first ("
    )
    assert names(session_of("tictactoe", AGENT, AGENT)) == ("Minimax (depth 2) (1)", "Minimax (depth 2) (2)")


def test_every_native_game_is_played_to_its_end_by_touches_or_words() -> None:
    draws = np.random.default_rng(0)
    for game in ("connect_four", "chess", "go:size=5", "othello", "hex:size=3", "breakthrough",
                 "kuhn_poker", "leduc_poker", "liars_dice", "gomoku"):  # fmt: skip
        session = session_of(game)
        for turned in (False, True):
            moves = session.table.moves_of(session.movers()[0], turned)
            cells = [move.touches for move in moves if move.touches]
            assert len(cells) == len(set(cells)), f"in {game} two moves at the start are touched alike"
        for _ in range(60):
            if session.over:
                break
            (player,) = session.movers()
            moves = session.table.moves_of(player)
            move = moves[int(draws.integers(len(moves)))]
            assert session.table.parse_move(move.word) == move.action
            session.play(session.live, player, move.action, 0.0)
        assert session.over or len(session.tree) == 61


def test_a_board_of_pettingzoo_that_all_see_is_shown() -> None:
    table = Table(Start("zoo:classic/tictactoe_v3", 0))
    assert table.spec.perfect_information and not table.game.spec.perfect_information
    assert "<image" in table.picture(None)
    assert not Table(Start("zoo:classic/leduc_holdem_v4", 0)).spec.perfect_information
