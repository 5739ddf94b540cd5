"""Every game, native or through a door, keeps the contract of `envs/core.py`. A new native game needs no edit here."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from random_play import DOOR_GAMES, door_game, is_discrete, native_games, random_actions

from lanista.envs import Game, Outcome, Turn, doors, make
from lanista.envs.doors._spaces import legal_width
from lanista.errors import UsageError

NATIVE = native_games()
LONG = 4000  # steps in which games at random end several times, however long they are
pytestmark = [pytest.mark.parametrize("name", [*NATIVE, *map(door_game, DOOR_GAMES)]), pytest.mark.long]


def fewer(name: str, many: int, few: int) -> int:
    """Few copies or steps of Atari: a copy takes a tenth of a second whenever it is seeded, a game has six steps."""
    return few if name.startswith("atari:") else many


def check_rows(game: Game, turn: Turn) -> None:
    """The shapes, dtypes and ranges of a turn's rows."""
    k = len(turn)
    for name, dtype in (("copies", "i8"), ("players", "i8"), ("games", "i8"), ("plies", "i8"), ("draws", "u8")):
        value = getattr(turn, name)
        assert value.shape == (k,) and value.dtype == np.dtype(dtype), name
    assert ((turn.copies >= 0) & (turn.copies < game.copies)).all()
    assert ((turn.players >= 0) & (turn.players < game.spec.players)).all()
    for row in range(k):
        role = game.spec.role(int(turn.players[row]))
        assert set(turn.observation) == set(role.observation)
        for name, space in role.observation.items():
            value = turn.observation[name]
            assert value.shape == (k, *(space.shape or ())) and value.dtype == space.dtype
            assert space.contains(value[row]), (name, value[row])
    action = game.spec.roles[0].action
    if isinstance(action, spaces.Box):
        assert turn.legal is None
    else:
        assert turn.legal is not None and turn.legal.dtype == bool
        assert turn.legal.shape == (k, legal_width(action))
        assert turn.legal.any(axis=1).all(), "a seat that must act has a legal action"


def check_turn(game: Game, turn: Turn, native: bool) -> None:
    """A turn to be answered."""
    check_rows(game, turn)
    if game.spec.kind != "simultaneous":
        assert len(set(turn.copies.tolist())) == len(turn), "one row a copy"
    assert len(set(zip(turn.copies.tolist(), turn.players.tolist(), strict=True))) == len(turn)
    assert (turn.public is not None) == (native and game.spec.perfect_information)
    if game.spec.longest is not None:
        assert (turn.plies < game.spec.longest).all()


def check_outcome(game: Game, turn: Turn, outcome: Outcome) -> None:
    n, players = game.copies, game.spec.players
    assert outcome.rewards.shape == (n, players) and outcome.rewards.dtype == np.float32
    assert outcome.terminated.shape == outcome.truncated.shape == (n, players)
    assert outcome.finished.shape == outcome.broken.shape == (n,)
    for flags in (outcome.terminated, outcome.truncated, outcome.finished, outcome.broken):
        assert flags.dtype == bool
    assert np.isfinite(outcome.rewards).all()
    assert not outcome.broken.any()
    assert not (outcome.terminated & outcome.truncated).any()
    absent = np.setdiff1d(np.arange(n), turn.copies)
    assert not outcome.rewards[absent].any() and not outcome.finished[absent].any()
    if game.spec.zero_sum:
        np.testing.assert_array_equal(outcome.rewards.sum(axis=1), 0)
    cut = outcome.truncated.nonzero()
    assert (outcome.final is not None) == (len(cut[0]) > 0)
    if outcome.final is not None:
        check_rows(game, outcome.final)
        seats = zip(outcome.final.copies.tolist(), outcome.final.players.tolist(), strict=True)
        assert sorted(seats) == sorted(zip(cut[0].tolist(), cut[1].tolist(), strict=True))
        assert set(outcome.final.games.tolist()) <= set(turn.games.tolist()), "rows before the restart"


def equal_turns(first: Turn, second: Turn) -> bool:
    """Whether two turns show the same."""
    arrays: list[tuple[Any, Any]] = [
        (getattr(first, name), getattr(second, name)) for name in ("copies", "players", "games", "plies", "draws")
    ]
    arrays += [(first.observation[name], second.observation[name]) for name in first.observation]
    if first.legal is not None:
        arrays.append((first.legal, second.legal))
    return all(np.array_equal(one, other) for one, other in arrays)


def test_spec_is_consistent(name: str) -> None:
    spec = make(name).spec
    assert make(spec.name).spec.name == spec.name, "a game is made by its own name"
    assert len(spec.role_of) == spec.players >= 1
    assert set(spec.role_of) == set(range(len(spec.roles)))
    assert spec.kind in ("turn-based", "simultaneous", "single-player")
    assert (spec.kind == "single-player") == (spec.players == 1)
    assert spec.returns[0] < spec.returns[1]
    assert spec.longest is None or spec.longest > 0
    assert spec.description and "\n" not in spec.description
    for role in spec.roles:
        assert spec.static <= set(role.observation)
        assert isinstance(role.action, spaces.Discrete | spaces.MultiDiscrete | spaces.Box)


def test_play_keeps_the_contract(name: str) -> None:
    copies = fewer(name, 5, 2)
    game = make(name, copies=copies)
    game.reset(3)
    gains = np.zeros((copies, game.spec.players))
    whole_games = steps = 0
    while steps < fewer(name, 120, 40) or (whole_games <= 5 and steps < LONG):
        steps += 1
        turn = game.turn()
        check_turn(game, turn, native=name in NATIVE)
        outcome = game.step(random_actions(game, turn))
        check_outcome(game, turn, outcome)
        gains += outcome.rewards
        least, most = game.spec.returns
        assert (gains[outcome.finished] >= least).all() and (gains[outcome.finished] <= most).all()
        whole_games += int(outcome.finished.sum())
        gains[outcome.finished] = 0
        ended = outcome.terminated | outcome.truncated
        if game.spec.kind == "single-player":
            np.testing.assert_array_equal(ended[:, 0], outcome.finished)
    assert whole_games > 5, "random play must end games, or this checks little"


def test_turn_is_the_same_until_a_step(name: str) -> None:
    game = make(name, copies=3)
    game.reset(1)
    first = game.turn()
    kept = first.take(np.arange(len(first)))
    game.text(0)
    game.picture(1)
    assert equal_turns(game.turn(), kept)
    game.step(random_actions(game, first))
    assert equal_turns(first, kept), "a turn that was shown does not change"
    assert not equal_turns(game.turn(), kept)


def test_finished_copies_restart_with_serials_that_are_never_reused(name: str) -> None:
    copies = fewer(name, 4, 2)
    game = make(name, copies=copies)
    game.reset(5)
    playing = dict(zip(*(game.turn().copies.tolist(), game.turn().games.tolist()), strict=True))
    seen = set(playing.values())
    assert len(seen) == copies
    finished = steps = 0
    while steps < fewer(name, 100, 40) or (finished <= 4 and steps < LONG):
        steps += 1
        turn = game.turn()
        for copy, serial, ply in zip(turn.copies.tolist(), turn.games.tolist(), turn.plies.tolist(), strict=True):
            if copy not in playing:
                assert serial not in seen and ply == 0
                seen.add(serial)
                playing[copy] = serial
            assert playing[copy] == serial
        outcome = game.step(random_actions(game, turn))
        for copy in np.flatnonzero(outcome.finished):
            del playing[int(copy)]
            finished += 1
    assert finished > 4
    serials = set(game.turn().games.tolist())
    game.reset(5)
    assert not serials & set(game.turn().games.tolist()), "nor by a reset with the same seed"


def test_without_restart_finished_copies_wait_for_reset(name: str) -> None:
    game = make(name, copies=4, restart=False)
    game.reset(2)
    over = np.zeros(4, bool)
    for _ in range(LONG):
        turn = game.turn()
        assert not over[turn.copies].any() and set(turn.copies.tolist()) == set(np.flatnonzero(~over).tolist())
        if over.all():
            break
        over |= game.step(random_actions(game, turn)).finished
    assert over.all()
    check_rows(game, game.turn())
    outcome = game.step(random_actions(game, game.turn()))
    assert not outcome.finished.any()
    game.reset(seed=[7, 8], copies=np.array([3, 1]))
    assert set(game.turn().copies.tolist()) == {1, 3}
    assert (game.turn().plies == 0).all()


def test_a_first_reset_of_some_copies(name: str) -> None:
    frozen = make(name, copies=3, restart=False)
    frozen.reset(4, copies=np.array([1]))
    assert set(frozen.turn().copies.tolist()) == {1}
    frozen.reset(copies=np.array([0, 2]))
    draws = frozen.turn().draws.tolist()
    assert len(set(draws)) == len(draws) >= 3, "copies that begin later have random streams of their own"
    restarting = make(name, copies=3)
    restarting.reset(4, copies=np.array([1]))
    turn = restarting.turn()
    assert sorted(set(turn.copies.tolist())) == [0, 1, 2]
    assert len(set(turn.games.tolist())) == 3


def test_rows_that_are_not_answered_stay_open(name: str) -> None:
    game = make(name, copies=4)
    game.reset(6)
    game.step(random_actions(game, game.turn()))
    before = game.turn()
    rows = np.flatnonzero(np.isin(before.copies, (0, 2)))
    game.step(random_actions(game, before)[rows], rows)
    after = game.turn()
    others = [np.flatnonzero(~np.isin(turn.copies, (0, 2))) for turn in (before, after)]
    assert equal_turns(before.take(others[0]), after.take(others[1]))
    played = after.take(np.flatnonzero(np.isin(after.copies, (0, 2))))
    assert not np.isin(played.draws, before.draws).any()
    game.step(random_actions(game, after)[:0], np.zeros(0, np.int64))
    assert equal_turns(game.turn(), after), "answering nothing changes nothing"


def test_wrong_answers_raise_and_play_nothing(name: str) -> None:
    game = make(name, copies=3)
    game.reset(8)
    turn = game.turn()
    good = random_actions(game, turn)
    with pytest.raises(ValueError):
        game.step(good[:-1])
    for rows in ([0, len(turn)], [-1, 0], [1, 1]):
        with pytest.raises(ValueError):
            game.step(good[:2], np.array(rows))
    bad = good.copy()
    if is_discrete(game):
        wrong = [-1, game.spec.roles[0].action.n]  # type: ignore[attr-defined]
        wrong += np.flatnonzero(~turn.legal[-1])[:1].tolist()  # type: ignore[index]
    else:
        wrong = [np.nan, np.inf]
    for action in wrong:
        bad[-1] = action
        with pytest.raises(ValueError):
            game.step(bad)
    assert equal_turns(game.turn(), turn)
    game.step(good)
    assert set(game.turn().games.tolist()) & set(turn.games.tolist())


def trajectory(game: Game, copy: int, turns: int) -> list[Any]:
    """What one copy sees and gets in so many of its turns, while all play at random from their own draws."""
    seen: list[Any] = []
    for _ in range(3 * turns):  # between games a copy may show no row for one turn
        if turns == 0:
            break
        turn = game.turn()
        rows = np.flatnonzero(turn.copies == copy)
        for row in rows:
            seen += [turn.players[row], turn.plies[row], turn.draws[row]]
            seen += [turn.observation[name][row].tobytes() for name in sorted(turn.observation)]
        outcome = game.step(random_actions(game, turn))
        if len(rows):
            turns -= 1
            seen += [outcome.rewards[copy].tobytes(), outcome.finished[copy]]
    assert turns == 0
    return seen


def test_a_seed_gives_the_same_games_in_any_batch(name: str) -> None:
    alone = make(name, copies=1)
    alone.reset([1234])
    # A door's copies step one by one.
    before, after = (fewer(name, 4, 1), fewer(name, 3, 1)) if name.partition(":")[0] in doors() else (40, 23)
    crowd = make(name, copies=before + 1 + after)
    crowd.reset([*range(before), 1234, *range(50, 50 + after)])
    turns = fewer(name, 60, 20)  # several games long: restarts come from the copy's own stream too
    alone_seen = trajectory(alone, 0, turns)
    assert alone_seen == trajectory(crowd, before, turns)
    alone.reset([1234])
    assert alone_seen == trajectory(alone, 0, turns)
    alone.reset([1235])
    assert alone_seen != trajectory(alone, 0, turns)


def test_one_seed_gives_each_copy_its_own(name: str) -> None:
    game = make(name, copies=fewer(name, 6, 3))
    game.reset(9)
    draws = game.turn().draws.tolist()
    assert len(set(draws)) == len(draws)
    game.reset(9)
    assert game.turn().draws.tolist() == draws
    smaller = make(name, copies=2)
    smaller.reset(9)
    assert smaller.turn().draws.tolist() == draws[: len(smaller.turn())]


def test_openings(name: str) -> None:
    game = make(name, copies=2, restart=False)
    if not is_discrete(game):
        with pytest.raises(UsageError):
            game.reset(1, openings=[[0], [0]])
        return
    game.reset([11, 11])
    moves: list[int] = []
    salt = 0
    plies = 0
    while plies < 2:
        turn = game.turn()
        actions = random_actions(game, turn, salt)
        moves += actions[turn.copies == 0].tolist()  # of seats that act together, one after the other
        plies += 1
        if game.step(actions).finished.any():  # a short game: try other moves
            game.reset([11, 11])
            moves, plies, salt = [], 0, salt + 1
    expected = game.turn().take(np.flatnonzero(game.turn().copies == 0))
    game.reset([11, 11], openings=[moves, []])
    turn = game.turn()
    opened = turn.take(np.flatnonzero(turn.copies == 0))
    assert (opened.plies == 2).all() and (turn.plies[turn.copies == 1] == 0).all() and 1 in turn.copies
    for modality, value in opened.observation.items():
        np.testing.assert_array_equal(value, expected.observation[modality])
    np.testing.assert_array_equal(opened.draws, expected.draws)
    np.testing.assert_array_equal(opened.players, expected.players)


def test_a_wrong_opening_is_the_users_error(name: str) -> None:
    game = make(name, copies=3)
    if not is_discrete(game):
        pytest.skip("its actions are no numbers")
    count = int(game.spec.roles[0].action.n)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="opening"):
        game.reset(1, openings=[[], [count], []])
    turn = game.turn()
    assert set(turn.copies.tolist()) == {0, 1, 2} and (turn.plies == 0).all()
    ending = make(name, copies=1, restart=False)
    ending.reset([3])
    moves: list[int] = []
    while len(ending.turn()):
        actions = random_actions(ending, ending.turn())
        ending.step(actions)
        moves += actions.tolist()
    with pytest.raises(UsageError, match="opening"):
        game.reset([3, 3, 3], openings=[moves[:1], moves, []])
    for _ in range(30):  # every copy stands where play can go on
        check_rows(game, game.turn())
        game.step(random_actions(game, game.turn()))


def test_stop(name: str) -> None:
    game = make(name, copies=3)
    game.reset(1)
    game.step(random_actions(game, game.turn()))
    before = game.turn()
    game.stop(np.array([1]))
    after = game.turn()
    rows = np.flatnonzero(after.copies == 1)
    assert len(rows) and (after.plies[rows] == 0).all() and not np.isin(after.games[rows], before.games).any()
    others = [np.flatnonzero(turn.copies != 1) for turn in (after, before)]
    assert equal_turns(after.take(others[0]), before.take(others[1]))
    frozen = make(name, copies=3, restart=False)
    frozen.reset(1)
    frozen.stop(np.array([0, 2]))
    assert set(frozen.turn().copies.tolist()) == {1}
    frozen.reset(copies=np.array([0]))
    assert set(frozen.turn().copies.tolist()) == {0, 1}


def test_moves_are_printed_and_parsed(name: str) -> None:
    game = make(name, copies=3)
    game.reset(4)
    if not is_discrete(game):
        with pytest.raises(UsageError):
            game.parse_move(0, "0.5")
        return
    for _ in range(25):
        turn = game.turn()
        assert turn.legal is not None
        for row, copy in enumerate(turn.copies.tolist()):
            legal = np.flatnonzero(turn.legal[row]).tolist()
            printed = [game.print_move(copy, action) for action in legal]
            assert len(set(printed)) == len(legal)
            assert [game.parse_move(copy, text) for text in printed] == legal
        game.step(random_actions(game, turn))
    for text in ("", "  ", "nonsense", "-1", "99999", "½", "a1b2c3"):
        with pytest.raises(UsageError):
            game.parse_move(0, text)


def test_text_and_picture(name: str) -> None:
    game = make(name, copies=2)
    game.reset(4)
    for _ in range(4):
        for player in (None, *range(game.spec.players)):
            text = game.text(0, player)
            assert text.strip() and text == text.rstrip("\n")
            picture = ElementTree.fromstring(game.picture(0, player))
            assert picture.tag == "{http://www.w3.org/2000/svg}svg" and "viewBox" in picture.attrib
        game.step(random_actions(game, game.turn()))
    first = game.text(0)
    game.step(random_actions(game, game.turn()))
    assert game.text(0) != first
