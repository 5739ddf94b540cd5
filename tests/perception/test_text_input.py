"""Texts to tokens and the encoder that reads them: bad texts, strangers' tokenisers, padding, export."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import build_encoder, encoder_from
from lanista.perception.encoders.text_gru import TextGru
from lanista.perception.input import input_from
from lanista.perception.inputs.text import UNKNOWN, TextInput, learn_text_input, learn_tokenizer
from lanista.perception.text_classification import drop_tokens

TEXTS = ["The dragon wakes.", "A knight rides to the dragon!", "Nobody knows the way to the castle", "the way"] * 3


@pytest.fixture(scope="module")
def reader() -> TextInput:
    return learn_text_input(TEXTS, length=16, vocabulary=300)


def made(reader: TextInput, options: str) -> TextGru:
    torch.manual_seed(0)
    encoder = build_encoder(f"text_gru:{options}", reader.space)
    assert isinstance(encoder, TextGru)
    return encoder.eval()


@pytest.fixture(scope="module")
def encoder(reader: TextInput) -> TextGru:
    return made(reader, "width=8,dim=12,bag=4")


@pytest.fixture(scope="module")
def deeper(reader: TextInput) -> TextGru:
    return made(reader, "width=8,dim=32,bag=4,layers=2,repeats=true")


@pytest.mark.parametrize(
    "text", ["", "   \n", "\0", "\ud800 half a pair", "日本語のテキスト", "🐉" * 50, "é" * 9, "<b>[PAD]</b>", "x" * 3]
)
def test_any_text_has_a_row_of_at_least_one_token(reader: TextInput, text: str) -> None:
    row = reader.read(text)
    assert row.shape == (16,)
    assert row.dtype == np.int32
    assert row[0] != 0
    assert reader.space.contains(row)


def test_the_empty_text_is_one_unknown_token(reader: TextInput) -> None:
    assert reader.read("").tolist() == [UNKNOWN] + [0] * 15


@pytest.mark.parametrize("text", ["a" * 20_000_000, "word " * 4_000_000, " " * 20_000_000])
def test_enormous_texts_are_cut_quickly(reader: TextInput, text: str) -> None:
    begun = time.monotonic()
    reader.read(text)
    assert time.monotonic() - begun < 0.5


def test_capitals_and_composed_letters_do_not_matter(reader: TextInput) -> None:
    rows = reader.fit(["THE DRAGON", "the dragon", "caf\u00e9", "cafe\u0301"])
    assert np.array_equal(rows[0], rows[1])
    assert np.array_equal(rows[2], rows[3])


def test_learning_a_tokeniser_is_repeatable_and_reads_nothing_else(reader: TextInput) -> None:
    assert learn_text_input(TEXTS, 16, 300) == reader
    assert learn_text_input([*TEXTS, "wyvern wyvern wyvern"], 16, 300) != reader


def test_described_it_is_made_again(reader: TextInput) -> None:
    again = input_from(json.loads(json.dumps(reader.describe())))
    assert again == reader
    assert np.array_equal(again.fit(TEXTS), reader.fit(TEXTS))


def _changed(text: str, change: Any) -> str:
    about = json.loads(text)
    change(about)
    return json.dumps(about)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda about: about.pop("model"), "with a 'model'"),
        (lambda about: about["model"].update(type="Unigram"), "'Unigram'"),
        (lambda about: about["model"].update(dropout=0.5), "at random"),
        (lambda about: about["model"].update(vocab="many"), "cannot be read"),
        (lambda about: about["model"]["merges"].append(["zz", "zzz"]), "cannot be read"),
        (lambda about: about["model"]["vocab"].update({"far": 10**6}), "must have ids"),
        (lambda about: about.update(post_processor={"type": "ByteLevel"}), "post_processor"),
        (
            lambda about: about.update(pre_tokenizer={"type": "Split", "pattern": {"Regex": "(a+)+$"}}),
            "pre_tokenizer 'Split'",
        ),
        (
            lambda about: about.update(normalizer={"type": "Sequence", "normalizers": [{"type": "Replace"}]}),
            "normalizer 'Replace'",
        ),
    ],
)
def test_a_strangers_tokeniser_is_checked(reader: TextInput, change: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        input_from({**reader.describe(), "tokenizer": _changed(reader.tokenizer, change)})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", "[" * 100_000, '{"model": 3}'])
def test_what_is_no_tokeniser_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="tokenizer"):
        TextInput(8, text)


def test_wrong_lengths_and_vocabularies_are_refused(reader: TextInput, encoder: TextGru) -> None:
    with pytest.raises(UsageError, match="1 to 4096"):
        TextInput(0, reader.tokenizer)
    about = {**encoder.describe(), "input": reader.describe()}
    assert encoder_from(about).input == reader
    small = {**about, "options": {**about["options"], "vocabulary": 100}}
    with pytest.raises(UsageError, match="knows 100 tokens"):
        encoder_from(small)


def test_other_spaces_are_refused() -> None:
    from gymnasium import spaces

    with pytest.raises(UsageError, match="whole numbers from 0"):
        build_encoder("text_gru", spaces.Box(-1, 5, (4,), np.int32))
    with pytest.raises(UsageError, match="vocabulary of 2 to"):
        build_encoder("text_gru", spaces.Box(0, 2**31 - 2, (4,), np.int64))


@pytest.mark.parametrize("name", ["encoder", "deeper"])
def test_padding_never_matters(name: str, reader: TextInput, request: pytest.FixtureRequest) -> None:
    encoder: TextGru = request.getfixturevalue(name)
    rows = torch.from_numpy(reader.fit([*TEXTS[:4], ""]))
    longer = nn.functional.pad(rows, (0, 9))
    torch.testing.assert_close(encoder(longer), encoder(rows), rtol=1e-5, atol=1e-6)
    for row in rows:
        alone = row[: int((row != 0).sum())]
        torch.testing.assert_close(encoder(alone[None]), encoder(row[None]), rtol=1e-5, atol=1e-6)


def test_both_directions_equal_packed_sequences(encoder: TextGru, reader: TextInput) -> None:
    rows = torch.from_numpy(reader.fit(TEXTS[:4]))
    states, lengths = encoder.sequence(rows)
    both = nn.GRU(8, 6, batch_first=True, bidirectional=True)
    weights = dict(encoder.both.onward.state_dict())
    weights |= {f"{name}_reverse": value for name, value in encoder.both.back.state_dict().items()}
    both.load_state_dict(weights)
    packed = nn.utils.rnn.pack_padded_sequence(
        encoder.embedding(rows.long()), lengths, batch_first=True, enforce_sorted=False
    )
    expected, _ = nn.utils.rnn.pad_packed_sequence(both(packed)[0], batch_first=True)
    torch.testing.assert_close(states, expected)
    assert not states[0, int(lengths[0]) :].any()


def test_dropped_tokens_leave_padding(reader: TextInput) -> None:
    rows = torch.from_numpy(reader.fit(TEXTS))
    dropped = drop_tokens(rows, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(dropped == 0, rows == 0)
    share = float(((dropped == UNKNOWN) & (rows != UNKNOWN)).sum() / (rows != 0).sum())
    assert 0.3 < share < 0.7


def test_every_weight_of_a_deeper_one_learns(deeper: TextGru, reader: TextInput) -> None:
    deeper.zero_grad()
    deeper(torch.from_numpy(reader.fit(TEXTS[:4]))).square().sum().backward()
    assert all(value.grad is not None and value.grad.any() for value in deeper.parameters())


@pytest.mark.slow  # a shallower one is exported among all encoders
def test_what_is_exported_answers_the_same(deeper: TextGru, reader: TextInput, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    rows = torch.from_numpy(reader.fit([*TEXTS[:4], ""]))
    path = tmp_path / "encoder.onnx"
    program = torch.onnx.export(
        deeper, (rows,), dynamo=True, dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False
    )
    assert program is not None
    program.save(str(path))
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for batch in (rows, rows[:2]):
        with torch.no_grad():
            expected: Tensor = deeper(batch)
        got = session.run(None, {session.get_inputs()[0].name: batch.numpy()})[0]
        np.testing.assert_allclose(got, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_special_tokens_come_first() -> None:
    ids = json.loads(learn_tokenizer(TEXTS, 300, special=("[BOS]", "[EOS]")))["model"]["vocab"]
    assert [name for name, index in sorted(ids.items(), key=lambda item: item[1])][:4] == [
        "[PAD]",
        "[UNK]",
        "[BOS]",
        "[EOS]",
    ]
