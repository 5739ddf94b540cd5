"""What is claimed, and what the slices say of it: a median with an interval that assumes nothing of their spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lanista.bench.race import Lane

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A median and where the true one lies.

    Attributes:
        median: of the values.
        low, high: order statistics of the values.
        confidence: the probability with which such an interval holds the true median.
    """

    median: float
    low: float
    high: float
    confidence: float


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The median and its sign interval (Conover 1999, "Practical Nonparametric Statistics", section 3.2).

    Each value lies above the true median with probability one half, so how many do is binomial. The interval runs
    from the k-th least to the k-th greatest value with the largest k that keeps the confidence; if even the least and
    the greatest are not enough, it runs between them, and its true, smaller confidence is told.
    """
    ordered = sorted(values)
    n = len(ordered)
    if not n:
        raise ValueError("no values have no median")
    rank, tail = 1, 1  # tail: in so many of 2**n equally likely cases fewer than `rank` values lie below
    while 2 * (rank + 1) <= n + 1:
        more = tail + math.comb(n, rank)
        if 1 - 2 * more / 2**n < confidence:
            break
        rank, tail = rank + 1, more
    middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return Interval(middle, ordered[rank - 1], ordered[n - rank], 1 - 2 * tail / 2**n)


@dataclass(frozen=True)
class Claim:
    """A comparison of two sides, or one side's own figure, and what it should be.

    Attributes:
        text: what is claimed, in words.
        subject: the side's name.
        against: the other side's name: the value is how many times as fast the subject is. None: the subject's own.
        least: the value must be at least this; None leaves it open.
        most: the value must be at most this; None leaves it open.
        unit: of the value: "x" for ratios, "steps/s" for steps a CPU second, "s" for CPU seconds a step.
        detail: another claim of the row says what many of these come to, and stands for them in the README.
    """

    text: str
    subject: str
    against: str | None = None
    least: float | None = None
    most: float | None = None
    unit: str = "x"
    detail: bool = False


@dataclass(frozen=True)
class Verdict:
    """A claim and what was measured.

    Attributes:
        claim: the claim.
        found: of the rounds' values; None if it was not measured.
        met: whether the median is as claimed; None if nothing was measured or claimed.
        trouble: why it was not measured.
    """

    claim: Claim
    found: Interval | None
    met: bool | None
    trouble: str | None = None


def judge(claim: Claim, lanes: Sequence[Lane]) -> Verdict:
    """What the lanes of a race say of a claim: the values of its rounds, side by side."""
    by_name = {lane.side.name: lane for lane in lanes}
    subject = by_name[claim.subject]
    other = subject if claim.against is None else by_name[claim.against]
    for lane in (subject, other):
        if lane.trouble is not None:
            return Verdict(claim, None, None, f"{lane.side.name}: {lane.trouble}")
    if claim.against is not None:
        values = [mine.rate / its.rate for mine, its in zip(subject.slices, other.slices, strict=True)]
    elif claim.unit == "s":
        values = [1 / piece.rate for piece in subject.slices]
    else:
        values = [piece.rate for piece in subject.slices]
    return decided(claim, median_interval(values))


def decided(claim: Claim, found: Interval) -> Verdict:
    """A claim whose value was measured."""
    if claim.least is None and claim.most is None:
        return Verdict(claim, found, None)
    enough = claim.least is None or found.median >= claim.least
    return Verdict(claim, found, enough and (claim.most is None or found.median <= claim.most))
