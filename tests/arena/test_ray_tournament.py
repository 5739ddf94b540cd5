"""A tournament on a Ray cluster of two nodes: the same games, also when workers die; what cannot be sent is named."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray

from lanista import Choice
from lanista.agents.adjudication import Adjudication
from lanista.agents.contestant import SHIPPED, load_agent
from lanista.arena.ray_play import RayPlayer, _make, sent
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.arena.verification import verify
from lanista.cli.main import main
from lanista.envs.core import Agent, Array, Turn, agent_name
from lanista.errors import UsageError

OF_THEIR_TIME = ("stored_at", "session", "values", "seconds")


def told(db: Path) -> list[dict[str, Any]]:
    """All that a store tells of its games, but for when they were played."""
    with Store(db, write=False) as store:
        assert verify(store).true
        return [{k: v for k, v in vars(game).items() if k not in OF_THEIR_TIME} for game in store.games()]


class Where:
    """Plays its first legal move, a little slowly, and leaves a file named after its node and process."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        node = ray.get_runtime_context().get_node_id() if ray.is_initialized() else "here"
        (self.folder / f"{node}-{os.getpid()}").touch()
        time.sleep(0.02)
        assert turn.legal is not None
        return Choice(turn.legal.argmax(axis=1))


@pytest.mark.slow
def test_two_nodes_play_what_one_process_plays(cluster: str, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    who: list[str | Agent] = ["minimax:depth=2", "random", Where(seen, "mine")]
    rows = {}
    for way, player in (("here", None), ("there", RayPlayer(cluster))):
        db = tmp_path / f"{way}.sqlite"
        table = tournament("tictactoe", who, games=16, db=db, seed=5, player=player)
        rows[way] = table.to_json()
        assert not ray.is_initialized(), "the cluster was left"
    assert told(tmp_path / "there.sqlite") == told(tmp_path / "here.sqlite") and rows["there"] == rows["here"]
    nodes = {path.name.partition("-")[0] for path in seen.iterdir()} - {"here"}
    assert len(nodes) == 2, "both nodes played"


@pytest.mark.faults
def test_what_a_dead_worker_had_in_hand_is_played_again(cluster: str, tmp_path: Path) -> None:
    seen, killed = tmp_path / "seen", []
    seen.mkdir()

    def kill_the_first() -> None:
        while not (found := list(seen.iterdir())):
            time.sleep(0.02)
        killed.append(int(found[0].name.partition("-")[2]))
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill_the_first)
    thread.start()
    who: list[str | Agent] = [Where(seen, "one"), Where(seen, "two"), "random"]
    tournament("tictactoe", who, games=24, db=tmp_path / "t.sqlite", player=RayPlayer(cluster))
    thread.join()
    workers = {int(path.name.partition("-")[2]) for path in seen.iterdir()}
    assert killed and len(workers) >= 2
    (tmp_path / "again").mkdir()
    whole: list[str | Agent] = [Where(tmp_path / "again", "one"), Where(tmp_path / "again", "two"), "random"]
    tournament("tictactoe", whole, games=24, db=tmp_path / "here.sqlite")
    assert told(tmp_path / "t.sqlite") == told(tmp_path / "here.sqlite")


@pytest.mark.slow
def test_trained_agents_are_sent_with_their_files(cluster: str, tmp_path: Path) -> None:
    agent = tmp_path / "agent"
    agent.symlink_to(SHIPPED / "tictactoe")
    who = [str(agent), f"{agent}?temperature=0.5", "random"]
    table = tournament("tictactoe", who, games=8, db=tmp_path / "t.sqlite", player=RayPlayer(cluster))
    assert len(told(tmp_path / "t.sqlite")) == 24 and {row.name for row in table.rows} == set(who)
    assert not sum(row.faults for row in table.rows)


class Deadly:
    """Takes its process along."""

    name = "deadly"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


@pytest.mark.faults
def test_games_that_kill_every_worker_end_it_with_a_sentence(cluster: str) -> None:
    with pytest.raises(RuntimeError, match=r"4 workers of the Ray cluster died .* the same command goes on"):
        tournament("tictactoe", [Deadly(), "random"], games=2, player=RayPlayer(cluster))
    assert not ray.is_initialized()


class Unsendable:
    """Holds what no other process can have."""

    name = "unsendable"

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        return Choice(np.zeros(len(turn), np.int64))


def test_an_agent_that_is_another_one_for_a_worker_is_not_taken() -> None:
    assert agent_name(_make(sent(load_agent("first-legal")))) == "first-legal"
    with pytest.raises(UsageError, match="'random' is another one there than here: its files differ"):
        _make(replace(sent(load_agent("random")), digest="0" * 64))


def test_an_object_that_cannot_be_sent_is_named_before_any_cluster_is_joined() -> None:
    with pytest.raises(UsageError, match=r"'unsendable' cannot be sent to Ray's workers .*py:FILE\.py:CLASS"):
        tournament("tictactoe", [Unsendable(), "random"], games=2, player=RayPlayer("127.0.0.1:1"))


@pytest.mark.slow
def test_an_agent_that_is_not_there_for_the_workers_is_named(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lanista.arena import ray_play

    known = ray_play.sent

    def another(agent: Any) -> ray_play.Sent:
        found = known(agent)
        return ray_play.Sent(found.name, "0" * 64) if found.name == "random" else found

    monkeypatch.setattr(ray_play, "sent", another)
    with pytest.raises(UsageError, match="on a worker of the Ray cluster: 'random' is another one there than here"):
        tournament("tictactoe", ["random", "first-legal"], games=2, player=RayPlayer(cluster))


@pytest.mark.slow
def test_clocks_adjudication_and_positions_reach_the_workers(cluster: str, tmp_path: Path) -> None:
    book = tmp_path / "book.epd"
    book.write_text("8/5k2/8/8/3R4/8/5K2/8 w - - 0 1\nr3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1\n")
    for way, player in (("here", None), ("there", RayPlayer(cluster))):
        tournament(
            "chess", ["random", "first-legal"], games=4, db=tmp_path / f"{way}.sqlite", openings=book, seed=5,
            time_control="60+1", adjudication=Adjudication(most_plies=12), player=player,
        )  # fmt: skip
    assert told(tmp_path / "there.sqlite") == told(tmp_path / "here.sqlite")
    with Store(tmp_path / "there.sqlite", write=False) as store:
        games = list(store.games())
    assert {game.position for game in games} == set(book.read_text().splitlines())
    assert "adjudicated: length" in {game.reason for game in games} and all(game.seconds for game in games)


@pytest.mark.thorough
def test_the_command_joins_a_cluster_and_refuses_an_address_without_ray(
    cluster: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["tournament", "--game", "tictactoe", "random", "first-legal", "--games", "4", "--opening-plies", "0"]
    db = tmp_path / "t.sqlite"
    rules = ["--time-control", "60+1", "--max-plies", "4", "--db", str(db)]
    assert main([*words, *rules, "--ray", "--address", cluster]) == 0
    assert "random" in capsys.readouterr().out
    assert [game["reason"] for game in told(db)] == ["adjudicated: length"] * 4
    with Store(db, write=False) as store:
        assert all(len(game.seconds) == 5 and len(game.moves) == 4 for game in store.games())
    assert main([*words, "--address", cluster]) == 2
    assert "add --ray" in capsys.readouterr().err
    assert main([*words, "--ray", "--address", "127.0.0.1:1"]) == 2
    assert "no Ray cluster answers" in capsys.readouterr().err
