"""What every kind of agent that needs no folder must do, on every native game it can play."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from gymnasium import spaces

from lanista.agents.contestant import agents, load_agent
from lanista.agents.kinds.first_legal import FirstLegalAgent
from lanista.agents.kinds.random import RandomAgent
from lanista.agents.match import Scheduled, play_games
from lanista.envs.catalogue import GAMES, games, make, native_rules
from lanista.envs.core import Agent, GameSpec, Role, Turn
from lanista.envs.loop import play
from lanista.errors import UsageError
from lanista.plugs import plug

pytestmark = pytest.mark.long


def complete(kind: str) -> bool:
    """Whether a kind's options can all be left out: the others need a folder, a program or a file."""
    needed = inspect.signature(plug("lanista.agents.kinds", "agent", kind).make).parameters.values()
    return all(option.default is not option.empty for option in needed)


KINDS = [kind for kind in agents() if complete(kind)]
MANY_ACTIONS = 100


def small(game: str) -> str:
    """The game on a small board where its size is an option, so that the suite stays quick."""
    if "size" in inspect.signature(plug(GAMES, "game", game).rules).parameters:
        for size in range(5, 9):
            try:
                return native_rules(f"{game}:size={size}").spec.name
            except UsageError:
                continue
    return game


def contestant(kind: str, game: str) -> str:
    """The kind's string, with little to think about."""
    if kind == "mcts":
        return "mcts:simulations=4"
    if kind != "minimax":
        return kind
    return f"minimax:depth={1 if native_rules(game).num_actions > MANY_ACTIONS else 2}"


def supported(kind: str) -> list[str]:
    """The native games that a kind agrees to play."""
    found = []
    for game in map(small, games()):
        try:
            started(kind, game)
        except UsageError:
            continue
        found.append(game)
    return found


def started(kind: str, game: str, seed: int = 5) -> Agent:
    agent = load_agent(contestant(kind, game))
    begin = getattr(agent, "start", None)
    if begin is not None:
        begin(native_rules(game).spec, seed)
    return agent


def middle(game: str, copies: int = 64, seed: int = 3) -> Turn:
    """A turn in the middle of many games."""
    table = make(game, copies, random_share=1.0, random_plies=8)
    table.reset(seed)
    return table.turn()


# A search is compiled for each game, which takes seconds: games that are like others are searched in longer tests.
SLOW = {"minimax": ("gomoku", "breakthrough"), "mcts": ("gomoku", "breakthrough", "hex", "go", "chess")}
# So are games that differ from another in their board alone, for whoever needs nothing compiled but the game.
THOROUGH = {"minimax": ("chess", "mnk", "go", "hex", "othello"), "mcts": ("connect_four", "othello", "mnk")}


def marks(kind: str, game: str) -> list[pytest.MarkDecorator]:
    """In which run of the tests a kind plays a game."""
    family = game.partition(":")[0]
    if family in SLOW.get(kind, ()):
        return [pytest.mark.slow]
    return [pytest.mark.thorough] if family in THOROUGH.get(kind, ("gomoku",)) else []


CASES = [pytest.param(kind, game, marks=marks(kind, game)) for kind in KINDS for game in supported(kind)]


def test_the_floors_and_minimax_play_every_native_game() -> None:
    assert {"random", "first-legal", "minimax"} <= set(KINDS)
    for kind in ("random", "first-legal"):
        assert supported(kind) == [small(game) for game in games()]
    for kind in ("minimax", "mcts"):
        assert {"tictactoe", "connect_four", "mnk"} <= set(supported(kind))


@pytest.mark.parametrize(("kind", "game"), CASES)
def test_plays_whole_games_legally(kind: str, game: str) -> None:
    table = make(game, 32, restart=False)
    table.reset(1)
    finished = 0
    for ply in play(table, [load_agent(contestant(kind, game))], seed=2):
        assert not ply.failures
        legal = ply.turn.legal
        assert legal is not None and legal[ply.rows, ply.actions].all()
        finished += int(ply.outcome.finished.sum())
    assert finished == 32


@pytest.mark.parametrize(("kind", "game"), CASES)
def test_the_same_seed_plays_the_same_games(kind: str, game: str) -> None:
    schedule = [Scheduled((0, 1), seed, label=seed) for seed in range(8)]

    def moves(seed: int) -> list[tuple[int, ...]]:
        table = [load_agent(contestant(kind, game)), load_agent(contestant(kind, game))]
        played = [one for part in play_games(game, table, schedule, seed=seed) for one in part]
        return [one.moves for one in sorted(played, key=lambda one: one.scheduled.label)]

    first = moves(1)
    assert moves(1) == first
    if kind != "first-legal":
        assert moves(2) != first
        assert len(set(first)) > 1


@pytest.mark.parametrize(("kind", "game"), CASES)
def test_a_row_does_not_depend_on_the_others(kind: str, game: str) -> None:
    turn = middle(game)
    agent = started(kind, game)
    whole = agent.act(turn)
    order = np.random.default_rng(0).permutation(len(turn))
    assert (agent.act(turn.take(order)).actions == whole.actions[order]).all()
    for row in (0, 17, 63):
        alone = agent.act(turn.take(np.array([row])))
        assert alone.actions.tolist() == [whole.actions[row]]
        if whole.value is not None:
            assert alone.value is not None and alone.value.tolist() == [whole.value[row]]


@pytest.mark.parametrize("kind", KINDS)
def test_its_name_makes_it_again(kind: str) -> None:
    agent = load_agent(contestant(kind, "tictactoe"))
    name = agent.name  # type: ignore[attr-defined]
    again = load_agent(name)
    assert again.name == name  # type: ignore[attr-defined]
    assert type(again) is type(agent)


def test_random_plays_every_legal_move_equally_often() -> None:
    turn = middle("connect_four", 20_000)
    actions = started("random", "connect_four").act(turn).actions
    assert turn.legal is not None
    all_open = turn.legal.all(axis=1)
    counts = np.bincount(actions[all_open], minlength=7)
    expected = all_open.sum() / 7
    assert (abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_first_legal_takes_the_lowest() -> None:
    turn = middle("tictactoe")
    assert turn.legal is not None
    actions = started("first-legal", "tictactoe").act(turn).actions
    for row, action in enumerate(actions):
        assert turn.legal[row, action] and not turn.legal[row, :action].any()


def spec_of(action: spaces.Space) -> GameSpec:  # type: ignore[type-arg]
    role = Role(spaces.Dict({"nothing": spaces.Box(0, 1, (1,))}), action)
    return GameSpec("made_up", 1, (role,), (0,), "single-player", False, False, None, (-np.inf, np.inf))


def turn_of(rows: int, legal: np.ndarray | None, seed: int = 0) -> Turn:
    count = np.arange(rows)
    draws = np.random.default_rng(seed).integers(0, 2**64, rows, np.uint64)
    return Turn(count, 0 * count, count, 0 * count, draws, {"nothing": np.zeros((rows, 1), np.float32)}, legal)


def test_multi_discrete_actions_are_legal_in_every_part() -> None:
    space = spaces.MultiDiscrete([3, 2, 4])
    legal = np.random.default_rng(1).random((500, 9)) < 0.5
    legal[:, [2, 3, 8]] = True
    turn = turn_of(500, legal)
    for agent in (RandomAgent(), FirstLegalAgent()):
        agent.start(spec_of(space), 0)
        actions = agent.act(turn).actions
        assert actions.shape == (500, 3)
        for part, begin in enumerate((0, 3, 5)):
            assert legal[np.arange(500), begin + actions[:, part]].all()
    agent = RandomAgent()
    agent.start(spec_of(space), 0)
    free = agent.act(turn_of(2000, None)).actions
    assert {tuple(row) for row in free.tolist()} == {(a, b, c) for a in range(3) for b in range(2) for c in range(4)}


def test_box_actions_are_drawn_from_the_whole_box() -> None:
    low = np.array([-2.0, 0.0, -np.inf, -np.inf], np.float32)
    high = np.array([3.0, np.inf, 0.0, np.inf], np.float32)
    box = spaces.Box(low, high)
    agent = RandomAgent()
    agent.start(spec_of(box), 0)
    turn = turn_of(4000, None)
    points = agent.act(turn).actions
    assert points.shape == (4000, 4) and points.dtype == np.float32
    assert all(point in box for point in points[:200])
    assert np.allclose(points.mean(axis=0), [0.5, 1.0, -1.0, 0.0], atol=0.12)
    assert np.allclose(points.std(axis=0), [5 / 12**0.5, 1.0, 1.0, 1.0], atol=0.12)
    assert abs(np.corrcoef(points.T) - np.eye(4)).max() < 0.1
    rows = np.array([7, 3999])
    assert (agent.act(turn.take(rows)).actions == points[rows]).all()


def test_whole_number_boxes_reach_both_ends() -> None:
    agent = RandomAgent()
    agent.start(spec_of(spaces.Box(-1, 2, (2, 2), np.int8)), 0)
    points = agent.act(turn_of(500, None)).actions
    assert points.shape == (500, 2, 2) and points.dtype == np.int8
    assert set(points.ravel().tolist()) == {-1, 0, 1, 2}


def test_first_legal_refuses_actions_that_cannot_be_counted() -> None:
    with pytest.raises(UsageError, match="actions that are counted"):
        FirstLegalAgent().start(spec_of(spaces.Box(0, 1, (2,))), 0)
