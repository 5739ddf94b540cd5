"""What is said below a table of standings, whatever they rank by."""

from __future__ import annotations

FEW = 10  # of drawn things, of which a bootstrap makes too narrow intervals


def few(count: int, what: str) -> list[str]:
    """A warning of intervals that were drawn from too few of something; nothing if there are enough."""
    if count >= FEW:
        return []
    words = f"{count} {what} tells" if count == 1 else f"{count} {what}s tell"
    return [f"Warning: {words} little, and the intervals are too narrow; play {FEW} or more."]


def unplayed(void: int, complete: bool) -> list[str]:
    """What there is to say of games that count for nobody, and of those that are yet to be played."""
    lines = []
    if void:
        count = "1 game counts" if void == 1 else f"{void} games count"
        lines.append(f"{count} for nobody: the environment broke, or the machine stalled.")
    if not complete:
        lines.append("Not all games have been played yet.")
    return lines
