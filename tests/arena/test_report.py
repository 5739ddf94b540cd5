"""The report: one file that needs nothing else, and whose script runs in a real browser."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lanista.agents.contestant import load_agent
from lanista.arena import game_browser
from lanista.arena.analysis import analyse
from lanista.arena.game_browser import browsed_games
from lanista.arena.replays import choose_replays, packed, replay
from lanista.arena.report import Analysed, rating_plot, report_html
from lanista.arena.report_statistics import lengths_by_outcome, lengths_rows, opening_rows
from lanista.arena.standings import table_of
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.envs import make
from lanista.envs.core import Choice
from lanista.errors import UsageError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    tournament(
        "connect_four",
        ["random", "first-legal", "minimax:depth=2"],
        games=6,
        db=path / "t.sqlite",
        report=path / "t.html",
    )
    return path


def test_it_needs_no_other_file_and_no_network(folder: Path) -> None:
    text = (folder / "t.html").read_text()
    addresses = set(re.findall(r"https?://[^\s\"'<>)\\]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert not re.search(r"<(link|iframe|object|embed)\b|\bsrc=|@import|url\((?!#)", text)


def test_it_says_what_the_table_says(folder: Path) -> None:
    text = (folder / "t.html").read_text()
    with Store(folder / "t.sqlite", write=False) as store:
        table = table_of(store)
    for row in table.rows:
        assert f">{row.name}</td><td>{row.elo:+.0f}</td><td>{row.low:+.0f} to {row.high:+.0f}</td>" in text
    assert len(table.rows) == 3


def test_the_plot_is_an_svg_with_every_name(folder: Path) -> None:
    with Store(folder / "t.sqlite", write=False) as store:
        plot = rating_plot(table_of(store))
    words = {text.strip() for element in ElementTree.fromstring(plot).iter() for text in [element.text or ""]}
    assert {"random", "first-legal", "minimax:depth=2"} <= words


def test_names_are_shown_in_plots_as_they_are_written(tmp_path: Path) -> None:
    """To Matplotlib a dollar sign would begin a formula, and a wrong formula is an error."""

    class Priced:
        name = r"a$\b{$"

        def act(self, turn, memory=None):  # type: ignore[no-untyped-def]
            return Choice(turn.legal.argmax(axis=1))

    tournament("tictactoe", [Priced(), "random"], games=4, db=tmp_path / "t.sqlite", report=tmp_path / "t.html")
    assert (tmp_path / "t.html").read_text().count(Priced.name) >= 2, "in the table and in the plot"


def test_names_are_escaped(tmp_path: Path) -> None:
    class Named:
        name = "<script>alert(1)</script>"

        def act(self, turn, memory=None):  # type: ignore[no-untyped-def]
            raise RuntimeError("</script><b>")

    tournament("tictactoe", [Named(), "random"], games=2, db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        text = report_html(store)
    assert "<script>alert" not in text and "</script><b>" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "crashed: RuntimeError: &lt;/script&gt;&lt;b&gt;</td><td>2</td>" in text


def test_a_folder_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        tournament("tictactoe", ["random", "first-legal"], games=2, report=tmp_path)


def test_replays_are_the_stored_games_drawn_by_the_game_itself(folder: Path) -> None:
    with Store(folder / "t.sqlite", write=False) as store:
        table, games = table_of(store), store.games()
    replays = choose_replays(table, games)
    titles = [each.title for each in replays]
    assert titles[:2] == ["The best two", "The best two, seats changed"]
    assert len(set(titles)) == len(titles) >= 4
    top = {row.name for row in table.rows[:2]}
    assert {replays[0].first, replays[0].second} == {replays[1].first, replays[1].second} == top
    for each in replays:
        board = make("connect_four", 1, restart=False)
        board.reset(0)
        for move in each.moves:
            board.step(np.array([board.parse_move(0, move)]))
        assert each.frames[-1] == board.picture(0)
        assert len(each.frames) == len(each.moves) - each.opening + 1
        assert each.movers == tuple(number % 2 for number in range(len(each.moves)))


def test_packed_replays_are_small_and_lose_nothing(folder: Path) -> None:
    with Store(folder / "t.sqlite", write=False) as store:
        replays = choose_replays(table_of(store), store.games())
    plain = packed(replays)
    unpacked = [
        tuple("".join(plain["parts"][part] for part in frame) for frame in each["frames"]) for each in plain["replays"]
    ]
    assert unpacked == [each.frames for each in replays]
    assert len(json.dumps(plain)) < sum(len(frame) for each in replays for frame in each.frames) / 5
    assert (folder / "t.html").stat().st_size < 150_000


def test_a_report_without_games_says_so_without_failing(tmp_path: Path) -> None:
    with Store(tmp_path / "t.sqlite") as store:
        store.settle({"game": "tictactoe", "seed": 0, "opening_plies": [0, 8]})
        store.enter({"a": "1", "b": "2"})
        text = report_html(store)
    assert "2 contestants, 0 games" in text
    assert "<article" not in text


def test_games_through_a_door_are_drawn_too(tmp_path: Path) -> None:
    tournament("zoo:classic/tictactoe_v3", ["random", "first-legal"], games=2, db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        replays = choose_replays(table_of(store), store.games())
        text = report_html(store)
    assert replays and all(frame.startswith("<svg") for each in replays for frame in each.frames)
    assert text.count('data-number="') == len(replays)


needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
BACK_TWICE = """<script>
document.querySelectorAll('[data-go="-1"]').forEach((button) => { button.click(); button.click(); });
document.querySelector(".replay").dispatchEvent(new KeyboardEvent("keydown", { key: "Home" }));
</script></body>"""


def browsed(page: Path, profile: Path) -> str:
    """The page's elements as a browser has them after some seconds of its own time."""
    switches = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --virtual-time-budget=5000"
    )
    done = subprocess.run(
        ["chromium", *switches.split(), f"--user-data-dir={profile}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout


@needs_chromium
def test_the_replays_run_in_a_browser(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text((folder / "t.html").read_text().replace("</body>", BACK_TWICE))
    found = browsed(page, tmp_path / "profile")
    with Store(folder / "t.sqlite", write=False) as store:
        replays = choose_replays(table_of(store), store.games())
    captions = re.findall(r'<p class="caption"[^>]*>([^<]*)</p>', found)
    boards = re.findall(r'<div class="board"[^>]*>(.*?)</div>', found)
    assert len(captions) == len(boards) == len(replays) + 1, "and the one of all games"
    for each, caption, board in zip(replays[1:], captions[1:-1], boards[1:-1], strict=True):
        move = len(each.moves) - 2
        assert caption.startswith(f"move {move}: {each.moves[move - 1]} by {(each.first, each.second)[(move - 1) % 2]}")
        assert board.count("<circle") == each.frames[-3].count("<circle") and 'fill="#d64545"' in board
    # The first was taken back to its beginning with a key.
    opening = replays[0].opening
    assert captions[0].startswith(f"move {opening}: {replays[0].moves[opening - 1]}" if opening else "the start")


OF_TWO = """<script>
const choose = (id, value) => {
  const box = document.getElementById(id);
  box.value = value;
  box.dispatchEvent(new Event("change"));
};
const waiting = setInterval(() => {
  if (!document.body.dataset.ready) return;
  clearInterval(waiting);
  document.querySelector("[data-pair]").click();
  const all = [...document.querySelectorAll("#list tr")].map((row) => row.textContent);
  choose("filter-order", "longest");
  const line = document.querySelector("#list tr");
  line.click();
  const back = setInterval(() => {
    if (document.body.dataset.opened !== line.firstChild.textContent) return;
    clearInterval(back);
    document.querySelector("#chosen [data-go]").click();
    document.body.append(Object.assign(document.createElement("output"), { textContent: JSON.stringify({
      pair: document.querySelector("[data-pair]").dataset.pair, all, number: +line.firstChild.textContent,
      caption: document.querySelector("#chosen .caption").textContent,
      board: document.querySelector("#chosen .board").innerHTML,
      dots: document.querySelectorAll("#chosen .graph circle").length,
      count: document.getElementById("count").textContent }) }));
  }, 20);
}, 20);
</script></body>"""


@needs_chromium
def test_all_games_can_be_filtered_and_stepped_through_with_what_was_expected(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text((folder / "t.html").read_text().replace("</body>", OF_TWO))
    output = re.search(r"<output>(.*?)</output>", browsed(page, tmp_path / "profile"))
    assert output is not None
    told = json.loads(html.unescape(output[1]))
    with Store(folder / "t.sqlite", write=False) as store:
        games = store.readable()[0]
    names = set(json.loads(told["pair"]))
    of_two = {number: game for number, game in games.items() if set(game.names) == names}
    assert len(told["all"]) == len(of_two) == 6 and told["count"] == "6 of 18 games"
    game = of_two[told["number"]]
    assert len(game.moves) - len(game.opening) == max(len(each.moves) - len(each.opening) for each in of_two.values())
    shown = replay("connect_four", "", game)
    place = len(shown.moves) - 2
    mover = (shown.first, shown.second)[place % 2]
    assert told["caption"].startswith(f"move {place + 1}: {shown.moves[place]} by {mover}")
    value = shown.values[place]
    expected = "" if value is None else f"who expected {round(100 * value)} %"
    assert expected in told["caption"] and bool(expected) == ("who expected" in told["caption"])
    assert told["dots"] == sum(each is not None for each in shown.values) > 0
    picture = ElementTree.tostring(ElementTree.fromstring(shown.frames[-2]))
    assert told["board"].count("<circle") == picture.count(b"circle ") > 0
    for colour in ("#d64545", "#f2c037"):
        assert told["board"].count(colour) == shown.frames[-2].count(colour)


def test_lengths_and_openings_are_counted(folder: Path) -> None:
    with Store(folder / "t.sqlite", write=False) as store:
        games = list(store.games())
    lengths = lengths_by_outcome(games)
    assert [len(some) for some in lengths] == [sum(g.points(g.seats[0]) == p for g in games) for p in (1.0, 0.5, 0.0)]
    rows = lengths_rows(lengths)
    assert rows[0].games == 18 and rows[0].most == max(len(game.moves) for game in games)
    depth, openings = opening_rows("connect_four", games)
    assert depth >= 1 and sum(row.games for row in openings) <= 18
    first = openings[0]
    begun = [game for game in games if " ".join(str(move + 1) for move in game.moves[:depth]) == first.name]
    assert len(begun) == first.games == first.wins + first.draws + first.losses
    assert first.score == sum(game.points(game.seats[0]) for game in begun) / len(begun)


def test_a_featured_game_is_shown_once(folder: Path) -> None:
    judge = load_agent("minimax:depth=4")
    with Store(folder / "t.sqlite", write=False) as store:
        first = next(game for game in store.games() if game.moves)
        longest = max(store.games(), key=lambda game: len(game.moves) - len(game.opening))
        shown = {game.moves: choose_replays(table_of(store), store.games(), None, [game]) for game in (first, longest)}
        text = report_html(store, judge=judge, featured=[Analysed(longest, analyse("connect_four", 7, longest, judge))])
    for moves, replays in shown.items():
        board = make("connect_four", 1, restart=False)
        words = []
        for action in moves:
            words.append(board.print_move(0, action))
            board.step(np.array([action]))
        assert tuple(words) not in [each.moves for each in replays]
    assert "<h3>Game 7</h3>" in text


def test_a_judge_says_what_it_thinks_and_one_without_values_is_refused(folder: Path) -> None:
    with Store(folder / "t.sqlite", write=False) as store:
        table, games = table_of(store), list(store.games())
        replays = choose_replays(table, games, load_agent("minimax:depth=4"))
        assert all(each.judge == "minimax:depth=4" and len(each.chances) == len(each.moves) + 1 for each in replays)
        assert any(each.notes for each in replays), "they are bad players"
        with pytest.raises(UsageError, match="random tells no values"):
            report_html(store, judge=load_agent("random"))


def test_without_time_for_all_games_those_that_are_drawn_are_of_all_who_met(tmp_path: Path) -> None:
    tournament("tictactoe", ["random", "first-legal", "minimax:depth=1"], games=100, db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        games = store.readable()[0]
    found = browsed_games("tictactoe", games, room=1)
    assert 0 < found["drawn"] < found["listed"] == 300, "those that are played again together are the least"
    columns = json.loads(zlib.decompress(base64.b64decode(found["index"])))
    drawn = [
        tuple(sorted(games[number].names)) for number, place in zip(columns[0], columns[-1], strict=True) if place >= 0
    ]
    counts = Counter(drawn).values()
    assert len(counts) == 3 and sum(counts) == found["drawn"] and max(counts) - min(counts) <= 1


def test_where_not_all_are_listed_those_that_are_are_of_all_who_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tournament("tictactoe", ["random", "first-legal", "minimax:depth=1"], games=6, db=tmp_path / "t.sqlite")
    monkeypatch.setattr(game_browser, "MOST_LISTED", 9)
    with Store(tmp_path / "t.sqlite", write=False) as store:
        games, page = store.readable()[0], report_html(store)
    found = browsed_games("tictactoe", games)
    listed = json.loads(zlib.decompress(base64.b64decode(found["index"])))[0]
    assert found["listed"] == 9 and found["whole"] == 18 and "9 of 18 games, of all who met alike;" in page
    assert set(Counter(tuple(sorted(games[number].names)) for number in listed).values()) == {3}
