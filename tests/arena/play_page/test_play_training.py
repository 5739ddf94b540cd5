"""Training from the page, without a browser: orders, the runs that a folder holds, their curves, their agents."""

from __future__ import annotations

import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lanista.agents.contestant import SHIPPED
from lanista.agents.run_records import GrowingRows
from lanista.arena.play.house import House
from lanista.arena.play.minds import Minds, written
from lanista.arena.play.roster import Roster
from lanista.arena.play.runs import LOG, Runs, _trains
from lanista.arena.play.training_order import Order, command_of
from lanista.cli.play import settled
from lanista.errors import UsageError
from lanista.files import LOCK, held_folder, holder

GOOD = Order("first", "tictactoe", steps=512)


def fake_run(folder: Path, steps: list[int], kept: int | None, whole: int = 400) -> Path:
    """A run's folder as far as its files tell how it stands."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'game = "tictactoe"\nsteps = {whole}\n')
    rows = [{"steps": each, "seconds": each / 10, "steps_a_second": 10.0, "score/random": 0.5} for each in steps]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if kept is not None:
        checkpoint = folder / "checkpoints" / str(kept)
        shutil.copytree(SHIPPED / "tictactoe", checkpoint)
        (checkpoint / "resume").mkdir()
        (checkpoint / "resume" / "state.json").write_text("{}")
    return folder


def test_an_order_becomes_the_words_of_the_command(tmp_path: Path) -> None:
    order = replace(GOOD, runners=1, seed=7, changes={"encoder": "mlp", "opponents": "minimax:depth=2 random"},
                    line="copies=64 gamma=0.5")  # fmt: skip
    words = command_of(order, tmp_path / "first", Roster(runs=tmp_path), settled)
    assert words[:6] == ["train", "tictactoe", "--steps", "512", "--out", str(tmp_path / "first")]
    assert words[6:12] == ["--runners", "1", "--seed", "7", "--json", "--set"]
    assert words[12:] == [
        "encoder=mlp", "opponents=minimax:depth=2 random", "opponent_share=0.25", "copies=64", "gamma=0.5"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"line": "learning_rat=1"}, "unknown setting 'learning_rat'; did you mean 'learning_rate'?"),
        ({"line": "learning_rate"}, "--set takes key=value"),
        ({"line": "epochs=many"}, "the setting 'epochs' must be int, not 'many'"),
        ({"line": "steps=9"}, "'steps' is not set with --set"),
        ({"line": "--out=/tmp/x"}, "unknown setting '--out'"),
        ({"line": "--trust"}, "--set takes key=value"),
        ({"line": 'memory="gru'}, "quotation mark"),
        ({"line": "x" * 2000}, "at most 1000 characters"),
        ({"line": "wandb_project=mine"}, "'wandb_project' is not set on the page"),
        ({"line": "address=10.0.0.1:6379"}, "'address' is not set on the page"),
        ({"line": "encoder=/etc"}, "is not set on the page"),
        ({"line": "encoder=hf:a/b"}, "is not set on the page"),
        ({"line": "encoder=board=somewhere"}, "unknown encoder 'somewhere'"),
        ({"line": "encoder=bord_resnet"}, "did you mean 'board_resnet'?"),
        ({"line": "algorithm=dqn:tensorboard_log=x"}, "is not set on the page"),
        ({"line": "opponents=py:x.py:X"}, "not among this server's players"),
        ({"line": "anchors=uci:sh"}, "not among this server's players"),
        ({"changes": {"opponents": "minimax:depth=99"}}, "at most 12"),
        ({"game": "gym:os:Env-v0"}, "none of the games behind the door"),
        ({"steps": 0}, "say how long to train"),
        ({"minutes": 5.0}, "say how long to train"),
        ({"steps": 0, "minutes": 1e9}, "at most 10,080 minutes"),
        ({"runners": 4000}, "runners: this machine has"),
        ({"seed": -1}, "a seed is a number"),
    ],
)
def test_what_is_not_for_a_browser_to_say_is_refused(wrong: dict[str, Any], says: str, tmp_path: Path) -> None:
    runs = Runs(Roster(runs=tmp_path / "runs"), settled)
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        runs.begin(replace(GOOD, **wrong))
    assert not runs.folder.exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../out", "a/b", "/tmp/x", "a b", "x" * 65, "first\n", "é"])
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    runs = Runs(Roster(runs=tmp_path / "runs"), settled)
    with pytest.raises(UsageError, match="letters, digits, hyphens and underscores"):
        runs.begin(replace(GOOD, name=name))
    assert runs.status(name) is None and list(tmp_path.iterdir()) == []


def test_states_are_told_by_the_folders(tmp_path: Path) -> None:
    runs = Runs(Roster(runs=tmp_path), settled)
    fake_run(tmp_path / "done", [200, 400], 400)
    fake_run(tmp_path / "stopped", [200], 200)
    fake_run(tmp_path / "killed", [200, 300], 200)
    (fake_run(tmp_path / "failed", [100], None) / LOG).write_text(
        "tictactoe  25%\nlanista: weights became no numbers\n"
    )
    fake_run(tmp_path / "damaged", [100], 100)
    (tmp_path / "damaged" / "config.toml").write_text("game = [")
    (tmp_path / "no run").mkdir()
    states = {each.name: each.state for each in runs.overview()}
    assert states == {"done": "done", "stopped": "stopped", "killed": "died", "failed": "died", "damaged": "damaged"}
    for name, words in (("killed", "its process was killed"), ("failed", "weights became no numbers")):
        found = runs.status(name)
        assert found is not None and found.words == words
    (tmp_path / "stopped" / LOCK).write_text("1")  # a kill leaves it
    assert (found := runs.status("stopped")) is not None and found.state == "died"
    with held_folder(tmp_path / "stopped", "run"):
        found = runs.status("stopped")
        assert found is not None and found.state == "running" and found.seconds_left == pytest.approx(20)
        assert runs.overview()[0].name == "stopped"
        with pytest.raises(UsageError, match="is running"):
            runs.resume("stopped")
        with pytest.raises(UsageError, match="no lanista train"):
            runs.stop("stopped")  # it is this test that holds it
    with pytest.raises(UsageError, match="does not go on"):
        runs.stop("stopped")
    with pytest.raises(UsageError, match="say how many minutes more"):
        runs.resume("done")
    with pytest.raises(UsageError, match="no checkpoint to go on from"):
        runs.resume("failed")
    with pytest.raises(UsageError, match="is not here"):
        runs.resume("../stopped")


def test_two_runs_go_on_at_once_and_no_third(tmp_path: Path) -> None:
    runs = Runs(Roster(runs=tmp_path), settled)
    one, two = (fake_run(tmp_path / name, [100], 100) for name in ("one", "two"))
    fake_run(tmp_path / "three", [100], 100)
    with held_folder(one, "run"), held_folder(two, "run"):
        with pytest.raises(UsageError, match="one and two go on already, and this machine has"):
            runs.begin(GOOD)
        with pytest.raises(UsageError, match="one and two go on already, and this machine has"):
            runs.resume("three")
    assert not (tmp_path / "first").exists()
    with pytest.raises(UsageError, match="there is a run 'one' already"):
        runs.begin(replace(GOOD, name="one"))


def test_a_lock_names_its_holder(tmp_path: Path) -> None:
    import os

    assert holder(tmp_path) is None
    (tmp_path / LOCK).write_text("123456789")  # of one that was killed
    assert holder(tmp_path) is None
    with held_folder(tmp_path, "run"):
        assert holder(tmp_path) == os.getpid()
    assert holder(tmp_path) is None
    assert not _trains(os.getpid()) and not _trains(2**22 + 1)


def test_a_growing_curve_is_read_on_and_a_new_one_anew(tmp_path: Path) -> None:
    rows, path = GrowingRows(tmp_path), tmp_path / "metrics.jsonl"
    assert rows.read() == []
    path.write_text('{"steps": 1, "seconds": 1}\n{"steps": 2, "sec')
    assert [row["steps"] for row in rows.read()] == [1]
    with path.open("a") as file:
        file.write('onds": 2}\n{"steps": 3, "seconds": 3}')
        file.flush()
        assert [row["steps"] for row in rows.read()] == [1, 2]
        file.write("\n")
    assert [row["steps"] for row in rows.read()] == [1, 2, 3]
    (tmp_path / "new").write_text('{"steps": 1, "seconds": 1}\n{"steps": 9, "seconds": 9}\n')
    (tmp_path / "new").replace(path)
    assert [row["steps"] for row in rows.read()] == [1, 9]
    with path.open("a") as file:
        file.write('rubbish\n{"steps": 3, "seconds": 3}\n')
    with pytest.raises(UsageError, match=r"line 3 of .* is damaged"):
        rows.read()


def test_checkpoints_are_opponents_and_nothing_beside_them(tmp_path: Path) -> None:
    roster = Roster(runs=tmp_path)
    spec = roster.check_game("tictactoe")
    folder = fake_run(tmp_path / "first", [200], 200)
    good = (folder / "checkpoints" / "200").as_posix()
    for name in (good, f"{good}?temperature=0.5"):
        assert roster.check_contestant(name, "tictactoe", spec) == name
    assert [each.contestant for each in Runs(roster).checkpoints("first")] == [good]
    bad = [good.replace("200", "201"), good.replace("first", "../x/first"), f"{good}/..", f"{good}?path=/etc",
           good.replace("/first", "/./first"), f"{SHIPPED}/checkpoints/1", f"{good}²"]  # fmt: skip
    for name in bad:
        with pytest.raises(UsageError):
            roster.check_contestant(name, "tictactoe", spec)
    with pytest.raises(UsageError):  # of another game
        roster.check_contestant(good, "connect_four", roster.check_game("connect_four"))


def test_an_agent_that_trained_on_is_loaded_again(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    shutil.copytree(SHIPPED / "tictactoe", folder)
    minds = Minds()
    try:
        minds.warm_up(str(folder), "tictactoe")
        first = minds._workers[str(folder), "tictactoe"]
        minds.warm_up(str(folder), "tictactoe")
        assert minds._workers[str(folder), "tictactoe"] is first
        text = (folder / "agent.json").read_text()
        (folder / "new").write_text(text)
        (folder / "new").replace(folder / "agent.json")
        assert written(str(folder)) != first.written
        minds.warm_up(str(folder), "tictactoe")
        assert minds._workers[str(folder), "tictactoe"] is not first
    finally:
        minds.close()


def test_curves_are_grouped_thinned_and_have_their_intervals() -> None:
    pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")
    from lanista.arena.play.views.curves import MOST_POINTS, charts, options

    rows = [
        {"steps": float(n), "seconds": n / 10, "updates": float(n), "entropy": 2.0, "score/random": 0.5 + n / 2000,
         "score/minimax:depth=1": 0.2, "rating": float(n), "rating_low": n - 5.0, "rating_high": n + 7.0}
        for n in range(1000)
    ]  # fmt: skip
    rows.append({"steps": 1000.0, "seconds": 100.0, "updates": 1000.0, "entropy": 1.5, "clip_fraction": 0.1})
    found = charts(rows)
    assert [chart.name for chart in found] == ["rating", "score", "entropy", "clip_fraction"]
    assert [curve.label for curve in found[1].curves] == ["random", "minimax:depth=1"]
    points = found[0].curves[0].points
    assert len(points) <= MOST_POINTS + 1 and points[-1] == (999.0, 999.0, 994.0, 1006.0)
    assert found[2].said == "Entropy, nats; at the end entropy: 1.5"
    drawn = options(found[0])["series"]
    assert [line["data"][-1] for line in drawn] == [[999.0, 994.0], [999.0, 12.0], [999.0, 999.0]]
    levels = [{"steps": float(n), "seconds": n / 10, "games": 60.0, "success": float(n == 3)} for n in range(5)]
    (chart,) = (chart for chart in charts(levels) if chart.name == "success")
    assert chart.first and [value for _, value, _, _ in chart.curves[0].points] == [0, 0, 0, 0.5, 0.5]


def run_page(tmp_path: Path, work: Callable[[Any, House], Awaitable[None]]) -> None:
    """Let NiceGUI's simulated user loose on a house that can begin runs."""
    pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")
    from simulated_user import run

    run(tmp_path, work, roster=Roster(runs=tmp_path / "runs"), settle=settled)


def test_the_form_says_what_is_wrong_and_begins_nothing(tmp_path: Path) -> None:
    async def work(user: Any, house: House) -> None:
        from lanista.arena.play.views.controls import Button, Field

        await user.open("/train?game=tictactoe")
        fields = {each._props["aria-label"]: each for each in user.find(Field).elements}
        assert fields["Name of the run"].text == "tictactoe"
        for name, text, said in (
            ("Name of the run", "../x", "letters, digits, hyphens"), ("Seed", "-3", "Seed is a number"),
            ("Minutes or steps", "soon", "the minutes are a number above 0, not 'soon'"),
            ("Other settings", "gama=1", "did you mean 'gamma'?"),
        ):  # fmt: skip
            before, fields[name].text = fields[name].text, text
            user.find(kind=Button, content="Train").click()
            await user.should_see(said, retries=50)
            fields[name].text = before
        assert not house.runs.folder.exists()

    run_page(tmp_path, work)


def test_a_runs_page_has_what_fits_its_state(tmp_path: Path) -> None:
    async def work(user: Any, house: House) -> None:
        fake_run(house.runs.folder / "first", [200], 200)
        await user.open("/train/first")
        await user.should_see("Stopped")
        await user.should_see("200 steps · 0:20 of training")
        await user.should_see("Resume")
        await user.should_not_see("Train on")
        fake_run(house.runs.folder / "second", [200, 300], None)
        await user.open("/train/second")
        await user.should_see("Died: its process was killed")
        await user.should_not_see("Resume")
        await user.open("/train/nothing")
        await user.should_see("This run is not here")
        contestant = (house.runs.folder / "first" / "checkpoints" / "200").as_posix()
        await user.open(f"/?game=tictactoe&against={contestant}")
        await user.should_see("One of your runs, after 200 steps")

    run_page(tmp_path, work)
