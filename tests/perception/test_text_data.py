"""The data sets of texts: what they hold where they are on this machine, damaged files, and the questions' answers."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import numpy as np
import pytest

from lanista.errors import UsageError
from lanista.perception.data import _phrasings as words
from lanista.perception.data import game_states
from lanista.perception.data.intents import Sampler
from lanista.perception.data.wesnoth import letters
from lanista.perception.dataset import DataSet, Examples, load_data
from lanista.perception.task import Splits, make_task
from lanista.perception.tasks.translation import pieces
from lanista.perception.text_classification import plain


def loaded(name: str) -> DataSet:
    """A data set, or a reason why its test is left out."""
    try:
        return load_data(name)
    except UsageError as error:
        if "lanista data get" not in str(error):
            raise
        pytest.skip(f"{name} is not on this machine: lanista data get {name.partition(':')[0]}")


def split(words: str) -> Splits:
    """A task's examples, or a reason why its test is left out."""
    try:
        return make_task(words).load(0)
    except UsageError as error:
        if "lanista data get" not in str(error):
            raise
        pytest.skip(f"{words}: {error}")


@pytest.mark.parametrize(
    ("name", "sizes", "labels"),
    [
        ("newsgroups", {"train": 11_293, "test": 7_528}, 20),
        ("reuters", {"train": 5_485, "test": 2_189}, 8),
        ("reuters:topics=52", {"train": 6_532, "test": 2_568}, 52),
        ("vader", {"tweets": 4_200, "films": 10_605, "products": 3_708, "newspapers": 5_190}, 0),
    ],
)
def test_sets_have_the_sizes_that_their_authors_tell(name: str, sizes: dict[str, int], labels: int) -> None:
    data = loaded(name)
    assert {part: len(examples) for part, examples in data.parts.items()} == sizes
    assert len(data.labels) == labels
    assert all(text.strip() for part in data.parts.values() for text in part.inputs)


def test_ratings_are_on_their_scale_and_say_what_the_texts_say() -> None:
    tweets = loaded("vader").parts["tweets"]
    assert np.abs(tweets.targets).max() <= 4
    rating = {text: float(value) for text, value in zip(tweets.inputs, tweets.targets[:, 0], strict=True)}
    assert rating["LMAO, AMAZING!"] == pytest.approx(2.857142857)


def test_mail_comes_without_headers_that_tell_its_mailbox() -> None:
    data = loaded("spam")
    mails = data.parts["all"].inputs
    assert 5_800 < len(mails) == len(set(mails)) <= 6_046
    assert not any(text.startswith("Return-Path") for text in mails)
    assert sum("Delivered-To:" in text[:300] for text in mails) < 10  # what people quote


def test_catalogues_have_both_languages_and_no_message_twice() -> None:
    whole = loaded("wesnoth").parts["all"]
    assert len(whole) > 14_000
    keys = [group.partition(": ")[2] for group in whole.groups]
    assert len(keys) == len(set(keys))
    assert whole.targets[whole.inputs.index("Hey, look who is here!")] == "Hé, regardez qui est là !"
    with pytest.raises(UsageError, match=r"no language 'xx'; it has .*fr"):
        load_data("wesnoth:language=xx")


def test_messages_are_learnt_sentence_by_sentence() -> None:
    pairs = Examples(
        ["Halt! Who goes there? A friend.", "One. Two.", "word " * 30],
        ["Halte ! Qui va là ? Un ami.", "Un et deux.", "mot " * 30],
    )
    found = pieces(pairs)
    assert list(zip(found.inputs, found.targets, strict=True)) == [
        ("Halt! Who goes there? A friend.", "Halte ! Qui va là ? Un ami."),
        ("Halt!", "Halte !"),
        ("Who goes there?", "Qui va là ?"),
        ("A friend.", "Un ami."),
        ("One. Two.", "Un et deux."),
    ]


@pytest.mark.parametrize("words", ["sentiment", "topics:data=reuters", "intents", "questions:most=2000"])
def test_no_text_is_in_two_parts(words: str) -> None:
    splits = split(words)
    learnt = {plain(text) for text in [*splits.train.inputs, *splits.valid.inputs]}
    for part, examples in splits.tests.items():
        assert len(examples) >= 200
        assert not learnt & {plain(text) for text in examples.inputs}, part


def test_translations_that_are_tested_are_of_messages_never_seen() -> None:
    splits = split("translation")
    learnt = {letters(text) for text in splits.train.inputs}
    for examples in splits.tests.values():
        assert not learnt & {letters(text) for text in examples.inputs}


def test_unseen_phrasings_are_of_templates_never_seen() -> None:
    splits = split("intents")
    assert not set(splits.train.groups) & set(splits.tests["unseen phrasings"].groups)
    assert set(np.asarray(splits.train.targets)) == set(range(len(splits.labels)))


def test_templates_are_filled_as_hassil_reads_them() -> None:
    pytest.importorskip("hassil")
    about = {
        "expansion_rules": {"turn": "(turn|switch)"},
        "lists": {"level": {"range": {"from": 3, "to": 4}}, "colour": {"values": [{"in": "red"}, "deep blue"]}},
    }
    sampler = Sampler(about, random.Random(0))
    assert set(sampler.draw("<turn> on [the] lamp[s]", 50)) == {
        f"{verb} on {the}lamp{s}" for verb in ("turn", "switch") for the in ("", "the ") for s in ("", "s")
    }
    assert set(sampler.draw("({level};{colour})", 50)) == {
        text for level in "34" for colour in ("red", "deep blue") for text in (f"{level} {colour}", f"{colour} {level}")
    }


def _fits(kind: str, text: str, kept: slice) -> dict[str, str] | None:
    """What a wording of `kept` was filled with to give a text; None if none gives it."""
    for phrasing in words.STATEMENTS[kind][kept]:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>\\w+)", re.escape(phrasing))
        if found := re.fullmatch(pattern, text):
            return found.groupdict()
    return None


def _solve(question: str, sentences: Sequence[str], kept: slice) -> str | None:
    """The answer to a question on a trick, found from the words alone; None where it is of another game."""
    cards = []
    for place, sentence in enumerate(sentences):
        card = _fits("follow" if place else "lead", sentence, kept)
        if card is None:
            return None
        cards.append(card)
    lead = cards[0]["suit"]
    following = [card for card in cards if card["suit"] == lead]
    asked = [card for card in cards if re.search(rf"\b{card['player']}\b", question)]
    if asked:
        return asked[0]["value"]
    if "suit" in question:
        return lead
    order = ["2", "3", "4", "5", "6", "7", "8", "9", "10", "jack", "queen", "king", "ace"]
    return max(following, key=lambda card: order.index(card["value"]))["player"]


@pytest.mark.parametrize("part", ["test", "unseen phrasings"])
def test_questions_on_tricks_are_answered_as_the_words_say(part: str) -> None:
    data = game_states.load(count=500, tests=600)
    kept = game_states.KEPT["train" if part == "test" else part]
    solved = 0
    for text, target in zip(data.parts[part].inputs, data.parts[part].targets, strict=True):
        question, _, rest = text.partition("? ")
        answer = _solve(question, rest.rstrip(".").split(". "), kept)
        if answer is not None:
            solved += 1
            assert answer == data.labels[target], text
    assert solved > 150


def test_wordings_and_positions_of_questions_are_kept_apart() -> None:
    for phrasings in (*words.STATEMENTS.values(), *words.QUESTIONS.values()):
        assert len(phrasings) == len(set(phrasings)) == 10
    parts = game_states.load(count=2000, tests=500).parts
    for part in ("test", "unseen phrasings"):
        assert not set(parts["train"].groups) & set(parts[part].groups)
    trained = {text.partition("?")[0].split()[0] for text in parts["train"].inputs}
    assert {text.partition("?")[0].split()[0] for text in parts["unseen phrasings"].inputs} <= trained
    again = game_states.load(count=50, tests=500).parts
    assert again["test"].inputs == parts["test"].inputs


def test_intents_can_be_learnt_from_words_as_games_show_them() -> None:
    from lanista.perception.inputs.words import WordsInput

    none = Examples([], [])
    assert make_task("intents:tokens=words").input(Splits(none, none, {})) == WordsInput()
    with pytest.raises(UsageError, match="did you mean 'words'"):
        make_task("intents:tokens=word")
