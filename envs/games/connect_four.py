"""Connect Four: four in a row on six rows and seven columns, stones fall. Moves are columns, `1` to `7`."""

from lanista.envs.games import mnk
from lanista.envs.rules import Rules


def rules() -> Rules:
    """The rules of Connect Four."""
    return mnk.named("connect_four", rows=6, columns=7, k=4, gravity=True)
