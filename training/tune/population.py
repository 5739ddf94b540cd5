"""Tune's population-based training, in which no trial goes back: imported where a search by pbt begins."""

from __future__ import annotations

from typing import Any

from ray.tune.schedulers import PopulationBasedTraining


class Population(PopulationBasedTraining):  # type: ignore[misc]  # Tune's own class is Any
    """Asynchronous PBT (Jaderberg et al. 2017, arXiv:1711.09846) for fewer cores than trials too.

    Tune would let a trial that is ahead take over from one that waits far behind. With few cores the same trial was
    then set back again and again while the others waited. Here a trial takes over from those only that are at most half
    an interval behind, so each decision leaves it at least half an interval further than its last.
    """

    def _exploit(self, tune_controller: Any, trial: Any, trial_to_clone: Any) -> None:
        own, other = (self._trial_state[one].last_train_time for one in (trial, trial_to_clone))
        if other >= own - self._perturbation_interval / 2:
            super()._exploit(tune_controller, trial, trial_to_clone)
