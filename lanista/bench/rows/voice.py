"""How often a move that is said on the page is understood, by voices that the recogniser never learnt from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lanista.bench.claims import Claim, Interval, Verdict, decided
from lanista.bench.race import Plan
from lanista.bench.results import Row
from lanista.errors import UsageError

GAMES = ("connect_four", "othello", "chess")
EACH, QUICK_EACH = 20, 2  # phrases of a game that a voice says
LEAST = {"connect_four": 0.9, "othello": 0.85}
MOST_WRONG = 0.05
OPENINGS = 12  # random plies, at most, before a move is said
COMMANDS = ("undo", "hint", "resign", "new game")


@dataclass
class Count:
    """What became of the phrases of a game.

    Attributes:
        said: how many there were.
        right: meant what was heard as likeliest.
        done: of these, done at once, without a question.
        wrong: something else was done at once.
    """

    said: int = 0
    right: int = 0
    done: int = 0
    wrong: int = 0


def measure(plan: Plan) -> Row:
    """Let each voice of the tests say moves of random positions."""
    verdicts, table = list[Verdict](), list[dict[str, Any]]()
    for game in GAMES:
        plan.report(f"moves of {game} are said")
        try:
            counts = understood(game, QUICK_EACH if plan.quick else EACH)
        except UsageError as error:
            verdicts.append(Verdict(Claim(f"{game}: moves understood", game), None, None, str(error)))
            continue
        whole = Count(*(sum(getattr(c, n) for c in counts.values()) for n in ("said", "right", "done", "wrong")))
        understood_share, wrong = share(whole.right, whole.said), share(whole.wrong, whole.said)
        claim = Claim(f"{game}: moves understood", game, least=LEAST.get(game), unit="%")
        verdicts.append(decided(claim, understood_share))
        verdicts.append(decided(Claim(f"{game}: another move played", game, most=MOST_WRONG, unit="%"), wrong))
        for name, count in [*counts.items(), ("all", whole)]:
            table.append(
                {
                    "game": game, "said as": name, "phrases": count.said,
                    "understood": share(count.right, count.said), "at once": share(count.done, count.said),
                    "asked back": share(count.said - count.done - count.wrong, count.said),
                    "another move played": share(count.wrong, count.said),
                }
            )  # fmt: skip
    title = (
        "Moves said on the page by voices, accents and an engine that the recogniser never learnt from: the likeliest "
        "meaning among the legal moves and the page's commands is right, or is done at once, or asked back."
    )
    return Row("voice", title, "phrases", verdicts, [], (), table)


def understood(game: str, each: int) -> dict[str, Count]:
    """Count, for the forms "letters", "alphabet" and "column" (of the first word), what became of the phrases.

    Raises:
        UsageError: a synthesiser or the recogniser is not here.
    """
    from lanista.arena.play.hearing import RATE, Ear
    from lanista.arena.play.spoken import grammar
    from lanista.arena.play.table import Start, Table
    from lanista.perception.data._cast import cast, written
    from lanista.perception.voices import speak

    ear, chance, counts = Ear(), np.random.default_rng(0), dict[str, Count]()
    table = Table(Start(game, 0))
    for voice in cast("test"):
        asked = [said_somewhere(table, chance) for _ in range(each)]
        waves = speak([written(phrase) for phrase, _ in asked], voice, RATE)
        for (phrase, moves), wave in zip(asked, waves, strict=True):
            table.go_to(moves)
            phrases = grammar(table, table.movers()[0], COMMANDS)
            heard = ear.hear((wave * 32767).astype(np.int16), phrases)
            right = bool(heard.guesses) and heard.guesses[0].meaning == phrases[phrase]
            count = counts.setdefault(kind_of(phrase), Count())
            count.said += 1
            count.right += right
            count.done += right and heard.verdict == "sure"
            count.wrong += heard.verdict == "sure" and not right
    return counts


def said_somewhere(table: Any, chance: np.random.Generator) -> tuple[str, list[int]]:
    """A phrase for a random legal move, and the moves that lead to its position."""
    from lanista.arena.play.spoken import grammar

    moves: list[int] = []
    table.go_to(moves)
    for _ in range(int(chance.integers(OPENINGS))):
        action = int(chance.choice(table.legal(table.movers()[0])))
        table.step([action])
        if not table.movers():
            break
        moves.append(action)
    table.go_to(moves)
    phrases = [phrase for phrase in grammar(table, table.movers()[0], ()) if phrase]
    return phrases[chance.integers(len(phrases))], moves


def kind_of(phrase: str) -> str:
    """How a move is said, by its first word."""
    first = phrase.split()[0]
    return "column" if first == "column" else "letters" if len(first) == 1 else "numbers and the phonetic alphabet"


def share(some: int, count: int) -> Interval:
    """A share with Wilson's interval, which holds also near 0 and 1."""
    from scipy.stats import binomtest

    interval = binomtest(some, count).proportion_ci(0.95, method="wilson")
    return Interval(some / count, float(interval.low), float(interval.high), 0.95)
