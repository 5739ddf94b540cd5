"""The league's part of a run's loop: exploiters learn, candidates are offered, all of it is kept and found again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lanista.agents.role_networks import Networks
from lanista.files import read_json, write_json
from lanista.training import promotion
from lanista.training.exploiter import exploiters_of
from lanista.training.league import MATRIX, League
from lanista.training.settings import TrainSettings


def begin_league(settings: TrainSettings, run: Path, learner: Networks) -> LeagueRun | None:
    """The league of a run in its folder, with its fixed opponents; None where it has none."""
    return LeagueRun(settings, run, learner) if settings.league_size else None


class LeagueRun:
    """What a run does for its league after every update.

    Attributes:
        league: members and payoffs, which the trainer plays from.
        exploiters: networks that learn against the current one.
    """

    def __init__(self, settings: TrainSettings, run: Path, learner: Networks) -> None:
        self.settings = settings
        self.precision = settings.agent_precision
        self.league = League(settings, settings.opponents.split(), run / "league")
        self.exploiters = exploiters_of(settings, learner)

    def after(
        self, learner: Networks, player: Callable[[], Networks], share: float, history: dict[str, Any]
    ) -> dict[str, float]:
        """Go on after an update. When what happens is counted in updates, so that a run repeats.

        Args:
            learner: the network as it stands.
            player: gives the network that plays.
            share: of the run that is done.
            history: for the descriptions of agents: `steps` and `updates` so far, and more.

        Returns:
            Metrics by name.
        """
        told: dict[str, float] = {}
        for exploiter in self.exploiters:
            exploiter.update(learner, int(history["updates"]), share)
            told[f"exploiter_{exploiter.number}_score"] = exploiter.score
            if exploiter.done:
                name = f"{history['steps']}-exploiter-{exploiter.number}"
                promotion.admit(self.league, self.settings, name, exploiter.network, self.precision, history)
                exploiter.begin(learner)
        if history["updates"] % self.settings.promotion_updates == 0:
            promotion.offer(self.league, self.settings, player(), self.precision, history)
        return told

    def save(self, checkpoint: Path, resume: Path) -> None:
        """Write the payoff matrix into a checkpoint, and what only going on needs into its folder `resume`."""
        write_json(checkpoint / MATRIX, self.league.state())
        for exploiter in self.exploiters:
            exploiter.save(resume)

    def load(self, checkpoint: Path, resume: Path) -> None:
        """Go on from what `save` wrote.

        Raises:
            UsageError, KeyError, TypeError, ValueError: it is not there, or damaged.
        """
        self.league.restore(read_json(checkpoint / MATRIX, "checkpoint of a league"))
        for exploiter in self.exploiters:
            exploiter.load(resume)
