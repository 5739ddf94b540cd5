"""Promotion: the network as it plays is offered to its league, and is frozen and joins if it became stronger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lanista.agents.artifact import save_agent
from lanista.agents.contestant import load_agent
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.pairs import MOST_PLAYERS, pair_scores
from lanista.agents.role_networks import Networks
from lanista.agents.sequential_test import SequentialTest, log_likelihood_ratio
from lanista.envs import Agent, make
from lanista.envs.core import start_agent
from lanista.errors import UsageError
from lanista.files import claim_folder, drafted_folder
from lanista.training.league import League, Member
from lanista.training.league_play import load_member
from lanista.training.settings import TrainSettings

AT_ONCE = 32  # pairs played between two looks at the test
PAYOFF_PAIRS = 32  # pairs that a new member plays against each of the others


@dataclass(frozen=True)
class Contest:
    """How a candidate did against an opponent.

    Attributes:
        stronger: what the test said, or where it said nothing, what was likelier.
        decided: the test said it.
        pairs: of games that were played.
        score: the candidate's share of the points.
    """

    stronger: bool
    decided: bool
    pairs: int
    score: float


def check(settings: TrainSettings) -> None:
    """See that a league can play the game.

    Raises:
        UsageError: it has one player, an opponent is unknown or cannot play it, or the run has a memory.
    """
    if not settings.league_size:
        return
    if settings.memory:
        raise UsageError("a league is for networks without a memory: leave --memory out, or league_size 0")
    spec = make(settings.game).spec
    if not 2 <= spec.players <= MOST_PLAYERS:
        raise UsageError(f"a league is for games of 2 to {MOST_PLAYERS} players; {settings.game} has {spec.players}")
    for opponent in settings.opponents.split():
        start_agent(load_agent(opponent), spec, 0)


def contest(settings: TrainSettings, candidate: Agent, opponent: Agent, seed: int) -> Contest:
    """Play pairs of games until a sequential test says who is stronger, or to `promotion_pairs`."""
    test = SequentialTest(0.5, settings.promotion_score, settings.promotion_error)
    scores = np.zeros(0)
    verdict, played = None, 0
    while verdict is None and played < settings.promotion_pairs:
        pairs = min(AT_ONCE, settings.promotion_pairs - played)
        own = int(np.random.SeedSequence([seed, played]).generate_state(1, np.uint64)[0])
        scores = np.concatenate([scores, pair_scores(settings.game, candidate, opponent, pairs, own)])
        played += pairs
        verdict = test.verdict(scores)
    likelier = log_likelihood_ratio(scores, test.lower, test.upper) > 0
    return Contest(likelier if verdict is None else verdict, verdict is not None, len(scores), float(scores.mean()))


def offer(
    league: League, settings: TrainSettings, network: Networks, precision: str, history: dict[str, Any]
) -> Contest | None:
    """Offer the network to its league.

    Args:
        league: is changed where the network joins it.
        settings: the run's.
        network: the candidate.
        precision: in which it plays.
        history: for the agent's description; `steps` names the new member.

    Returns:
        The contest with the newest past self; None where there was none, so that the network joined without.
    """
    steps = int(history["steps"])
    candidate = NetworkAgent(network, "candidate", settings.game, precision, temperature=1.0, symmetry=False)
    seed = int(np.random.SeedSequence([settings.seed, steps]).generate_state(1)[0])
    newest, found = league.newest, None
    if newest is not None:
        found = contest(settings, candidate, load_member(newest, league.folder), seed)
        if not found.stronger:
            return found
    played = {} if newest is None or found is None else {newest: found}
    admit(league, settings, str(steps), network, precision, history, played)
    return found


def admit(
    league: League,
    settings: TrainSettings,
    name: str,
    network: Networks,
    precision: str,
    history: dict[str, Any],
    played: Mapping[Member, Contest] | None = None,
) -> None:
    """Freeze a network and take it into the league; it plays `PAYOFF_PAIRS` pairs against each other member.

    Args:
        league: is changed.
        settings: the run's.
        name: of the new member, and of its folder.
        network: what is frozen.
        precision: in which it plays.
        history: for the agent's description.
        played: contests that count in the place of these pairs.
    """
    agent = NetworkAgent(network, name, settings.game, precision, temperature=1.0, symmetry=False)
    seed = int(np.random.SeedSequence([settings.seed, int(history["steps"]), 1]).generate_state(1)[0])
    member = Member(name, frozen=True)
    freeze(league.folder / name, network, settings.game, precision, history)
    league.admit(member)
    for other in league.members[:-1]:
        found = None if played is None else played.get(other)
        if found is not None:
            league.note(member, other, 2 * found.pairs, 2 * found.pairs * found.score)
            continue
        scores = pair_scores(settings.game, agent, load_member(other, league.folder), PAYOFF_PAIRS, seed)
        league.note(member, other, 2 * len(scores), 2 * float(scores.sum()))


def freeze(folder: Path, network: Networks, game: str, precision: str, history: dict[str, Any]) -> None:
    """Write an agent's folder that is whole or not there."""
    claim_folder(folder.parent)
    with drafted_folder(folder) as draft:  # it is there if a run was killed here and came to the same steps again
        save_agent(draft, network, game, precision, history)
