"""How often a move or an instruction that is said on the page is understood, by voices that were never learnt from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from lanista.bench.claims import Claim, Interval, Verdict, decided
from lanista.bench.race import Plan
from lanista.bench.results import Row
from lanista.errors import UsageError

GAMES = ("connect_four", "othello", "chess")
INSTRUCTIONS = "instructions"  # of BabyAI's levels, where others are games
EACH, QUICK_EACH = 20, 2  # phrases of a game that a voice says
QUICK = ("connect_four",)
LEAST = {"connect_four": 0.9, "othello": 0.85, INSTRUCTIONS: 0.9}
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
    """Let each voice of the tests say moves of random positions, and what agents of BabyAI's levels are told."""
    verdicts, table = list[Verdict](), list[dict[str, Any]]()
    for game in QUICK if plan.quick else (*GAMES, INSTRUCTIONS):
        plan.report(f"{game}: moves are said" if game in GAMES else f"{game} are said")
        what, other = ("moves", "move played") if game in GAMES else ("phrases", "one taken for it")
        try:
            counts = understood(game, QUICK_EACH if plan.quick else EACH)
        except UsageError as error:
            verdicts.append(Verdict(Claim(f"{game}: {what} understood", game), None, None, str(error)))
            continue
        whole = Count(*(sum(getattr(c, n) for c in counts.values()) for n in ("said", "right", "done", "wrong")))
        understood_share, wrong = share(whole.right, whole.said), share(whole.wrong, whole.said)
        claim = Claim(f"{game}: {what} understood", game, least=LEAST.get(game), unit="%")
        verdicts.append(decided(claim, understood_share))
        verdicts.append(decided(Claim(f"{game}: another {other}", game, most=MOST_WRONG, unit="%"), wrong))
        for name, count in [*counts.items(), ("all", whole)]:
            table.append(
                {
                    "game": game, "said as": name, "phrases": count.said,
                    "understood": share(count.right, count.said), "at once": share(count.done, count.said),
                    "asked back": share(count.said - count.done - count.wrong, count.said),
                    "another taken for it": share(count.wrong, count.said),
                }
            )  # fmt: skip
    title = (
        "Moves and instructions said on the page by voices, accents and an engine that were never learnt from: the "
        "likeliest meaning among the legal moves and the page's commands, or among BabyAI's single clauses, is right, "
        "or is done at once, or asked back."
    )
    return Row("voice", title, "phrases", verdicts, [], (), table)


def understood(game: str, each: int) -> dict[str, Count]:
    """Count, for the forms "letters", "alphabet" and "column" (of the first word), what became of a voice's phrases.

    Args:
        game: a game's string, or `INSTRUCTIONS`.
        each: phrases that each voice says.

    Raises:
        UsageError: a synthesiser or the recogniser is not here.
    """
    from lanista.arena.play import hearing
    from lanista.perception.data._cast import cast, written
    from lanista.perception.voices import speak

    told = game == INSTRUCTIONS
    ear, chance = hearing.Ear(hearing.INSTRUCTIONS if told else hearing.RECOGNISER), np.random.default_rng(0)
    counts, drawn = dict[str, Count](), instructions(chance) if told else moves_of(game, chance)
    for voice in cast("test"):
        asked = list(islice(drawn, each))
        waves = speak([written(phrase) for phrase, _ in asked], voice, hearing.RATE)
        for (phrase, phrases), wave in zip(asked, waves, strict=True):
            heard = ear.hear((wave * 32767).astype(np.int16), phrases)
            right = bool(heard.guesses) and heard.guesses[0].meaning == phrases[phrase]
            count = counts.setdefault("clauses" if told else kind_of(phrase), Count())
            count.said += 1
            count.right += right
            count.done += right and heard.verdict == "sure"
            count.wrong += heard.verdict == "sure" and not right
    return counts


def instructions(chance: np.random.Generator) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What an agent may be told, each with the grammar of all that."""
    from lanista.arena.play.spoken_instructions import grammar
    from lanista.perception.data.spoken_instructions import draw_phrase

    while True:
        phrase = draw_phrase(chance)
        if phrase in grammar():
            yield phrase, grammar()


def moves_of(game: str, chance: np.random.Generator) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Phrases for moves in random positions, each with the grammar of its position."""
    from lanista.arena.play.spoken import grammar
    from lanista.arena.play.table import Start, Table

    table = Table(Start(game, 0))
    while True:
        phrase, _ = said_somewhere(table, chance)
        yield phrase, grammar(table, table.movers()[0], COMMANDS)


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
