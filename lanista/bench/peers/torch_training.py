"""The bound: PPO self-play as a bare loop in torch, for this one game and nothing else.

No runners, agents, checkpoints or metrics: a table of games, a network, a rollout, advantages, epochs. What our
training costs beyond this is what its generality costs. Of ours it has the table and the two things that make torch
itself faster: rows computed in parts, and memory that is kept.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

from lanista.agents.policy_network import ROWS_AT_ONCE, keep_memory
from lanista.bench.peers.board_network import BoardNetwork
from lanista.bench.worker import Work, repeat
from lanista.envs import Game, Turn, make

GAMMA, LAMBDA, CLIP, ENTROPY, VALUE, NORM = 1.0, 0.95, 0.2, 0.03, 0.5, 0.5
COLUMNS = 7


def begin(
    copies: int, plies: int, epochs: int, minibatch: int, micro_batch: int, learning_rate: float,
    channels: int, blocks: int, dim: int, bfloat16: bool = False,
) -> Work:  # fmt: skip
    """Make the games and the network.

    Args:
        copies, plies: rows of a batch.
        epochs, minibatch: passes over it, and rows a gradient step.
        micro_batch: rows computed at once.
        learning_rate: Adam's.
        channels, blocks, dim: of the network.
        bfloat16: compute in it.
    """
    torch.set_num_threads(1)
    keep_memory()
    torch.manual_seed(0)
    network = BoardNetwork((2, 6, COLUMNS), COLUMNS, channels, blocks, dim)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate, eps=1e-5, fused=True)
    table = make("connect_four", copies)
    table.reset(0)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=bfloat16)

    def once() -> float:
        with torch.inference_mode(), autocast:
            batch = rollout(network, table, plies)
        batch = [value.clone() for value in batch]  # out of inference mode: the gradient may keep them
        for _ in range(epochs):
            for pick in torch.split(torch.randperm(copies * plies), minibatch):
                mirrored = bool(torch.rand(()) < 0.5)
                optimizer.zero_grad(set_to_none=True)
                for micro in torch.split(pick, micro_batch):
                    with autocast:
                        loss = surrogate(network, [value[micro] for value in batch], mirrored)
                    (loss * (len(micro) / len(pick))).backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(network.parameters(), NORM)
                optimizer.step()
        return copies * plies

    return lambda seconds: {"steps": repeat(once, seconds)}


def rollout(network: BoardNetwork, table: Game, plies: int) -> list[Tensor]:
    """Play `plies` moves of all games: boards, legal actions, actions, log-probabilities, advantages, returns."""
    boards, legals, actions, logs, values, rewards, ends = [], [], [], [], [], [], []
    games = np.arange(table.copies)
    for _ in range(plies):
        turn = table.turn()
        board, legal, logits, value = evaluate(network, turn)
        log_policy = F.log_softmax(logits.float(), -1)
        # The greatest of log-probabilities with Gumbel noise is a draw from the policy.
        action = (log_policy - torch.empty_like(log_policy).exponential_().log_()).argmax(-1)
        outcome = table.step(action.numpy())
        boards.append(board)
        legals.append(legal)
        actions.append(action)
        logs.append(log_policy.gather(1, action[:, None]).squeeze(1))
        values.append(value.float())
        rewards.append(torch.from_numpy(outcome.rewards[games, turn.players]))
        ends.append(torch.from_numpy(outcome.finished))
    ahead = evaluate(network, table.turn())[3].float()
    gains, gain = [], torch.zeros(table.copies)
    for value, reward, end in zip(reversed(values), reversed(rewards), reversed(ends), strict=True):
        # The next row is the opponent's: what is good for it is bad for us.
        goes_on = (~end).float()
        gain = reward - value - GAMMA * goes_on * (ahead + LAMBDA * gain)
        gains.append(gain)
        ahead = value
    advantage, value = torch.cat(gains[::-1]), torch.cat(values)
    returns = (advantage + value).clamp(-1, 1)
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    return [torch.cat(boards), torch.cat(legals), torch.cat(actions), torch.cat(logs), advantage, returns]


def evaluate(network: BoardNetwork, turn: Turn) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Boards, legal actions, logits and values of a turn."""
    board, legal = torch.from_numpy(turn.observation["board"]), torch.from_numpy(turn.legal)
    parts = [
        network(*some) for some in zip(torch.split(board, ROWS_AT_ONCE), torch.split(legal, ROWS_AT_ONCE), strict=True)
    ]
    logits, value = (torch.cat(part) for part in zip(*parts, strict=True))
    return board, legal, logits, value


def surrogate(network: BoardNetwork, rows: list[Tensor], mirrored: bool) -> Tensor:
    """PPO's loss of some rows, seen as they were or in the mirror."""
    board, legal, action, old, advantage, returns = rows
    if mirrored:
        board, legal, action = board.flip(-1), legal.flip(-1), COLUMNS - 1 - action
    logits, value = network(board, legal)
    log_policy = F.log_softmax(logits.float(), -1)
    ratio = (log_policy.gather(1, action[:, None]).squeeze(1) - old).exp()
    policy = -torch.min(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage).mean()
    entropy = -(log_policy.exp() * log_policy).sum(-1).mean()
    return policy + VALUE * F.mse_loss(value.float(), returns) - ENTROPY * entropy
