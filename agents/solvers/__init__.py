"""Perfect play, a file a game: the value of every move, from an exact solver. Read by `agents.certificate`."""
