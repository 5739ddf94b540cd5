"""The agents that come with Lanista: they load by their names, are small, say how they came about, and are no bluff."""

from __future__ import annotations

import re

import numpy as np
import pytest

import lanista
from lanista.agents.artifact import read_description
from lanista.agents.contestant import SHIPPED, load_agent, shipped
from lanista.agents.exploitability import exploitability, policy_of, small_tree
from lanista.agents.pairs import pair_scores
from lanista.envs import make
from lanista.envs.core import Agent, start_agent

GREATEST = 5 * 2**20  # bytes of a folder
WANTED = {"connect_four", "go", "leduc_poker", "othello", "tictactoe"}


def test_these_come_with_lanista() -> None:
    assert set(shipped()) >= WANTED


@pytest.mark.parametrize("name", shipped())
def test_it_is_small_and_has_a_card(name: str) -> None:
    folder = SHIPPED / name
    assert sum(path.stat().st_size for path in folder.iterdir()) < GREATEST
    about = read_description(folder)
    assert about["game"].partition(":")[0] == name
    card = (folder / "README.md").read_text()
    assert re.search(rf"^lanista train {re.escape(about['game'])} ", card, re.MULTILINE), "the command"
    assert re.search(rf"{about['training']['steps']:,} steps in [\d.]+ minutes, seed {about['training']['seed']}", card)
    if make(about["game"]).spec.perfect_information:
        assert re.search(r"^Rating [+-]\d+ \([+-]\d+ to [+-]\d+\) on the scale of: random \+0", card, re.MULTILINE)
    else:
        assert re.search(r"^\| random \| \+[\d.]+ \| \+", card, re.MULTILINE), "it gains of a random player"


@pytest.mark.parametrize("name", shipped())
def test_it_is_far_better_than_a_random_player(name: str) -> None:
    agent = load_agent(name)
    game = read_description(SHIPPED / name)["game"]
    tree = small_tree(game)
    if tree is not None:
        found, chance = (exploitability(tree, policy_of(one, tree)).nash_conv for one in (agent, load_agent("random")))
        assert found < chance / 5
        return  # the luck of the cards is most of the points of a few hands
    scores = pair_scores(game, agent, load_agent("random"), 40, seed=1, plies=(0, 2))
    assert scores.mean() > 0.9


def test_tictactoe_never_loses() -> None:
    """Every line of play, from both seats: whatever the other does, at every of its moves."""
    agent = lanista.load_agent("tictactoe")
    start_agent(agent, make("tictactoe").spec, 0)
    ends = [lines_of(agent, seat) for seat in (0, 1)]
    assert min(min(results) for results in ends) >= 0, "it lost a line"
    assert all(len(results) > 50 and 1 in results and 0 in results for results in ends)


def lines_of(agent: Agent, seat: int) -> list[float]:
    """What the agent gets at the end of each line in which it has a seat and the other plays every legal move."""
    level, results = [[]], list[float]()  # type: list[list[int]], list[float]
    while level:
        table = make("tictactoe", len(level), restart=False)
        table.reset(0, openings=level)
        turn = table.turn()
        assert len(turn) == len(level) and turn.legal is not None
        may = turn.legal.copy()
        if turn.players[0] == seat:
            may[:] = False
            may[np.arange(len(turn)), agent.act(turn).actions] = True
        rows, actions = np.nonzero(may)
        following = make("tictactoe", len(rows), restart=False)
        following.reset(0, openings=[level[row] for row in rows])
        outcome = following.step(actions)
        results += outcome.rewards[outcome.finished, seat].tolist()
        level = [
            [*level[row], int(action)]
            for row, action, over in zip(rows, actions, outcome.finished, strict=True)
            if not over
        ]
    return results
