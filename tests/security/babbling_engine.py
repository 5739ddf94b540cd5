"""An engine for the security suite, `PROTOCOL SEED`: it answers questions for a move with anything at all."""

from __future__ import annotations

import random
import sys

PARTS = (
    b"bestmove", b"info", b"score cp", b"uciok", b"readyok", b"=", b"?", b"\n", b"\n\n", b"\r\n", b" ", b"\x00",
    b"e2e4", b"a1", b"PASS", b"resign", b"option name", b"type", b"9" * 5000, b"\x1b[2J", b"(none)", b"0000",
    b"\xff\xfe", b"\xe2\x80\xae",
)  # fmt: skip
QUESTIONS = ("list_commands", "boardsize", "clear_board", "komi")


def main(protocol: str, draw: random.Random) -> None:
    """Answer what must be answered for the game to begin, and babble for each move."""

    def babble() -> bytes:
        return b"".join(draw.choice(PARTS) + b" " for _ in range(draw.randrange(12))) + b"\n"

    for line in sys.stdin:
        first = (line.split() or [""])[0]
        said = b""
        if protocol == "gtp":
            said = babble() + b"\n" if first == "genmove" else b"= \n\n" if first in QUESTIONS else b"=\n\n"
        elif first == "uci":
            said = babble() + b"\nuciok\n"
        elif first == "isready":
            said = b"readyok\n"
        elif first == "go":
            said = babble() + babble() + (b"bestmove e2e4\n" if draw.random() < 0.3 else b"")
        sys.stdout.buffer.write(said)
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], random.Random(int(sys.argv[2])))
