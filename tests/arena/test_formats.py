"""Every format: pairs of games over one opening, nothing twice, the same games however often it was cut short."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lanista.arena.formats import FORMATS, load_format
from lanista.arena.meetings import Meeting, meeting
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.arena.tournament import tournament
from lanista.cli.main import main
from lanista.errors import UsageError
from lanista.plugs import plugs

EVERY = [
    *plugs(FORMATS),
    "gauntlet:challengers=2",
    "king_of_the_hill:elo=80,most=16",
    "swiss:rounds=2",
    "knockout:extra=0",
]
GROWING = [name for name in EVERY if not load_format(name).fixed]
NAMES = ["d", "a", "c", "e", "b"]


def result(pairing: Meeting, leg: int, seed: int) -> StoredGame:
    """A game that goes as its place says, whenever it is played."""
    chance = random.Random(f"{pairing} {leg} {seed}").random()
    points = 0.5 if chance < 0.3 else float(chance < 0.55)
    returns = (2 * points - 1, 1 - 2 * points)
    return StoredGame(pairing.names, pairing.number, leg, 0, (), (), returns, "end", None)


def play(name: str, names: Sequence[str], games: int, seed: int, played: list[StoredGame], stops: int = 0) -> None:
    """Play a format to its end; after every `stops` games it is asked anew, as after a kill."""
    contest = load_format(name)
    for _ in range(10_000):
        places = {(game.names, game.number, game.leg) for game in played}
        pairings = contest.meetings(names, games, played)
        assert len(pairings) == len(set(pairings)), "a pairing comes twice"
        missing = [(p, leg) for p in pairings for leg in (0, 1) if (p.names, p.number, leg) not in places]
        if not missing:
            return
        played += [result(pairing, leg, seed) for pairing, leg in missing[: stops or None]]
    raise AssertionError("it does not end")


def places_of(played: Sequence[StoredGame]) -> list[tuple[object, ...]]:
    return sorted((game.one, game.other, game.number, game.leg) for game in played)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_a_format_plays_pairs_of_its_contestants_and_ends(name: str, count: int) -> None:
    if name in ("gauntlet:challengers=2", "swiss:rounds=2") and count == 2:
        with pytest.raises(UsageError):
            load_format(name).meetings(["a", "b"], 2, [])
        return
    names = [*NAMES, "f", "h", "g"][:count]
    played: list[StoredGame] = []
    play(name, names, 4, 0, played)
    places = places_of(played)
    assert places and len(places) == len(set(places))
    assert {(one, other, number, 1 - leg) for one, other, number, leg in places} == set(places)  # type: ignore[operator]
    assert all(game.one < game.other and {game.one, game.other} <= set(names) for game in played)
    assert {name for game in played for name in game.seats} == set(names), "someone never played"
    for one, other in {(game.one, game.other) for game in played}:
        numbers = sorted({game.number for game in played if (game.one, game.other) == (one, other)})
        assert numbers == list(range(len(numbers))) and len(numbers) >= 2
    assert all(isinstance(line, str) for line in load_format(name).standing(names, 4, played))


@pytest.mark.parametrize("name", EVERY)
def test_cut_short_at_any_game_it_goes_on_to_the_same_games(name: str) -> None:
    for seed in range(3):
        whole: list[StoredGame] = []
        play(name, NAMES, 4, seed, whole)
        for stops in (1, 3):
            cut: list[StoredGame] = []
            play(name, NAMES, 4, seed, cut, stops)
            assert places_of(cut) == places_of(whole)
            contest = load_format(name)
            assert contest.standing(NAMES, 4, cut[::-1]) == contest.standing(NAMES, 4, whole)


@pytest.mark.parametrize("name", GROWING)
def test_whoever_comes_later_plays_only_what_is_missing(name: str) -> None:
    played: list[StoredGame] = []
    play(name, NAMES[:4], 4, 0, played)
    before, whole = set(places_of(played)), list[StoredGame]()
    play(name, NAMES, 4, 0, played)
    play(name, NAMES, 4, 0, whole)
    assert before < set(places_of(played)) and places_of(played) == places_of(whole)


@pytest.mark.parametrize("name", EVERY)
def test_a_real_tournament_of_each_format_goes_on_where_its_store_was_cut(name: str, tmp_path: Path) -> None:
    who = ["minimax:depth=1", "random", "first-legal"]

    def games_in(path: Path) -> list[StoredGame]:
        with Store(path, write=False) as store:
            return list(store.games())

    whole = tournament("tictactoe", who, games=4, db=tmp_path / "whole.sqlite", format=name)
    games = games_in(tmp_path / "whole.sqlite")
    with Store(tmp_path / "whole.sqlite", write=False) as old, Store(tmp_path / "cut.sqlite") as cut:
        cut.settle({key: old.setting(key) for key in old.about()})
        cut.enter(dict(old._database.execute("SELECT name, digest FROM contestants")))
        for began, versions in old.sessions().values():
            cut.begin_session(versions, began)
        first = sorted(games, key=lambda game: game.stored_at)[:5]
        cut.add(first)
    again = tournament("tictactoe", who, games=4, db=tmp_path / "cut.sqlite", format=name)
    assert again == whole
    assert places_of(games_in(tmp_path / "cut.sqlite")) == places_of(games)


@pytest.mark.parametrize("name", [name for name in EVERY if load_format(name).fixed])
def test_what_decides_all_later_pairings_stays_as_it_was(name: str, tmp_path: Path) -> None:
    who = ["random", "first-legal", "minimax:depth=1"]
    tournament("tictactoe", who, games=2, db=tmp_path / "t.sqlite", format=name)
    changes: list[tuple[dict[str, object], str]] = [
        ({"contestants": [*who, "minimax:depth=2"]}, "contestants in order"),
        ({"contestants": who[::-1]}, "contestants in order"),
        ({"games": 4}, "games of an encounter"),
    ]
    for change, says in changes:
        words: dict[str, object] = {"contestants": who, "games": 2, "format": name} | change
        with pytest.raises(UsageError, match=says):
            tournament("tictactoe", db=tmp_path / "t.sqlite", **words)  # type: ignore[arg-type]


def results(*won: tuple[str, str, float]) -> list[StoredGame]:
    """A pair of games for each (name, against, points of `name` from the two)."""
    games: list[StoredGame] = []
    for name, against, points in won:
        one, other = sorted((name, against))
        number = sum((game.one, game.other) == (one, other) for game in games) // 2
        for leg, mine in enumerate((min(points, 1.0), points - min(points, 1.0))):
            share = 2 * (mine if name == (one, other)[leg] else 1 - mine) - 1
            games.append(StoredGame((one, other), number, leg, 0, (), (), (share, -share), "end", None))
    return games


def test_a_gauntlets_others_do_not_meet() -> None:
    met = {p.names for p in load_format("gauntlet:challengers=2").meetings(["d", "a", "c", "b"], 2, [])}
    assert met == {("c", "d"), ("b", "d"), ("a", "c"), ("a", "b")}


def test_a_knockout_is_seeded_and_a_tie_goes_on_and_then_to_the_higher_seed() -> None:
    contest, names = load_format("knockout:extra=1"), ["d", "c", "b", "a"]
    assert {p.names for p in contest.meetings(names, 2, [])} == {("a", "d"), ("b", "c")}
    tied = results(("d", "a", 1.0), ("b", "c", 1.5))
    assert meeting("a", "d", number=1) in contest.meetings(names, 2, tied)
    assert not any(p.names == ("b", "d") for p in contest.meetings(names, 2, tied))
    decided = [*results(("d", "a", 1.0), ("d", "a", 1.0), ("b", "c", 1.5))]
    assert meeting("b", "d", number=0) in contest.meetings(names, 2, decided)
    lines = contest.standing(names, 2, [*decided, *results(("b", "d", 2.0))])
    assert "d 2 - 2 a, a tie that goes to d, seeded higher" in lines[0] and lines[-1] == "b wins the knockout."


def test_a_knockout_of_five_gives_the_first_three_a_bye() -> None:
    contest = load_format("knockout")
    assert {p.names for p in contest.meetings(["e", "d", "c", "b", "a"], 2, [])} == {("a", "b"), ("c", "d")}


def test_the_hill_goes_to_whoever_takes_more_than_half() -> None:
    contest, names = load_format("king_of_the_hill"), ["a", "b", "c"]
    assert contest.meetings(names, 2, results(("b", "a", 1.0)))[-1] == meeting("a", "c", number=0)
    assert contest.meetings(names, 2, results(("b", "a", 1.5)))[-1] == meeting("b", "c", number=0)
    assert contest.standing(names, 2, results(("b", "a", 1.5), ("c", "b", 2.0)))[-1] == "c holds the hill."


def test_the_hill_by_a_sequential_test_takes_as_many_games_as_the_test_asks_for() -> None:
    contest, names = load_format("king_of_the_hill:elo=100,most=400"), ["a", "b"]
    ten = results(*[("b", "a", 1.5)] * 10, *[("b", "a", 1.0)] * 10)
    assert len(contest.meetings(names, 40, ten[:20])) == 20
    assert "takes the hill" in contest.standing(names, 4, results(*[("b", "a", 2.0)] * 40))[0]
    assert "does not move" in contest.standing(names, 4, results(*[("b", "a", 1.0)] * 200))[0]


def test_a_swiss_round_joins_equal_points_nobody_twice_and_byes_count() -> None:
    names = [f"p{number}" for number in range(7)]
    played: list[StoredGame] = []
    play("swiss:rounds=4", names, 2, 1, played)
    met = [(game.one, game.other) for game in played if game.leg == 0]
    assert len(met) == len(set(met)) == 4 * 3
    lines = load_format("swiss:rounds=4").standing(names, 2, played)
    assert lines[0] == "Swiss, 4 of 4 rounds:"
    assert sorted(part for line in lines for part in line.split("  ") if "bye" in part) == [
        f"bye in round {number}" for number in (1, 2, 3, 4)
    ]
    assert sum(float(line.split()[2]) for line in lines[1:]) == 4 * 3 + 4
    second = {
        p.names
        for p in load_format("swiss:rounds=2").meetings(
            ["a", "b", "c", "d"], 2, results(("a", "c", 2.0), ("b", "d", 2.0))
        )
    }
    assert second == {("a", "c"), ("b", "d"), ("a", "b"), ("c", "d")}


def test_a_long_encounter_on_the_hill_needs_no_test() -> None:
    assert len(load_format("king_of_the_hill").meetings(["a", "b"], 4000, [])) == 2000


def test_swiss_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py4swiss", None)
    with pytest.raises(UsageError, match=r'pip install "lanista\[swiss\]"'):
        load_format("swiss").meetings(NAMES, 2, [])


def test_formats_are_listed_with_the_options_that_they_take(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["formats", "--json"]) == 0
    listed = {found["name"]: found["options"] for found in json.loads(capsys.readouterr().out)}
    assert set(listed) == set(plugs(FORMATS)) and listed["round_robin"] == {"tables": 0}
    for name, options in listed.items():
        text = f"{name}:{','.join(f'{key}={value}' for key, value in options.items())}"
        assert load_format(text).meetings(NAMES, 4, []) == load_format(name).meetings(NAMES, 4, [])
    assert main(["formats"]) == 0
    assert "\n  king_of_the_hill:elo=0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("swiss:rounds=9", "has 1 to 5 rounds, not 9"),
        ("swiss:round=3", "did you mean 'rounds'"),
        ("swiss:rounds=many", "must be int"),
        ("swiss:3", "is no option"),
        ("gauntlet:challengers=5", "1 to 4 challengers"),
        ("knockout:extra=-1", "0 or more"),
        ("king_of_the_hill:elo=-5", "elo from 0"),
        ("king_of_the_hill:elo=5,most=1", "less than the 2 games"),
        ("round_robin:rounds=2", "unknown option .* 'rounds'; known: tables"),
        ("swis", "did you mean 'swiss'"),
    ],
)
def test_wrong_options_are_named_before_anything_is_played(name: str, says: str, tmp_path: Path) -> None:
    who = ["random", "first-legal", "minimax:depth=1", "minimax:depth=2", "minimax:depth=3"]
    with pytest.raises(UsageError, match=says):
        tournament("tictactoe", who, games=2, format=name, db=tmp_path / "t.sqlite")
    assert not (tmp_path / "t.sqlite").exists()


def test_a_simultaneous_game_of_two_has_tournaments_too(tmp_path: Path) -> None:
    who = ["random", "first-legal"]
    table = tournament("zoo:classic/rps_v2", who, games=4, format="knockout", db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        games = store.games()
    assert len(games) >= 4 and {game.seats for game in games} == {tuple(who), tuple(who[::-1])}
    assert all(len(game.moves) % 2 == 0 and game.moves for game in games)
    assert table.standing[-1] in {f"{name} wins the knockout." for name in who}
