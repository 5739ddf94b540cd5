"""Narrow residual networks: PyTorch 2.13 writes past its memory in some of their gradients, which ended the process."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from lanista.perception.encoders.small_resnet import Block

PROGRAM = """
import torch
from lanista.perception.encoders.small_resnet import SmallResnet
torch.set_num_threads(1)
for channels in (2, 4):
    encoder = SmallResnet((1, 32, 32), channels=channels)
    for _ in range(60):
        encoder(torch.rand(64, 1, 32, 32)).square().sum().backward()
"""


def test_their_gradients_do_not_end_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("stride", [2, (2, 1)])
def test_a_leaping_shortcut_is_the_strided_convolution(stride: int | tuple[int, int]) -> None:
    block = Block(4, 8, stride)
    values = torch.rand(3, 4, 7, 8)
    torch.testing.assert_close(block._short(values), block.shortcut(values))
