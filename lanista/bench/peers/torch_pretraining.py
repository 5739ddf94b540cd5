"""The bound: a bare loop in torch that trains the same network on the same tensors, all in memory, and does no more.

No changes to the batches, no schedule, no clipping, no average of the weights: what they cost is what our loop costs.
"""

from __future__ import annotations

from itertools import chain, count

import torch

from lanista.bench.worker import Work, repeat
from lanista.perception.encoder import build_encoder
from lanista.perception.recogniser import Recogniser
from lanista.perception.task import make_task


def begin(task: str) -> Work:
    """Read the examples and make the network.

    Args:
        task: the task's string; its encoder, head and batch are taken.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    made = make_task(task)
    splits, size = made.load(0), made.recipe.batch_size
    reader = made.input(splits)
    encoder = build_encoder(made.recipe.encoder, reader.space)
    network = Recogniser(encoder, made.head(encoder.dim, splits)).train()
    inputs = torch.from_numpy(reader.fit(splits.train.inputs, splits.rate))
    targets = torch.from_numpy(network.head.numbers(splits.train.targets))
    optimizer = torch.optim.AdamW(network.parameters(), lr=made.recipe.learning_rate, fused=True)
    bfloat16 = bool(torch.cpu._is_avx512_bf16_supported())
    batches = chain.from_iterable(
        torch.split(torch.randperm(len(inputs)), size)[: len(inputs) // size] for _ in count()
    )

    def update() -> int:
        rows = next(batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = network.loss(inputs[rows], targets[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return len(rows)

    return lambda seconds: {"steps": repeat(update, seconds)}
