"""An engine for tests, `PROTOCOL FAULT WORD`: it plays few moves, and commits its fault where WORD was just played.

In chess its knights go out and back; in Go it takes the first free point of a row, and passes when there is none.
"""

from __future__ import annotations

import os
import sys
import time

KNIGHTS = (("g1f3", "f3g1"), ("b8c6", "c6b8"))
MARGIN = "ABCDEFGHJ"


def say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def gtp_speaker() -> bool:
    return sys.argv[1] == "gtp"


def commit(fault: str, illegal: str) -> str:
    """Do what is wrong; some faults are an answer."""
    if fault == "dies":
        os._exit(3)
    if fault == "crashes":
        os.abort()
    if fault == "swells":
        held = bytearray(300 << 20)
        time.sleep(600)
        del held
    if fault == "hangs":
        time.sleep(600)
    say("= " if gtp_speaker() else "")
    while fault == "floods":
        say("info string " + "nonsense " * 100 + "\n")
    while fault == "floods-a-line":
        say("nonsense " * 100)
    while fault == "mumbles":
        say("info string hm\n")
        time.sleep(0.01)
    if fault == "closes":
        os.close(1)
        time.sleep(600)
    return {"nonsense": "¿\x00 maybe", "illegal": illegal, "empty": "", "resigns": "resign"}[fault]


def uci(fault: str, word: str) -> None:
    moves: list[str] = []
    thoughts = 0  # since it was told to forget
    for line in sys.stdin:
        words = line.split()
        if words[0] == "ucinewgame":
            thoughts = 0
        elif words[0] == "uci":
            say("id name fake\noption name Skill Level type spin default 20 min 0 max 20\nuciok\n")
        elif words[0] == "isready":
            say("readyok\n")
        elif words[0] == "position":
            moves = words[words.index("moves") + 1 :] if "moves" in words else []
        elif words[0] == "go":
            out, back = KNIGHTS[len(moves) % 2]
            own = moves[len(moves) % 2 :: 2]
            move = out if sum(each in (out, back) for each in own) % 2 == 0 else back
            at_word = bool(moves) and moves[-1] == word
            if at_word and fault != "untold":
                move = commit(fault, "e2e5")
            thoughts += 1
            if not at_word:
                say(f"info depth 1 score cp {35 * thoughts} pv {move}\n")
            say(f"bestmove {move}\n")
        elif words[0] == "quit":
            return


def gtp(fault: str, word: str) -> None:
    played: list[str] = []
    for line in sys.stdin:
        command, *words = line.split()
        answer = ""
        if command == "list_commands":
            answer = "list_commands\nboardsize\nclear_board\nkomi\nplay\ngenmove"
        elif command == "clear_board":
            played = []
        elif command == "play":
            played.append(words[1].upper())
        elif command == "genmove":
            row = {"black": 2, "white": 4}[words[0]]
            answer = next((f"{x}{row}" for x in MARGIN[:5] if f"{x}{row}" not in played), "pass")
            if played and played[-1] == word:
                answer = commit(fault, word)  # which has begun to answer
            else:
                say("= ")
            played.append(answer)
            say(f"{answer}\n\n")
            continue
        say(f"= {answer}\n\n")


if __name__ == "__main__":
    {"uci": uci, "gtp": gtp}[sys.argv[1]](*sys.argv[2:4])
