"""A match that goes on until a sequential test has decided it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lanista.agents.match import Played
from lanista.arena.sprt import Sprt
from lanista.errors import UsageError

FIRST_PAIRS = 16  # the test is asked after so many, and whenever an eighth more are played


@dataclass(frozen=True)
class Decision:
    """How a sequential test ended.

    Attributes:
        test: the hypotheses.
        ratio: the log-likelihood ratio.
        accepted: "H0", "H1", or None: all games were played before it was decided.
        distinct: pairs of games that differ from each other in their moves.
        pairs: all pairs that were played.
    """

    test: Sprt
    ratio: float
    accepted: str | None
    distinct: int
    pairs: int

    def told(self, one: str) -> list[str]:
        """The decision for people."""
        low, high = self.test.bounds
        unit = "normalised Elo" if self.test.model == "normalized" else "Elo"
        lower, upper = f"{self.test.elo0:+g}", f"{self.test.elo1:+g}"
        what = {
            "H1": f"H1 accepted, {one} is {upper} or more rather than {lower}",
            "H0": f"H0 accepted, {one} is {lower} or less rather than {upper}",
            None: "not decided; more --games may",
        }[self.accepted]
        lines = [
            f"  sprt    LLR {self.ratio:+.2f} in {low:+.2f} .. {high:+.2f} for {lower} against {upper} {unit}: {what}"
        ]
        if self.distinct < self.pairs:
            lines.append(
                f"  same    only {self.distinct} of {self.pairs} pairs differ in their moves: repetitions make the "
                "test surer than it may be; give it more openings"
            )
        return lines

    def to_json(self) -> dict[str, Any]:
        """The decision for scripts."""
        test = self.test
        return {
            "model": test.model,
            "elo0": test.elo0,
            "elo1": test.elo1,
            "alpha": test.alpha,
            "beta": test.beta,
            "llr": self.ratio,
            "bounds": test.bounds,
            "accepted": self.accepted,
            "pairs": self.pairs,
            "distinct": self.distinct,
        }


def read_test(text: str, model: str, alpha: float, beta: float) -> Sprt:
    """The test that `--sprt ELO0,ELO1` names.

    Raises:
        UsageError: it names none.
    """
    try:
        elo0, elo1 = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--sprt is two numbers, as in --sprt 0,10, not '{text}'") from None
    return Sprt(elo0, elo1, "logistic" if model == "logistic" else "normalized", alpha, beta)


def play_until_decided(
    test: Sprt,
    most: int,
    play: Callable[[int, int], list[Played]],
    count: Callable[[list[Played]], tuple[int, ...]],
    told: Callable[..., None],
) -> tuple[list[Played], Decision]:
    """Play a match batch by batch until the test decides, or all pairs are played.

    Args:
        test: what is tested.
        most: at most so many pairs.
        play: (first, last) -> the games of the pairs from the one up to before the other.
        count: all games so far -> (5,) how many pairs brought what.
        told: of the progress: games played, of how many at most, the test's state.
    """
    low, high = test.bounds
    played: list[Played] = []
    pairs, verdict, ratio = 0, None, 0.0
    while verdict is None and pairs < most:
        following = min(most, pairs + max(FIRST_PAIRS, pairs // 8))
        played += play(pairs, following)
        pairs = following
        counts = np.array(count(played))
        verdict, ratio = test.verdict(counts), float(test.ratio(counts))
        told(2 * pairs, 2 * most, f"LLR {ratio:+.2f} ({low:+.2f} .. {high:+.2f})")
    moves: dict[int, list[str]] = {}
    for one in played:
        moves.setdefault(one.scheduled.label, []).append(f"{one.scheduled.seats}{one.scheduled.position}{one.moves}")
    distinct = len({tuple(sorted(both)) for both in moves.values()})
    accepted = None if verdict is None else "H1" if verdict else "H0"
    return played, Decision(test, ratio, accepted, distinct, pairs)
