"""The bench's rows: their sides do the same work, and what is told of them follows from the figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lanista.bench.claims import Claim
from lanista.bench.race import Lane, Plan, Side, Slice, race
from lanista.bench.results import Row
from lanista.cli.main import main
from lanista.errors import UsageError

STEPPING = Side("ours", "lanista.bench.ours.stepping", {"game": "connect_four", "copies": 64}, packages=("numpy",))


@pytest.fixture
def plan() -> Plan:
    return Plan(rounds=3, seconds=0.05, core=max(os.sched_getaffinity(0)), quick=True, report=lambda text: None)


def test_doors_and_bare_environments_count_moves_and_not_beginnings() -> None:
    from lanista.bench.drawn_actions import PLIES
    from lanista.bench.ours import doors
    from lanista.bench.peers import vector_stepping

    for work in (doors.begin("gym:CartPole-v1", 16), vector_stepping.begin("gymnasium", "CartPole-v1", 16)):
        moves = work(1e-4)["steps"]  # one round: it takes far longer
        assert 0.9 * PLIES * 16 < moves < PLIES * 16, "a game of some 22 moves takes one step more to begin anew"


def test_every_pair_of_doors_names_a_door_and_a_library() -> None:
    from lanista.bench.environments import REQUIREMENTS
    from lanista.bench.rows.doors import PACKAGES, PAIRS, QUICK, sides
    from lanista.envs import doors

    assert {pair.game.partition(":")[0] for pair in PAIRS} <= set(doors())
    assert set(QUICK) <= {pair.game for pair in PAIRS}
    required = {requirement.partition("==")[0] for requirement in REQUIREMENTS["doors"]}
    assert required >= set(PACKAGES.values()) | {"numba", "numpy"}
    names = [side.name for pair in PAIRS for side in sides(pair)]
    assert len(names) == len(set(names))


def test_games_tell_of_each_library_where_it_comes_nearest(plan: Plan) -> None:
    from lanista.bench.pictures import panels_of
    from lanista.bench.results import as_json, machine
    from lanista.bench.rows.games import verdicts_of
    from lanista.bench.summary import summary

    def lanes(game: str, **rates: float) -> list[Lane]:
        sides = {name: Side(f"{game}, {name}", "lanista.bench.ours.stepping") for name in rates}
        return [Lane(sides[name], [Slice(rate, 1.0, 1.0)] * 3) for name, rate in rates.items()]

    raced = [lanes("hex", Lanista=8, OpenSpiel=2, pgx=1), lanes("go:size=9", Lanista=6, OpenSpiel=3)]
    found = verdicts_of(raced)
    assert [(each.claim.text, each.met) for each in found if not each.claim.detail] == [
        ("times OpenSpiel, the least of 2 games: go:size=9", False),
        ("times pgx, the least of 1 game: hex", True),
    ]
    raced[0][1].trouble = "it was not there"
    (spiel, _, *details) = verdicts_of(raced)
    assert spiel.found is None and "it was not there" in str(spiel.trouble) and len(details) == 5
    row = Row("games", "", "steps", found, [lane for some in raced for lane in some])
    short = summary(as_json([row], machine(plan))["rows"], Path("README.md"), None)
    assert short.count("the least of") == 2 and "times hex, pgx" not in short
    assert [bar.name for bar in panels_of(row)["ratio"]] == [each.claim.text for each in found if not each.claim.detail]


@pytest.mark.thorough
def test_the_bound_learns_with_the_network_of_ours(plan: Plan) -> None:
    from lanista.agents.policy_network import build_network
    from lanista.bench.peers.board_network import BoardNetwork
    from lanista.bench.rows.training import NETWORK, peers, settings
    from lanista.envs import make

    ours = build_network(make("connect_four").spec, settings(16, "float32")["encoder"])
    theirs = BoardNetwork((2, 6, 7), 7, **NETWORK)
    assert sorted(p.shape for p in ours.parameters()) == sorted(p.shape for p in theirs.parameters())
    (bound,) = race([peers(16)[0]], replace(plan, rounds=1))
    assert bound.trouble is None and bound.slices[0].steps % (16 * 16) == 0


def test_all_learn_cartpole_with_the_same_network_and_numbers() -> None:
    from lanista.bench.peers import cleanrl_control, sb3_control, torch_control
    from lanista.bench.rows.control import BOUND, CLEANRL, SB3, sides
    from lanista.envs import make
    from lanista.training.settings import new_network, settings_from

    by_name = {side.name: side for side in sides()}
    settings = settings_from(sides()[0].options)
    network = new_network(make(settings.game).spec, settings)
    sizes = sorted(tuple(parameter.shape) for parameter in network.parameters())
    bound = [*torch_control.trunk(2).parameters(), *torch_control.trunk(1).parameters()]
    theirs = cleanrl_control.Actor(torch.nn.ReLU)
    assert sizes == sorted(tuple(p.shape) for p in bound) == sorted(tuple(p.shape) for p in theirs.parameters())
    rows = settings.copies * settings.plies
    for name, module in ((BOUND, torch_control), (SB3, sb3_control), (CLEANRL, cleanrl_control)):
        options = by_name[name].options
        assert options == by_name[BOUND].options
        steps = module.begin(**options)(0.02)["steps"]
        assert steps > 0 and steps % rows == 0


@pytest.mark.thorough
def test_solving_counts_the_last_hundred_training_episodes() -> None:
    from lanista.bench.ours import solving
    from lanista.bench.peers import cleanrl_control
    from lanista.bench.rows.solving import CLEANRL_DEFAULTS, told
    from lanista.bench.solved import is_solved

    assert not is_solved([500.0] * 99) and is_solved([1.0] * 50 + [475.0] * 100) and not is_solved([1.0] + [479.0] * 99)
    runs = [solving.begin("gym:CartPole-v1")(0.05), cleanrl_control.begin(**CLEANRL_DEFAULTS)(0.05)]
    for run in runs:
        assert run["steps"] == 1.0 and run["solved"] == 0.0 and run["environment_steps"] > 0
    pieces = [Slice(1.0, 2.0, 2.0, {"solved": 1.0, "environment_steps": 5000.0}), Slice(1.0, 3.0, 3.0, runs[0])]
    assert "1 of 2 runs got there; 2.0, 3.0 s, 5,000, " in told([Lane(STEPPING, pieces)])[0]


@pytest.mark.slow
def test_rllib_solves_within_its_time() -> None:
    """In a process of its own, as in a race: that it hears of its episodes is what ends it."""
    words = [
        sys.executable,
        "-m",
        "lanista.bench.worker",
        "lanista.bench.peers.rllib_solving",
        '{"envs": 8}',
        '["ray"]',
    ]
    done = subprocess.run(words, input='{"run": 0.1}\n', capture_output=True, text=True, timeout=120)
    ready, told = map(json.loads, done.stdout.splitlines())
    assert ready["ready"] and told["solved"] == 0.0 and told["environment_steps"] >= 2000


def test_atari_is_learned_by_the_same_network() -> None:
    from lanista.bench.peers.atari_network import AtariNetwork
    from lanista.bench.rows.atari_training import DIM, FLOAT32, settings, sides
    from lanista.envs import make
    from lanista.training.settings import new_network, settings_from

    ours = settings_from(settings(4, "float32"))
    spec = make(ours.game).spec
    network, theirs = new_network(spec, ours), AtariNetwork(spec.roles[0].action.n, DIM)  # type: ignore[attr-defined]
    assert sorted(p.shape for p in network.parameters()) == sorted(p.shape for p in theirs.parameters())
    logits, values = theirs(torch.zeros(2, 4, 84, 84, dtype=torch.uint8))
    assert logits.shape == (2, spec.roles[0].action.n) and values.shape == (2,)  # type: ignore[attr-defined]
    assert sides(4, False)[0].name == FLOAT32 and len(sides(4, True)) == 4


def test_runners_are_compared_by_the_clock(plan: Plan) -> None:
    from lanista.bench.rows.runners import judged, sides

    one, many = (Lane(side, [Slice(100.0, 1.0, 1.0)] * 3) for side in sides(2, 64))
    many.slices = [Slice(180.0, 2.0, 1.0)] * 3
    verdict = judged(Claim("of 2 times one", "all runners", "one runner", least=0.85), [one, many], 2)
    assert verdict.found is not None and verdict.found.median == pytest.approx(0.9) and verdict.met is True
    assert [side.cores for side in sides(2, 64)] == [1, 2]


def test_strength_of_a_run_has_a_curve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lanista.agents.artifact import save_agent
    from lanista.agents.policy_network import build_network
    from lanista.envs import make
    from lanista.training.run import create_run
    from lanista.training.settings import read_settings

    run = create_run(tmp_path / "run", read_settings("connect_four", None, {"steps": 200}))
    network = build_network(make("connect_four").spec, "mlp")
    for folder, steps in ((run.folder / "checkpoints" / "100", 100), (run.folder / "agent", 200)):
        save_agent(folder, network, "connect_four", "float32", {"steps": steps, "seconds": 0.6 * steps})
    results, plots = tmp_path / "strength.json", tmp_path / "pictures"
    words = ["bench", "strength", "--agent", str(run.folder), "--quick", "--json", str(results), "--plots", str(plots)]
    assert main(words) == 0
    (row,) = json.loads(results.read_text())["rows"]
    assert [verdict["claim"]["against"] for verdict in row["verdicts"]][:2] == ["random", "minimax:depth=1"]
    assert all(0 <= v["found"]["low"] <= v["found"]["median"] <= v["found"]["high"] <= 1 for v in row["verdicts"])
    assert row["table"][0]["steps"] == 100 and row["table"][0]["minutes"] == 1.0
    assert "<!-- minutes of training (100 moves in all) -->" in (plots / "strength.svg").read_text()
    assert "| points against random |" in capsys.readouterr().out


@pytest.mark.thorough
def test_goals_of_pretraining_are_judged_over_the_seeds(plan: Plan, tmp_path: Path) -> None:
    from lanista.bench.rows.perception import Goal, judged, rows_of, run_of

    task = "pictures:data=digits,most=300"
    runs = [run_of(task, seed, tmp_path, plan) for seed in (0, 1)]
    again = run_of(task, 0, tmp_path, plan)
    assert again == runs[0], "a run that is done is not trained again"
    scores = [run["tests"]["test"]["accuracy"] for run in runs]
    more_than = [run["tests"]["test"]["accuracy"] - run["baseline"]["scores"]["test"]["accuracy"] for run in runs]
    plain, more = judged(Goal(task, "test", least=max(scores) + 0.01, above=-1.0), runs)
    assert plain.found is not None and more.found is not None
    assert plain.met is False and plain.found.low == min(scores) and plain.found.high == max(scores)
    assert more.met is True and more.found.median == pytest.approx(np.mean(more_than))
    lines = rows_of(task, runs)
    assert {line["measure"] for line in lines} == {"accuracy", "macro f1"} and lines[0]["tested on"] > 50


def test_every_goal_of_pretraining_names_a_task() -> None:
    from lanista.bench.rows.perception import GOALS
    from lanista.perception.task import make_task

    for goal in GOALS:
        assert make_task(goal.task).name == goal.task.partition(":")[0]


def test_what_is_said_somewhere_can_be_played_there() -> None:
    from lanista.arena.play.spoken import grammar
    from lanista.arena.play.table import Start, Table
    from lanista.bench.rows.voice import GAMES, kind_of, said_somewhere, share

    chance = np.random.default_rng(0)
    for game in GAMES:
        table = Table(Start(game, 0))
        for _ in range(5):
            phrase, moves = said_somewhere(table, chance)
            table.go_to(moves)
            assert grammar(table, table.movers()[0], ())[phrase].action in table.legal(table.movers()[0])
    assert [kind_of(phrase) for phrase in ("column two", "d four", "delta four", "four")] == [
        "column", "letters", *["numbers and the phonetic alphabet"] * 2
    ]  # fmt: skip
    whole = share(20, 20)
    assert whole.median == 1 and 0.8 < whole.low < 0.9 and whole.high == 1


def test_ways_to_show_a_level_are_games_and_can_be_chosen(plan: Plan, tmp_path: Path) -> None:
    from lanista.agents.role_networks import the_only
    from lanista.bench.rows import transfer
    from lanista.envs import make
    from lanista.training.settings import new_networks, read_settings

    pytest.importorskip("minigrid")
    plan = replace(plan, quick=False, encoders=tmp_path)
    assert transfer.chosen(plan) == (transfer.LEVELS, transfer.WAYS)
    assert transfer.chosen(replace(plan, quick=True))[0] == transfer.QUICK_LEVELS
    some = replace(plan, levels=("GoToObj",), ways=("pixels, pretrained and tuned", "text"))
    assert transfer.chosen(some) == (("GoToObj",), [transfer.PIXELS_TUNED, transfer.TEXT])
    with pytest.raises(UsageError, match="did you mean 'pixels, pretrained and frozen'"):
        transfer.chosen(replace(plan, ways=("pixels, pretrained and froze",)))
    with pytest.raises(UsageError, match="did you mean 'GoToLocal'"):
        transfer.chosen(replace(plan, levels=("GoToLokal",)))
    assert transfer.TEXT.game("GoToObj") == "babyai:GoToObj?mission=text"
    assert transfer.PIXELS_FROZEN.game("GoToObj") == "babyai:GoToObj?mission=text&map=pixels"
    names = [way.name for way in transfer.WAYS]
    assert len(set(names)) == len(names)
    for way in transfer.WAYS:
        if not way.heard:  # synthesisers may be missing
            settings = read_settings(way.game("GoToObj"), None, way.changes)
            network = new_networks(make(settings.game, 1).spec, settings)
            frozen = the_only(network, "").fusion.frozen
            assert bool(frozen) == bool(way.changes.get("freeze")), way.name


def test_what_a_pretrained_encoder_saves_is_told_from_what_runs_reached(tmp_path: Path) -> None:
    from lanista.bench.rows import transfer

    metrics = tmp_path / "metrics.jsonl"
    lines = [{"steps": 100 * n, "games": 400, "success": 0.2 if n < 4 else 0.95} for n in range(1, 9)]
    metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert transfer.steps_until_enough(metrics) == 600, "the first three updates of which 1,000 games were done"
    assert not transfer.enough([(999, 1.0)]) and transfer.enough([(1, 0.0), (1000, 0.9)])
    told = transfer.Cell(100, 100, 1.0, 0.9, None)
    reached = {
        "text": [told],
        "not told": [transfer.Cell(None, 2_000_000, 0.6, None, None)],
        "speech, pretrained and frozen": [transfer.Cell(300, 300, 0.98, 0.9, 0.97)],
        "speech, from scratch": [transfer.Cell(None, 2_000_000, 0.5, 0.4, 0.4)],
    }
    found = {verdict.claim.text.partition(": ")[2]: verdict for verdict in transfer.judged("level", reached)}
    saved = found["steps with a pretrained encoder, of those from scratch"]
    assert saved.met and saved.found is not None and saved.found.median == pytest.approx(300 / transfer.STEPS)
    assert found["success that speech lacks to text"].met and found["success that is lacking where nothing is told"].met
    assert "steps with a pretrained encoder of pixels, of those from scratch" not in found, "it was not measured"
    reached |= {
        "pixels": [transfer.Cell(1000, 1000, 0.9, 0.5, None)],
        "pixels, pretrained and frozen": [transfer.Cell(400, 400, 0.9, 0.5, None)],
        "text, pretrained and frozen": [transfer.Cell(80, 80, 1.0, 0.98, None)],
    }
    found = {verdict.claim.text.partition(": ")[2]: verdict for verdict in transfer.judged("level", reached)}
    pixels = found["steps with a pretrained encoder of pixels, of those from scratch"]
    assert pixels.met and pixels.found is not None and pixels.found.median == pytest.approx(0.4)
    texts = found["steps with a pretrained encoder of texts, of those from scratch"]
    assert texts.met is False and texts.found is not None and texts.found.median == pytest.approx(0.8)
    words = found["success on unseen words that a pretrained encoder adds"]
    assert words.found is not None and words.found.median == pytest.approx(0.08)
    both = transfer.saved(saved.claim, [told, transfer.Cell(None, 2_000_000, 0.1, 0.1, None)], [told, told])
    assert both.found is None and both.met is None and both.trouble == "1 of 2 never learnt it"
    line = transfer.line_of("level", transfer.TEXT, [told])
    assert line["steps until learnt"] == "100 (100 to 100)" and line["unseen voices"] == ""
    never = transfer.Cell(None, 5000, 0.1, 0.1, None)
    told_of = [transfer.line_of("level", transfer.TEXT, cells) for cells in ([never], [told, never])]
    assert [line["steps until learnt"] for line in told_of] == ["not after 5,000", "100 (100 to 100); not after 5,000"]
    given_up = transfer.saved(saved.claim, [told], [never])
    assert given_up.found is not None and given_up.found.median == pytest.approx(100 / 5000)
