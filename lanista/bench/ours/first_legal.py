"""A user's class that answers at once: what is left of a move's time is what its seat costs."""

from lanista.envs.core import Array, Choice, Turn


class FirstLegal:
    """Plays the legal action with the least number."""

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """One action a row."""
        assert turn.legal is not None
        return Choice(turn.legal.argmax(1))
