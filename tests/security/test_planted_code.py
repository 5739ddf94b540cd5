"""Files that hold code where weights belong: none of it runs, whatever they are called."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from attacks import Canary, harmless

from lanista.agents.artifact import load_networks, save_agent
from lanista.agents.contestant import load_agent
from lanista.agents.import_model import import_model
from lanista.agents.kinds.sb3 import algorithm_of
from lanista.agents.policy_network import build_network, keep_memory
from lanista.envs import make
from lanista.errors import UsageError


def in_numpy(canary: Canary) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([canary], object), allow_pickle=True)
    return file.getvalue()


def in_torch(canary: Canary, zipped: bool = True) -> bytes:
    file = io.BytesIO()
    torch.save({"policy.weight": canary}, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()


PLANTS: dict[str, Callable[[Canary], bytes]] = {
    "a pickle": pickle.dumps,
    "an old pickle": lambda canary: pickle.dumps(canary, 0),
    "a file of torch": in_torch,
    "an old file of torch": lambda canary: in_torch(canary, zipped=False),
    "an array of objects": in_numpy,
    "a pickle behind a header": lambda canary: struct.pack("<Q", 2) + b"{}" + pickle.dumps(canary),
    "a pickle in a header": lambda canary: struct.pack("<Q", len(pickle.dumps(canary))) + pickle.dumps(canary),
}


@pytest.fixture
def canary(tmp_path: Path) -> Canary:
    return Canary(tmp_path / "sprung")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_agent(tmp_path / "agent", build_network(make("tictactoe").spec, "mlp:dim=8"), "tictactoe", "float32", {})
    load_networks(tmp_path / "agent")
    return tmp_path / "agent"


def test_the_canary_sings(canary: Canary) -> None:
    """Else the tests below could not fail."""
    for plant in ("a pickle", "an old pickle"):
        pickle.loads(PLANTS[plant](canary)).close()
        assert canary.path.exists()
        canary.path.unlink()
    torch.load(io.BytesIO(in_torch(canary)), weights_only=False)["policy.weight"].close()
    assert canary.path.exists()
    with pytest.raises(AssertionError, match="wrote"), harmless():
        canary.path.open("w").close()
    with pytest.raises(AssertionError, match="find_class"), harmless(canary.path.parent):
        pickle.loads(PLANTS["a pickle"](canary)).close()


def test_memory_that_is_filled_is_seen_also_after_more_was_held() -> None:
    """Else what an earlier test has held would let as much pass unseen."""
    keep_memory()  # as whatever has trained in this process
    assert np.ones(400 << 17).all()
    with pytest.raises(AssertionError, match="it took"), harmless(megabytes=64):
        assert np.ones(300 << 17).all()
    with harmless(megabytes=64):
        assert np.ones(30 << 17).all()


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", ["model.safetensors", "agent.json"])
def test_in_an_agents_folder(folder: Path, canary: Canary, plant: str, name: str) -> None:
    (folder / name).write_bytes(PLANTS[plant](canary))
    with harmless(folder), pytest.raises(UsageError) as refusal:
        load_agent(str(folder))
    assert not canary.path.exists() and "\n" not in str(refusal.value)


def test_files_that_an_agent_does_not_have_are_not_read(folder: Path, canary: Canary) -> None:
    """Names under which others look for pickles and for code of a model's own."""
    for name in ("model.pt", "pytorch_model.bin", "model.pkl", "optimizer.pt"):
        (folder / name).write_bytes(pickle.dumps(canary))
    for name in ("__init__.py", "agent.py", "conftest.py", "sitecustomize.py", "torch.py", "json.py"):
        (folder / name).write_text(f"open({str(canary.path)!r}, 'w')\n")
    with harmless(folder):
        load_agent(str(folder))
    assert not canary.path.exists()


def sb3(path: Path, weights: bytes, settings: bytes = b"{}") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", settings)
        archive.writestr("policy.pth", weights)
        archive.writestr("_stable_baselines3_version", "2.9.2")
    return path


@pytest.mark.parametrize("plant", ["a pickle", "a file of torch", "an old file of torch", "an array of objects"])
def test_in_a_model_of_stable_baselines(tmp_path: Path, canary: Canary, plant: str) -> None:
    """Imported, nothing of it runs; as an opponent it needs `--trust`."""
    path = sb3(
        tmp_path / "model.zip", PLANTS[plant](canary), json.dumps({"policy_class": {":serialized:": "x"}}).encode()
    )
    with harmless(), pytest.raises(UsageError):
        import_model(path, "tictactoe", tmp_path / "out")
    with harmless(), pytest.raises(UsageError, match="trust"):
        load_agent(f"sb3:{path}")
    assert not canary.path.exists()


def test_archives_that_unpack_to_far_more_are_refused(tmp_path: Path) -> None:
    """A zip of a megabyte whose settings, version or tensors are gigabytes of zeros."""
    bulk = bytes(2**28)  # of settings; half of it would be taken
    path = sb3(tmp_path / "model.zip", b"", bulk)
    assert path.stat().st_size < 2**20
    with harmless(megabytes=64), pytest.raises(UsageError, match="256 MB"):
        import_model(path, "tictactoe", tmp_path / "out")
    with harmless(megabytes=64), pytest.raises(UsageError, match="256 MB"):
        algorithm_of(path)


def test_tensors_that_unpack_to_far_more_are_refused(tmp_path: Path) -> None:
    """The archive within the archive says that one of its files has three gigabytes."""
    file = io.BytesIO()
    torch.save({"action_net.weight": torch.zeros(4)}, file)
    inner = bytearray(file.getvalue())
    at = inner.rindex(b"PK\x01\x02")  # the last file's entry in the directory
    inner[at + 24 : at + 28] = struct.pack("<I", 3 * 2**30)
    path = sb3(tmp_path / "model.zip", bytes(inner))
    with harmless(megabytes=64), pytest.raises(UsageError, match="2048 MB"):
        import_model(path, "tictactoe", tmp_path / "out")


def rllib(folder: Path, state: bytes) -> Path:
    module = folder / "learner_group" / "learner" / "rl_module" / "default"
    module.mkdir(parents=True)
    (folder / "rllib_checkpoint.json").write_text('{"ray_version": "2.60.0"}')
    (module / "module_state.pkl").write_bytes(state)
    return folder


ARRAY = b"\x80\x03}X\x01\x00\x00\x00wcnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nL%dL\n\x85C\x01b\x87Rs."


@pytest.mark.parametrize(
    "state",
    [
        b"\x80\x02}r\xff\xff\xff\x1f.",  # a part with the number 536,870,911, for which the reader makes a table
        b"}p400000000\n.",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.",
        b"\x80\x04\x95" + struct.pack("<Q", 2**62) + b"}.",
        b"(" * 100_000 + b".",
        b"}" + b"0" * 10 + b".",
        ARRAY % 2**40,
        b"cos\nsystem\n(Vtouch /tmp/planted\ntR.",
        b"cbuiltins\neval\n(V1\ntR.",
        b"cnumpy\nndarray.__class__\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0bndarray.tofile\x93.",
    ],
)
def test_in_a_checkpoint_of_rllib(tmp_path: Path, state: bytes) -> None:
    """Pickles, read by a reader that makes arrays and nothing else; and none that is larger than the file says."""
    path = rllib(tmp_path / "checkpoint", state)
    with harmless(megabytes=150), pytest.raises(UsageError, match=r"cannot be read|more than 2048 MB"):
        import_model(path, "gym:CartPole-v1", tmp_path / "out")
    assert not (tmp_path / "out").exists()
