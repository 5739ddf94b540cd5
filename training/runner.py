"""What plays: the games of one process and the loop over them. It knows nothing of Ray and runs in any process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from lanista.agents.contestant import load_agent
from lanista.agents.policy_network import keep_memory
from lanista.agents.role_networks import Networks, role_names
from lanista.envs import make
from lanista.envs.core import Floats, Ints
from lanista.training.curriculum import Curriculum, LevelNews
from lanista.training.exact_advantages import ExactAdvantages
from lanista.training.league import League, LeagueNews, Seating
from lanista.training.league_play import league_play
from lanista.training.level_play import level_play
from lanista.training.ppo import Batch
from lanista.training.rollout import Rollout
from lanista.training.settings import TrainSettings


@dataclass
class Sample:
    """What a runner gives: a batch for each role and how the games went that ended meanwhile, in the order they ended.

    Attributes:
        batches: name of a role -> its rows.
        moves: how many were played; as many as there are rows, but for `seats_in_turn`.
        returns: what each player got in each of these games.
        lengths: their plies.
        levels, league: what the run's curriculum and league are told.
        roles: name of the role of each player.
    """

    batches: Mapping[str, Batch]
    moves: int
    returns: Floats  # (games, players)
    lengths: Ints  # (games,)
    levels: LevelNews | None
    league: LeagueNews | None
    roles: tuple[str, ...]


class BatchRunner:
    """Plays `copies` games in one loop."""

    def __init__(self, network: Networks, settings: TrainSettings, number: int = 0) -> None:
        """Begin games.

        Args:
            network: is read at every ply, so new weights take effect at once.
            settings: of the run.
            number: of the runner: its games are others than those of other runners.
        """
        keep_memory()
        self.settings = settings
        self.exact = ExactAdvantages(settings) if settings.exact_advantages else None
        self.env = make(
            settings.game,
            settings.copies,
            restart=not settings.levels,  # else a level is begun in each copy that is free
            random_share=settings.random_share,
            random_plies=settings.random_plies,
        )
        seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0])
        opponents = () if settings.league_size else settings.opponents.split()  # else they are its members
        self.rollout = Rollout(
            self.env,
            network,
            bfloat16=settings.bfloat16,
            seed=seed,
            opponents=[load_agent(name) for name in opponents],
            opponent_share=settings.opponent_share,
            levels=level_play(settings, seed),
            league=league_play(settings, self.env.spec, seed),
        )

    def sample(
        self, number: int, curriculum: dict[str, Tensor] | None = None, seating: Seating | None = None
    ) -> Sample:
        """Play `plies` moves of each game.

        Args:
            number: of the update: says whose turn it is to learn, with `seats_in_turn`.
            curriculum: the state of the run's, where it has one.
            seating: of the run's league, where it has one.
        """
        settings, levels = self.settings, self.rollout.levels
        if levels is not None and curriculum is not None:
            levels.follow(curriculum)
        if seating is not None:
            self.rollout.follow(seating)
        seat = number % self.env.spec.players if settings.seats_in_turn else None
        batches = self.rollout.collect_roles(settings.plies, settings.gamma, settings.gae_lambda, seat)
        if self.exact is not None:
            batches = self.exact.tell(self.rollout.learner, batches)
        returns, lengths = self.rollout.take_finished()
        news = None if levels is None else levels.news()
        league = None if self.rollout.league is None else self.rollout.league.news()
        names, spec = role_names(self.env.spec), self.env.spec
        roles = tuple(names[role] for role in spec.role_of)
        return Sample(batches, self.rollout.told, returns, lengths, news, league, roles)

    def state(self) -> bytes:
        """The running games and what was played but not yet told, to be saved; empty for games that cannot be."""
        return self.rollout.save()

    def restore(self, state: bytes, updates: int) -> None:
        """Go on with saved games; where there are none, begin others than the run began with.

        Args:
            state: from `state`.
            updates: how many the run has made.
        """
        if state:
            self.rollout.load(state)
        else:
            self.rollout.begin_anew(updates)

    def close(self) -> None:
        """End the games."""
        close = getattr(self.env, "close", None)
        if close is not None:
            close()


def metrics_of(samples: Sequence[Sample], curriculum: Curriculum | None, league: League | None) -> dict[str, float]:
    """What samples tell the run's curves; the curriculum and the league, where there are any, hear it too."""
    games = sum(len(sample.lengths) for sample in samples)
    told = {"steps": float(sum(sample.moves for sample in samples)), "games": float(games)}
    if games:
        told["game_length"] = float(sum(sample.lengths.sum() for sample in samples)) / games
        told["first_player_return"] = float(sum(sample.returns[:, 0].sum() for sample in samples)) / games
        if samples[0].returns.shape[1] == 1:  # where a reward at the end says that it was done, as in levels
            told["success"] = float(sum((sample.returns > 0).sum() for sample in samples)) / games
        roles = np.array(samples[0].roles)
        if len(set(samples[0].roles)) > 1:
            for role in dict.fromkeys(samples[0].roles):
                got = sum(sample.returns[:, roles == role].mean(1).sum() for sample in samples)
                told[f"return/{role}"] = float(got) / games
    if curriculum is not None:
        for sample in samples:
            if sample.levels is not None:
                curriculum.hear(sample.levels)
        told |= curriculum.metrics()
    if league is not None:
        for sample in samples:
            if sample.league is not None:
                league.hear(sample.league)
        told |= league.metrics()
    return told
