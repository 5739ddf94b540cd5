"""Voices, the words they say, the recordings of people, and how spelling is scored."""

from __future__ import annotations

import shutil

import jiwer
import numpy as np
import pytest

from lanista.errors import UsageError
from lanista.perception.data._cast import ENGINES, HEARD, RATE, UNHEARD, cast, said
from lanista.perception.data.real_words import spoken_by_people
from lanista.perception.data.spelt_words import ALIKE, words
from lanista.perception.data.spoken_words import WORDS
from lanista.perception.dataset import DataSet, load_data
from lanista.perception.inputs.sound import trimmed
from lanista.perception.speech import cepstra, joined
from lanista.perception.tasks.spelling import error_rates, written
from lanista.perception.tasks.spoken_words import TESTED, labelled
from lanista.perception.voices import Voice, speak, voices

MISSING = [engine for engine in ENGINES if shutil.which(engine) is None]
synthesisers = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: apt-get install {' '.join(MISSING)}")


@pytest.fixture(scope="module")
def people() -> DataSet:
    try:
        return load_data("real_words")
    except UsageError as error:
        pytest.skip(str(error))


@synthesisers
@pytest.mark.parametrize(
    "voice", [Voice("espeak-ng", "en-gb+f2"), Voice("flite", "slt"), Voice("festival", "ked_diphone")]
)
def test_each_engine_speaks(voice: Voice) -> None:
    short, long, nothing = speak(["no", "go to the red ball, please", " ... "], voice)
    assert len(long) > 1.5 * len(short) > RATE // 4
    for wave in (short, long):
        assert wave.dtype == np.float32
        assert 0.05 < np.abs(wave).max() <= 1
    assert not nothing.any()


@synthesisers
@pytest.mark.parametrize("name", [("espeak-ng", "en-us"), ("flite", "rms"), ("festival", "ked_diphone")], ids=str)
def test_speed_and_tract_do_what_they_say(name: tuple[str, str]) -> None:
    text = ["once upon a time"]
    usual, fast, small = (
        trimmed(speak(text, Voice(*name, speed=speed, tract=tract), 16_000)[0], 16_000)
        for speed, tract in ((1.0, 1.0), (1.5, 1.0), (1.0, 1.3))
    )
    assert len(fast) / len(usual) == pytest.approx(1 / 1.5, abs=0.12)
    assert len(small) / len(usual) == pytest.approx(1, abs=0.12)
    assert centre(small) > 1.1 * centre(usual)


def centre(wave: np.ndarray) -> float:
    """The mean frequency of a wave's power below 3 kHz."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / 16_000)
    low = hertz < 3000
    return float((power * hertz)[low].sum() / power[low].sum())


@synthesisers
def test_texts_are_never_programs() -> None:
    for engine, name in (("festival", "ked_diphone"), ("flite", "kal"), ("espeak-ng", "en-us")):
        waves = speak(['") (exit 3) ("', "-o x", "`id` $(id) \\", "é ü 你"], Voice(engine, name))
        assert len(waves) == 4


def test_wrong_voices_are_named() -> None:
    with pytest.raises(UsageError, match="no speech synthesiser 'sam'"):
        voices(["sam"])
    with pytest.raises(UsageError, match="no name of a voice"):
        Voice("flite", "../x")
    with pytest.raises(UsageError, match=r"0\.4 to 2\.5"):
        Voice("flite", "slt", speed=9)


@synthesisers
def test_wrong_names_and_texts_are_refused() -> None:
    with pytest.raises(UsageError, match="it has kal, awb, rms, slt"):
        speak(["a"], Voice("flite", "nobody"))
    with pytest.raises(UsageError, match="espeak-ng cannot speak as 'xx'"):
        speak(["a"], Voice("espeak-ng", "xx"))
    with pytest.raises(UsageError, match="at most 2000 characters"):
        speak(["a" * 3000], Voice("flite", "slt"))


@synthesisers
def test_parts_share_no_voice_accent_or_engine() -> None:
    heard, chosen, tested = cast("train"), cast("valid"), cast("test")
    assert cast("train") == heard
    names = [{voice.name.partition("+")[2] for voice in part if "+" in voice.name} for part in (heard, chosen, tested)]
    assert not names[0] & names[1]
    assert not names[0] & names[2]
    assert not names[1] & names[2]
    assert {voice.name.partition("+")[0] for voice in heard if "+" in voice.name} <= set(HEARD)
    assert {voice.name.partition("+")[0] for voice in tested if "+" in voice.name} == set(UNHEARD)
    assert "festival" in {voice.engine for voice in tested} - {voice.engine for voice in heard}


@synthesisers
def test_what_was_said_is_kept(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANISTA_DATA", str(tmp_path))
    cast_of_two = [Voice("flite", "kal"), Voice("espeak-ng", "en-us")]
    first = said("spoken_words", cast_of_two, [["one", "two"], ["three"]])
    monkeypatch.setattr("lanista.perception.data._cast.speak", None)
    again = said("spoken_words", cast_of_two, [["one", "two"], ["three"]])
    assert first.targets == again.targets == ["one", "two", "three"]
    assert first.groups == ["flite kal", "flite kal", "espeak-ng en-us"]
    for one, other in zip(first.inputs, again.inputs, strict=True):
        assert np.array_equal(one, other)
        assert len(one) > 1000


def test_enough_people_say_the_words(people: DataSet) -> None:
    tested = joined([labelled(people.parts[name]) for name in TESTED])
    assert len(tested) >= 100
    assert len(WORDS) >= 30
    heard = {WORDS[target] for part in people.parts.values() for target in labelled(part).targets}
    assert heard == set(WORDS), "every word is said by some person"
    assert {text for part in people.parts.values() for text in part.targets if len(text) > 1} == spoken_by_people()
    for part in people.parts.values():
        for text, wave in zip(part.targets, part.inputs, strict=True):
            assert 0.1 < len(wave) / people.rate < 2.5, text
            assert np.abs(wave).max() > 0.01, text


def test_spelt_words_are_apart() -> None:
    try:
        parts = words()
    except UsageError as error:
        pytest.skip(str(error))
    begins = {part: {word[:ALIKE] for word in known} for part, known in parts.items()}
    assert not begins["train"] & begins["test"]
    assert not begins["train"] & begins["valid"]
    assert not begins["valid"] & begins["test"]
    people = {word[:ALIKE] for word in spoken_by_people()}
    assert not people & begins["train"]
    assert min(map(len, parts.values())) > 100


def test_errors_are_counted_as_jiwer_does() -> None:
    assert error_rates(["ball", "key"], ["ball", "kay"]) == {"character_error_rate": 1 / 7, "words_right": 0.5}
    assert error_rates(["ball"], [""])["character_error_rate"] == 1
    measured = error_rates(["monday", "door"], ["mondayy", "dor"])["character_error_rate"]
    assert measured == pytest.approx(jiwer.cer(["monday", "door"], ["mondayy", "dor"]))


def test_letters_are_not_spelt(people: DataSet) -> None:
    assert min(len(text) for part in people.parts.values() for text in written(part).targets) == 3
    assert "x-ray" not in written(people.parts["asterisk"]).targets


def test_cepstra_do_not_mind_loudness_or_silence_around() -> None:
    chance = np.random.default_rng(0)
    wave = (chance.normal(size=4000) * np.hanning(4000) * 0.3).astype(np.float32)
    around = np.concatenate([np.zeros(3000, np.float32), wave * 0.5, np.zeros(2000, np.float32)])
    one, other = cepstra([wave, around], 8000)
    assert np.corrcoef(one, other)[0, 1] > 0.9
