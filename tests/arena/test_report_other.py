"""Reports of games that are not for two: every game can be stepped through there, or the page says why not."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lanista.agents.kinds.random import RandomAgent
from lanista.arena.drawn_games import drawn_games
from lanista.arena.game_browser import UNLIKE, browsed_games
from lanista.arena.report import report_html
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.arena.tournament import tournament
from lanista.envs.core import Array, Choice, Turn

CARTPOLE, ADVERSARY, KUHN = "gym:CartPole-v1", "zoo:mpe/simple_adversary_v3", "openspiel:kuhn_poker(players=3)"
LOTTERY = '''
import os
import gymnasium


class Lottery(gymnasium.Env):
    """Gives what the system's own chance says: its seed decides nothing."""

    observation_space = gymnasium.spaces.Box(0, 1, (1,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.low, {}

    def step(self, action):
        return self.observation_space.low, float(int.from_bytes(os.urandom(6))), True, False, {}


gymnasium.register("Lottery-v0", Lottery)
'''


class Expects(RandomAgent):
    """Plays at random, and expects a quarter of the greatest return there is."""

    name = "expects"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        return replace(super().act(turn, memory), value=np.full(len(turn), 1.0, np.float32))


class Other(RandomAgent):
    """Plays at random under another name."""

    name = "other"


def unpacked(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(text)))


def stored(game: str, contestants: list[Any], games: int, path: Path) -> tuple[dict[int, StoredGame], str]:
    """The games of a tournament by their numbers, and its report."""
    tournament(game, contestants, games=games, opening_plies=(0, 0), db=path)
    with Store(path, write=False) as store:
        return dict(store.readable()[0]), report_html(store)


def test_who_plays_alone_is_shown_with_what_each_move_brought(tmp_path: Path) -> None:
    games, text = stored(CARTPOLE, ["random", "first-legal"], 3, tmp_path / "t.sqlite")
    found = browsed_games(CARTPOLE, games)
    assert (found["players"], found["drawn"], found["stepped"], found["listed"]) == (1, 6, 6, 6)
    numbers, seats, returns, _, _, moves, _, places = unpacked(found["index"])
    for number, who, brought, length, place in zip(numbers, seats, returns, moves, places, strict=True):
        texts, movers, opening, frames, _, sofar = unpacked(found["chunks"][0])[place]
        game = games[number]
        assert [found["names"][each] for each in who] == list(game.seats) and brought == list(game.returns)
        assert [int(each) for each in texts] == list(game.moves) and length == len(texts) and opening == 0
        assert set(movers) == {0} and len(frames) == len(texts) + 1
        assert sofar == [[float(step)] for step in range(len(texts) + 1)]  # a point for each moment that it stands
    assert "choose who played" in text and '<option value="most">' in text


@pytest.mark.thorough
def test_all_that_are_at_the_table_are_in_a_round(tmp_path: Path) -> None:
    games, _ = stored(ADVERSARY, ["random", Other(), "first-legal"], 6, tmp_path / "t.sqlite")
    (drawn,) = drawn_games(ADVERSARY, [games[1]])
    assert drawn is not None and set(drawn.movers) == {None} and len(drawn.moves) == 25
    assert " ".join(drawn.moves).split() == [str(move) for move in games[1].moves]
    assert np.allclose(drawn.returns[-1], games[1].returns) and len(drawn.returns) == len(drawn.frames) == 26


@pytest.mark.thorough
def test_a_game_that_goes_otherwise_than_it_is_stored_is_not_shown(tmp_path: Path) -> None:
    games, _ = stored(CARTPOLE, ["random"], 2, tmp_path / "t.sqlite")
    true = games[1]
    for false in (
        replace(true, returns=(true.returns[0] + 1,)),
        replace(true, moves=(*true.moves, 0)),
        replace(true, moves=true.moves[:-1]),
        replace(true, moves=(*true.moves[:-1], 2)),
    ):
        assert list(drawn_games(CARTPOLE, [false])) == [None]
        found = browsed_games(CARTPOLE, {1: true, 2: false})
        assert unpacked(found["index"])[-1] == [0, UNLIKE] and found["unlike"] == 1


def test_the_page_says_of_an_environment_with_chance_of_its_own_that_it_cannot_be_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lottery_of_report.py").write_text(LOTTERY)
    monkeypatch.syspath_prepend(str(tmp_path))
    _, text = stored("gym:lottery_of_report:Lottery-v0", ["random", "first-legal"], 2, tmp_path / "t.sqlite")
    assert "0 of them can be stepped through here" in text
    assert "4 cannot be replayed: played again from their seed, the environment does not do what is stored." in text


@pytest.mark.thorough
def test_without_time_for_pictures_moves_and_returns_are_shown(tmp_path: Path) -> None:
    games, _ = stored(CARTPOLE, ["first-legal"], 2, tmp_path / "t.sqlite")
    (bare,) = drawn_games(CARTPOLE, [games[1]], pictures=False)
    assert bare is not None and not bare.frames
    assert len(bare.moves) == len(games[1].moves) and bare.returns[-1] == games[1].returns
    (whole,) = drawn_games(CARTPOLE, [games[1]])
    assert whole is not None and (whole.moves, whole.returns) == (bare.moves, bare.returns)
    # The pictures of the first that are drawn together take more of the room than pictures may have, but not all of it.
    many = {number: replace(games[1], number=number) for number in range(1, 120)}
    found = browsed_games(CARTPOLE, many, room=round(1.4 * sum(map(len, set(whole.frames)))))
    assert 0 < found["drawn"] < found["stepped"] == 119
    _, _, _, _, _, _, _, places = unpacked(found["index"])
    frames = [unpacked(found["chunks"][place // 100])[place % 100][3] for place in places]
    assert sum(bool(each) for each in frames) == found["drawn"]


STEPS = """<script>
const waiting = setInterval(() => {
  if (!document.body.dataset.ready) return;
  clearInterval(waiting);
  const told = [];
  const look = () => told.push(document.querySelector("#chosen .caption").textContent);
  look();
  for (let step = 0; step < 20; step++) { document.querySelector("#chosen [data-go]").click(); look(); }
  const choose = (id, text) => {
    const box = document.getElementById(id);
    box.value = [...box.options].find((option) => option.text === text).value;
    box.dispatchEvent(new Event("change"));
  };
  const rows = () => [...document.querySelectorAll("#list tr")].map((row) => +row.firstChild.textContent);
  choose("filter-one", "expects");
  choose("filter-result", "the contestant, or the first seat, had the most");
  document.body.append(Object.assign(document.createElement("output"), { textContent: JSON.stringify({
    told, best: rows(), opened: +document.body.dataset.opened,
    who: document.querySelector("#chosen .who").textContent,
    board: document.querySelector("#chosen .board").textContent,
    dots: document.querySelectorAll("#chosen .graph circle").length,
    scale: document.querySelector("#chosen .scale")?.textContent }) }));
}, 20);
</script></body>"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_games_of_three_are_stepped_through_in_a_browser(tmp_path: Path) -> None:
    games, text = stored(KUHN, [Expects(), Other(), "random"], 6, tmp_path / "t.sqlite")
    page = tmp_path / "page.html"
    page.write_text(text.replace("</body>", STEPS))
    switches = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --virtual-time-budget=5000"
    )
    done = subprocess.run(
        ["chromium", *switches.split(), f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    output = re.search(r"<output>(.*?)</output>", done.stdout)
    assert output is not None
    told = json.loads(html.unescape(output[1]))
    game = games[told["opened"]]
    (drawn,) = drawn_games(KUHN, [game])
    assert drawn is not None and told["who"] == f"{', '.join(game.seats)}, in the order of the seats"
    captions = told["told"]
    last, lowest, highest = len(drawn.moves), *_span()
    share = round(100 * (1 - lowest) / (highest - lowest))
    for at in range(last, 0, -1):
        mover = drawn.movers[at - 1]
        assert mover is not None
        by = f"move {at}: {drawn.moves[at - 1]} by {game.seats[mover]}"
        expected = f", who expected {share} %" if game.seats[mover] == "expects" else ""
        assert captions[last - at].startswith(by + expected) and bool(expected) == ("expected" in captions[last - at])
    assert captions[last:] == ["the start"] * len(captions[last:])
    brought = ", ".join(f"{each:g}" for each in game.returns)
    assert f"returns {brought} after {last} moves" in captions[0]
    assert told["dots"] == sum(game.seats[mover or 0] == "expects" for mover in drawn.movers)
    assert "ply 0" in told["board"]
    best = {
        number
        for number, each in games.items()
        if each.returns[each.seats.index("expects")] > max(np.delete(each.returns, each.seats.index("expects")))
    }
    assert set(told["best"]) == best


def _span() -> tuple[float, float]:
    from lanista.envs import make

    return make(KUHN).spec.returns
