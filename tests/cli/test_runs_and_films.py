"""What people see of runs: their list, their curves, a run that is seated while it trains, films of episodes."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import lanista
from lanista.agents.artifact import load_network, save_agent
from lanista.agents.run_records import read_record, values_of
from lanista.cli.main import main
from lanista.envs import make
from lanista.errors import UsageError
from lanista.files import held_folder, is_held
from lanista.training.curves import mean_and_spread, metrics_of, read_groups
from lanista.training.run import Progress, create_run, train
from lanista.training.settings import new_network, read_settings

SMALL = {"copies": 64, "plies": 8, "minibatch_size": 256, "encoder": "mlp:dim=16", "precision": "float32",
         "threads": 1, "measurements": 2, "anchor_pairs": 4, "checkpoints": 3}  # fmt: skip


def fake_run(folder: Path, seed: int, scores: list[float], steps: int = 400, **more: object) -> Path:
    (folder / "checkpoints" / "1" / "resume").mkdir(parents=True)
    (folder / "checkpoints" / "1" / "resume" / "state.json").write_text("{}")
    values = {"game": "tictactoe", "seed": seed, "steps": steps, **more}
    (folder / "config.toml").write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    rows = [
        {"steps": 100 * n, "seconds": 60.0 * n, "steps_a_second": 9.0, "entropy": 1.0, "score/random": score}
        for n, score in enumerate(scores, 1)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_a_run_plays_a_tournament_while_it_trains(tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", read_settings("tictactoe", changes=SMALL | {"steps": 6 * 512}))
    seen: list[tuple[str, int]] = []

    def seat(progress: Progress) -> None:
        if (run.folder / "agent" / "agent.json").exists():
            table = lanista.tournament("tictactoe", [str(run.folder), "random"], games=4)
            seen.append((read_record(run.folder).state, len(table.rows)))

    train(run, report=seat)
    assert seen and set(seen) == {("running", 2)}
    assert read_record(run.folder).state == "done"


def test_an_agent_read_while_it_is_refreshed_is_an_old_or_a_new_one_whole(tmp_path: Path) -> None:
    settings = read_settings("tictactoe", changes=SMALL)
    network = new_network(make("tictactoe").spec, settings)

    def save(value: float) -> None:
        with torch.no_grad():
            for weight in network.parameters():
                weight.fill_(value)
        save_agent(tmp_path, network, "tictactoe", "float32", {"steps": int(value)})

    save(0)
    stop = threading.Event()

    def refresh() -> None:
        for value in range(1, 10_000):
            if stop.is_set():
                return
            save(float(value))

    writer = threading.Thread(target=refresh)
    writer.start()
    try:
        found = set()
        for _ in range(60):
            values = torch.unique(
                torch.cat([weight.detach().flatten() for weight in load_network(tmp_path)[0].parameters()])
            )
            assert len(values) == 1
            found.add(float(values))
    finally:
        stop.set()
        writer.join()
    assert len(found) > 1  # else nothing was refreshed meanwhile


def test_states_are_told_by_the_lock_and_the_checkpoints(tmp_path: Path) -> None:
    done = fake_run(tmp_path / "done", 0, [0.5, 0.9, 0.7, 0.8])
    stopped = fake_run(tmp_path / "stopped", 1, [0.5, 0.6])
    with held_folder(stopped, "run"):
        assert is_held(stopped) and read_record(stopped).state == "running"
        with pytest.raises(UsageError, match="going on in another process"), held_folder(stopped, "run"):
            pass
    (stopped / "running.lock").touch()  # a kill leaves it
    assert read_record(stopped).state == "stopped, resumable" and read_record(stopped).share == 0.5
    record = read_record(done)
    assert record.state == "done" and record.best == {"score/random": 0.9} and record.last == {"score/random": 0.8}


def test_a_rating_is_listed_first_and_drawn_with_its_interval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fake_run(tmp_path / "rated", 0, [0.5, 0.9, 0.8])
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for row, rating in zip(rows, (0.0, 412.3, 398.6), strict=True):
        row |= {"rating": rating, "rating_low": rating - 50, "rating_high": rating + 90}
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["runs", str(folder)]) == 0
    assert "+412 (+399) Elo, 90.0% (80.0%) random" in " ".join(capsys.readouterr().out.split())
    _, groups = read_groups([folder])
    assert metrics_of(groups, ()) == ["score/random", "rating"]
    out = tmp_path / "curves.svg"
    assert main(["plot", str(folder), "--out", str(out)]) == 0 and "<svg" in out.read_text()


def test_damaged_folders_are_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake_run(tmp_path / "no_toml", 0, [0.5])
    (tmp_path / "no_toml" / "config.toml").write_text("game = [")
    cut = fake_run(tmp_path / "cut", 0, [0.5, 0.6])
    (cut / "metrics.jsonl").write_text("rubbish\n" + (cut / "metrics.jsonl").read_text())
    half = fake_run(tmp_path / "half", 0, [0.5, 0.6])
    with (half / "metrics.jsonl").open("a") as file:
        file.write('{"steps": 3')  # being written
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "pretrain.json").write_text('{"task": "pictures"}')
    (tmp_path / "encoder" / "checkpoint.safetensors").write_bytes(b"\xff" * 20)
    assert main(["runs", str(tmp_path), "--json"]) == 0
    rows = {Path(row["folder"]).name: row for row in json.loads(capsys.readouterr().out)}
    assert {name: row["state"] for name, row in rows.items()} == {
        "no_toml": "broken", "cut": "broken", "half": "stopped, resumable", "encoder": "broken"
    }  # fmt: skip
    assert "TOML" in rows["no_toml"]["error"] and "line 1" in rows["cut"]["error"]
    assert main(["runs", str(tmp_path)]) == 0
    assert main(["runs", str(tmp_path / "nothing")]) == 2


def test_seeds_are_one_line_with_a_band_and_others_are_named(tmp_path: Path) -> None:
    folders = [
        fake_run(tmp_path / "a", 0, [0.2, 0.4]),
        fake_run(tmp_path / "b", 1, [0.4, 0.8]),
        fake_run(tmp_path / "c", 0, [0.1, 0.3], learning_rate=0.1),
    ]
    game, groups = read_groups(folders)
    assert game == "tictactoe"
    assert [group.label for group in groups] == ["learning_rate=default (2 seeds)", "learning_rate=0.1"]
    assert metrics_of(groups, ()) == ["score/random"]
    where, mean, low, high = mean_and_spread(groups[0], "score/random", "minutes")
    assert where.tolist() == [1, 2] and mean == pytest.approx([0.3, 0.6])
    assert low.tolist() == [0.2, 0.4] and high.tolist() == [0.4, 0.8]
    out = tmp_path / "curves.svg"
    assert main(["plot", *map(str, folders), "--out", str(out), "--metrics", "entropy"]) == 0
    assert "<svg" in out.read_text()
    with pytest.raises(UsageError, match="did you mean 'entropy'"):
        metrics_of(groups, ["entrpy"])


def test_returns_are_means_of_the_last_hundred_games_and_of_whole_updates() -> None:
    rng = np.random.default_rng(0)
    counts = [3, 1, 40, 90, 7, 250, 1, 2, 99]
    returns = [rng.integers(-21, 22, count) for count in counts]
    rows = [{"games": float(len(some)), "success": some.mean()} for some in returns]
    for at, mean in enumerate(values_of(rows, "success")):
        first = at
        while first and sum(counts[first : at + 1]) < 100:
            first -= 1
        assert mean == pytest.approx(np.concatenate(returns[first : at + 1]).mean())


def test_films_of_boards_and_of_frames(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("resvg_py")
    out = tmp_path / "game.gif"
    assert main(["record", "first-legal", "--game", "tictactoe", "--out", str(out)]) == 0
    with image.open(out) as film:
        assert film.n_frames == 8  # the start, and the seven moves after which the first player has a diagonal
    assert main(["record", "random", "random", "random", "--game", "tictactoe", "--out", str(out)]) == 2
    assert main(["record", "random", "--game", "tictactoe", "--out", str(tmp_path / "game.avi")]) == 2
    pytest.importorskip("imageio_ffmpeg")
    film = tmp_path / "game.mp4"
    assert main(["record", "random", "--game", "tictactoe", "--out", str(film)]) == 0
    assert film.read_bytes()[4:8] == b"ftyp"


def test_an_encoder_that_is_done_tells_what_it_reached(tmp_path: Path) -> None:
    import shutil

    from lanista.agents.run_records import DONE, read_record
    from lanista.perception.pretrained import SHIPPED

    folder = tmp_path / "intents"
    shutil.copytree(SHIPPED / "intents", folder)
    (folder / "pretrain.json").write_text('{"task": "intents"}')
    training = json.loads((folder / "encoder.json").read_text())["training"]
    record = read_record(folder)
    assert (record.kind, record.state, record.about) == ("pretraining", DONE, "intents")
    assert (record.steps, record.seconds) == (training["epochs"], training["seconds"])
    assert record.best == {training["measure"]: training["valid"]}
