"""Weights of a described module as a safetensors file: written whole or not at all, read without trusting it."""

from __future__ import annotations

import json
import math
import struct
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.overrides import TorchFunctionMode

from lanista.errors import UsageError
from lanista.files import check_file, write_bytes
from lanista.perception.sealed_weights import check_seal, sealed
from lanista.plugs import one_line

Module = TypeVar("Module", bound=nn.Module)
MOST_PARAMETERS = 2_000_000_000


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors, whole or not at all."""
    write_bytes(path, sealed(weights))


def read_shapes(path: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The names, dtypes and shapes in a safetensors file, from its header alone.

    Raises:
        UsageError: it is missing, truncated or no safetensors file.
    """
    try:
        check_file(path, 4 * MOST_PARAMETERS + 2**25)
        size = path.stat().st_size
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(size - 8, 2**25):
                raise ValueError("its header is longer than the file")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        found = {name: (str(entry["dtype"]), tuple(entry["shape"])) for name, entry in header.items()}
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
        if end != size - 8 - length:
            raise ValueError(f"it should hold {end} bytes of weights and holds {size - 8 - length}")
    except FileNotFoundError:
        raise UsageError(f"{path.parent} holds no {path.name}") from None
    except UsageError:
        raise
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        struct.error,
        RecursionError,
    ) as error:
        raise UsageError(f"{path} is truncated or no safetensors file ({error})") from None
    return found


class _Unfilled(TorchFunctionMode):
    """Within it new weights are not filled.

    Where they have no memory there is nothing to fill. PyTorch would do so all the same for those that are normally
    distributed, and for that import its compiler, which takes longer than all else.
    """

    def __torch_function__(self, function: Any, types: Any, words: Any = (), options: Any = None) -> Any:
        options = options or {}
        if getattr(function, "__module__", None) == nn.init.__name__:
            return options["tensor"] if "tensor" in options else words[0]
        return function(*words, **options)


def _sketch(make: Callable[[], Module], path: Path, most: int) -> Module:
    """A module without memory, of a description that a stranger may have written.

    Args:
        make: makes it.
        path: of its weights, for errors.
        most: weights that it may have: a description of a billion layers would take memory for their names alone.

    Raises:
        UsageError: no module can be made from the description.
    """
    count, thread = 0, threading.get_ident()

    def counted(*_: object) -> None:
        nonlocal count
        if threading.get_ident() == thread:  # PyTorch tells of other threads' modules too
            count += 1
            if count > most:
                raise UsageError(f"{path} holds far fewer weights than its description asks for")

    watch = register_module_parameter_registration_hook(counted)
    try:
        with torch.device("meta"), _Unfilled():
            return make()
    except UsageError:
        raise
    except Exception as error:  # what torch raises for sizes that cannot be is not one kind
        raise UsageError(f"{path.parent} describes no network that can be made: {one_line(error)[:200]}") from None
    finally:
        watch.remove()


def load_weights(make: Callable[[], Module], path: Path) -> Module:
    """Make a module and fill it from a safetensors file that has exactly its weights.

    The module is first made without memory (torch's meta device), so that a file or description that asks for too
    much is refused before anything is allocated.

    Args:
        make: makes the module, the same each time.
        path: the file.
    """
    found = read_shapes(path)
    sketch = _sketch(make, path, 4 * len(found) + 1000)
    wanted = {name: tuple(value.shape) for name, value in sketch.state_dict().items()}
    if sum(math.prod(shape) for shape in wanted.values()) > MOST_PARAMETERS:
        raise UsageError(f"{path} would have over {MOST_PARAMETERS:,} parameters")
    for name, shape in wanted.items():
        if name not in found:
            raise UsageError(f"{path} lacks the weights '{name}' that its description asks for")
        if found[name] != ("F32", shape):
            raise UsageError(f"{path}: '{name}' should be F32 {shape}, and is {found[name][0]} {found[name][1]}")
    extra = sorted(set(found) - set(wanted))
    if extra:
        raise UsageError(f"{path} has weights '{extra[0]}' that its description does not know")
    with torch.device("cpu"):  # whatever device the caller sketches on
        module = make()
    check_seal(path)
    try:
        module.load_state_dict(load_file(path), strict=True)
    except (SafetensorError, RuntimeError) as error:
        raise UsageError(f"{path} cannot be read ({error})") from None
    if not all(bool(torch.isfinite(value).all()) for value in module.state_dict().values()):
        raise UsageError(f"{path} holds weights that are not finite numbers")
    return module
