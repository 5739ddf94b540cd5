"""What the page says of a game in words: whose move it is, how it ended."""

from __future__ import annotations

import re

from lanista.agents.contestant import shipped
from lanista.arena.play.session import Session

PROGRAMS = {"gnugo": "GNU Go", "gnuchess": "GNU Chess", "stockfish": "Stockfish", "fairy-stockfish": "Fairy-Stockfish"}
KINDS = {"minimax": "Minimax", "mcts": "MCTS", "random": "Random", "first-legal": "First legal"}


def short(contestant: str) -> str:
    """A contestant's string for people: without folders, programs by their names, options in words."""
    head, _, options = contestant.partition("?")
    kind, colon, rest = contestant.partition(":")
    if head in shipped():
        return f"Lanista{_options(options)}"
    if kind in ("uci", "gtp") and colon:
        program, _, said = rest.replace("?", " ", 1).partition(" ")
        program = program.rpartition("/")[2]
        return f"{PROGRAMS.get(program, program)}{_options(said)}"
    if kind in KINDS:
        return f"{KINDS[kind]}{_options(rest)}"
    if "/" in head and not colon:
        run, middle, steps = head.rpartition("/checkpoints/")
        if middle:
            return f"{run.rpartition('/')[2]}, checkpoint {steps}{_options(options)}"
        return head.rstrip("/").rpartition("/")[2] + _options(options)
    return contestant


def _options(text: str) -> str:
    """`depth=4,nodes=9` as " (depth 4, nodes 9)"."""
    words = " ".join(re.sub(r"[=&,]|--", lambda sign: {"=": " ", "--": ""}.get(sign[0], ", "), text).split())
    return f" ({words.lower()})" if words else ""


def names(session: Session) -> tuple[str, ...]:
    """What the players are called; two of one name are told apart by their seats."""
    shown = [short(seat.name) if seat.kind == "agent" else seat.name for seat in session.seats]
    return tuple(f"{name} ({place + 1})" if shown.count(name) > 1 else name for place, name in enumerate(shown))


def status(session: Session) -> str:
    """Whose move it is, or how the game ended."""
    if session.result is not None:
        return result_words(session)
    who = session.movers()
    called = names(session)
    if session.rules.analysis:
        ended = session.tree[session.live].ended
        return "The game is over in this position" if ended else f"Analysis: {side(session, who)} to move"
    persons = session.persons()
    if len(who) > 1:
        return f"All move at once; {len(who)} have not answered yet"
    if not who:
        return ""
    if persons == (who[0],):
        return "Your move"
    return f"{called[who[0]]} is to move" if session.seats[who[0]].kind == "person" else f"{called[who[0]]} thinks"


def side(session: Session, who: tuple[int, ...]) -> str:
    """The players to move, by their place."""
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    return f"{words[who[0]]} player" if who and who[0] < len(words) else "nobody"


def result_words(session: Session) -> str:
    """Who won, and why."""
    result = session.result
    assert result is not None
    if result.reason == "broken":
        return result.words[:1].upper() + result.words[1:]
    called, persons = names(session), session.persons()
    players = len(session.seats)
    winners = result.winners()
    why = f": {result.words}" if result.words else ""
    if players == 1:
        return f"The game is over, your score is {result.returns[0]:g}{why}"
    if len(winners) == players:
        return f"A draw{why}"
    if len(winners) > 1:
        return f"{' and '.join(called[each] for each in winners)} share the win{why}"
    if result.reason == "resigned":
        loser = next(each for each in range(players) if each not in winners)
        return f"{'You resigned' if len(persons) == 1 else called[loser] + ' resigned'}: {called[winners[0]]} wins"
    if len(persons) == 1:
        return f"{'You win' if winners[0] in persons else 'You lose'}{why}"
    return f"{called[winners[0]]} wins{why}"
