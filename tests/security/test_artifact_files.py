"""Agents, encoders and heads from strangers: their descriptions and their weights, damaged and made up."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from attacks import attack, damaged, examples, harmless, odd_json, taken_or_refused
from hypothesis import strategies as st

from lanista.agents.artifact import load_networks, read_description, save_agent
from lanista.agents.policy_network import build_network
from lanista.envs import make
from lanista.errors import UsageError
from lanista.perception.encoder import build_encoder
from lanista.perception.heads.classes import Classes
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.pretrained import load_encoder, load_recogniser
from lanista.perception.recogniser import Recogniser
from lanista.perception.weights_file import read_shapes

Case = tuple[Path, Callable[[Path], object], tuple[str, ...], tuple[str, ...]]


def agent(folder: Path) -> Case:
    torch.manual_seed(0)
    network = build_network(make("tictactoe").spec, "mlp:dim=8")
    save_agent(folder, network, "tictactoe", "float32", {"steps": 3})
    return folder, load_networks, ("agent.json",), ("model.safetensors",)


def recogniser(folder: Path) -> Case:
    torch.manual_seed(0)
    reader = PictureInput(8, 8)
    encoder = build_encoder("mlp:dim=8", reader.space)
    encoder.input = reader
    Recogniser(encoder, Classes(8, labels=["cat", "dog"])).save(folder)
    return folder, load_recogniser, ("encoder.json", "head.json"), ("model.safetensors", "head.safetensors")


KINDS = {"agent": agent, "recogniser": recogniser}


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    """A whole artifact, what loads it, and its files: descriptions, weights."""
    found = KINDS[request.param](tmp_path / "artifact")
    found[1](found[0])  # what is imported once is imported now
    return found


def attacked(
    case: Case, names: tuple[str, ...], examples: int, made: Callable[[bytes], st.SearchStrategy[bytes]]
) -> None:
    """Load with other contents of some of the files, one after the other; whole again, it loads."""
    folder, load, *_ = case
    for name in names:
        path = folder / name
        whole = path.read_bytes()

        def once(data: bytes, path: Path = path) -> None:
            path.write_bytes(data)
            taken_or_refused(lambda: load(folder), folder)

        attack(examples, made(whole), once)
        path.write_bytes(whole)
    load(folder)


@examples
def test_descriptions_with_odd_values(case: Case, examples: int) -> None:
    attacked(case, case[2], examples, lambda whole: odd_json(json.loads(whole)) | damaged(whole))


@examples
def test_damaged_weights(case: Case, examples: int) -> None:
    attacked(case, case[3], examples, damaged)


@examples
def test_odd_headers_of_weights(case: Case, examples: int) -> None:
    """Safetensors whose header is a JSON of anything, at its right length and at wrong ones."""
    folder, load, _, names = case
    path = folder / names[0]
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    header, body = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    lengths = st.sampled_from((None, None, None, 0, 1, 2**25, 2**31, 2**63, 2**64 - 1))

    def once(value: tuple[bytes, int | None]) -> None:
        text, said = value
        path.write_bytes(struct.pack("<Q", len(text) if said is None else said) + text + body)
        taken_or_refused(lambda: load(folder), folder)
        taken_or_refused(lambda: read_shapes(path), folder)

    attack(examples, st.tuples(odd_json(header), lengths), once)


@pytest.mark.parametrize("shape", [[2**40], [2**20] * 3, [2**62, 4], [0, 2**62], [10**400], [-1, -1]])
def test_a_shape_that_nobody_has_room_for_is_refused_before_it_is_made(case: Case, shape: list[int]) -> None:
    folder, load, _, names = case
    path = folder / names[0]
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + length])
    first = next(name for name in header if name != "__metadata__")
    header[first]["shape"] = shape
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + length :])
    assert not taken_or_refused(lambda: load(folder), folder, megabytes=64)


@pytest.mark.parametrize("name", ["agent.json"])
@pytest.mark.parametrize(
    "text",
    [
        b'{"format": ' + b"9" * 5000 + b"}",
        b'{"format": 1e99999}',
        b'{"format": NaN}',
        b'{"a":' * 50_000,
        b"[" * 10**6,
        b'{"\xff": 1}',
        b"\xff\xfe{\x00}\x00",
        b'{"format": 1, "format": 1}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_json_that_is_hard_to_read_is_refused(tmp_path: Path, name: str, text: bytes) -> None:
    (tmp_path / name).write_bytes(text)
    with harmless(tmp_path), pytest.raises(UsageError) as refusal:
        read_description(tmp_path)
    assert "\n" not in str(refusal.value)


def test_an_encoder_that_asks_for_too_much_is_refused_before_it_is_made(tmp_path: Path) -> None:
    """Options that would make a network of terabytes, of each encoder that has sizes among its options."""
    folder, *_ = recogniser(tmp_path / "artifact")
    whole: dict[str, Any] = json.loads((folder / "encoder.json").read_text())
    greedy: list[dict[str, Any]] = [
        {"dim": 10**9, "depth": 1},
        {"dim": 8, "depth": 10**9},
        {"dim": 10**6, "depth": 3},
        {"dim": 2**63},
        {"dim": -1},
        {"dim": 0},
        {"dim": True},
        {"dim": "8"},
        {"dim": 8.5},
        {"dim": None},
        {"dim": [8]},
    ]
    for options in greedy:
        (folder / "encoder.json").write_text(json.dumps(whole | {"options": options}))
        assert not taken_or_refused(lambda: load_encoder(folder), folder, megabytes=64), options
