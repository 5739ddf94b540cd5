"""PPO on CartPole as CleanRL's `ppo.py` does it (Huang et al. 2022, JMLR 23(274)), its order of work and operations.

A loop over single environments, storage filled a step at a time, `torch.distributions`, Adam as it comes, the clipped
value loss. Its TensorBoard writer is left out, which is in its favour.
"""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions.categorical import Categorical

from lanista.bench.solved import is_solved, solved
from lanista.bench.worker import Work, repeat


def layer(inputs: int, outputs: int, deviation: float = float(np.sqrt(2))) -> nn.Linear:
    """A linear layer with CleanRL's initialisation."""
    made = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(made.weight, deviation)
    nn.init.constant_(made.bias, 0.0)
    return made


class Actor(nn.Module):
    """CleanRL's agent: two trunks of two layers."""

    def __init__(self, activation: type[nn.Module]) -> None:
        super().__init__()
        self.critic = nn.Sequential(layer(4, 64), activation(), layer(64, 64), activation(), layer(64, 1, 1.0))
        self.actor = nn.Sequential(layer(4, 64), activation(), layer(64, 64), activation(), layer(64, 2, 0.01))

    def value(self, seen: Tensor) -> Tensor:
        """(rows, 1)."""
        worth: Tensor = self.critic(seen)
        return worth

    def action_and_value(self, seen: Tensor, action: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Actions, their log-probabilities, entropies and values."""
        distribution: Any = Categorical(logits=self.actor(seen))
        if action is None:
            action = distribution.sample()
        return action, distribution.log_prob(action), distribution.entropy(), self.critic(seen)


class Loop:
    """One training run."""

    def __init__(self, seed: int, settings: dict[str, Any], activation: type[nn.Module], total: int) -> None:
        """Begin.

        Args:
            seed: of all.
            settings: as for `begin`.
            activation: between the layers.
            total: steps over which the rate falls to nothing; 0 leaves it.
        """
        torch.manual_seed(seed)
        np.random.seed(seed)
        self.settings, self.total, self.updates, self.steps = settings, total, 0, 0
        envs, plies = settings["envs"], settings["plies"]
        self.envs: Any = gym.vector.SyncVectorEnv(
            [lambda: gym.wrappers.RecordEpisodeStatistics(gym.make("CartPole-v1"))] * envs
        )
        self.agent = Actor(activation)
        self.optimizer = torch.optim.Adam(self.agent.parameters(), lr=settings["learning_rate"], eps=1e-5)
        self.obs, self.actions = torch.zeros((plies, envs, 4)), torch.zeros((plies, envs))
        self.logprobs, self.rewards, self.dones, self.values = torch.zeros((4, plies, envs))
        self.next_obs = torch.Tensor(self.envs.reset(seed=seed)[0])
        self.next_done = torch.zeros(envs)
        self.returns: list[float] = []

    def update(self) -> float:
        """Play a batch and learn from it."""
        settings = self.settings
        if self.total:
            share = 1.0 - self.updates * settings["envs"] * settings["plies"] / self.total
            self.optimizer.param_groups[0]["lr"] = max(share, 0.0) * settings["learning_rate"]
        self.updates += 1
        self._play()
        self._learn(*self._advantages())
        return float(settings["envs"] * settings["plies"])

    def _play(self) -> None:
        for step in range(self.settings["plies"]):
            self.steps += self.settings["envs"]
            self.obs[step] = self.next_obs
            self.dones[step] = self.next_done
            with torch.no_grad():
                action, logprob, _, value = self.agent.action_and_value(self.next_obs)
                self.values[step] = value.flatten()
            self.actions[step] = action
            self.logprobs[step] = logprob
            seen, reward, terminations, truncations, infos = self.envs.step(action.cpu().numpy())
            done = np.logical_or(terminations, truncations)
            self.rewards[step] = torch.tensor(reward).view(-1)
            self.next_obs, self.next_done = torch.Tensor(seen), torch.Tensor(done)
            if "episode" in infos:
                self.returns += infos["episode"]["r"][infos["_episode"]].tolist()

    def _advantages(self) -> tuple[Tensor, Tensor]:
        settings = self.settings
        with torch.no_grad():
            next_value = self.agent.value(self.next_obs).reshape(1, -1)
            advantages = torch.zeros_like(self.rewards)
            last: Any = 0
            for t in reversed(range(settings["plies"])):
                end = t == settings["plies"] - 1
                goes_on = 1.0 - (self.next_done if end else self.dones[t + 1])
                ahead = next_value if end else self.values[t + 1]
                delta = self.rewards[t] + settings["gamma"] * ahead * goes_on - self.values[t]
                advantages[t] = last = delta + settings["gamma"] * settings["gae_lambda"] * goes_on * last
            return advantages, advantages + self.values

    def _learn(self, advantages: Tensor, returns: Tensor) -> None:
        settings, clip = self.settings, self.settings["clip"]
        b_obs, b_logprobs = self.obs.reshape((-1, 4)), self.logprobs.reshape(-1)
        b_actions, b_advantages = self.actions.reshape(-1), advantages.reshape(-1)
        b_returns, b_values = returns.reshape(-1), self.values.reshape(-1)
        b_inds = np.arange(len(b_obs))
        clipfracs = []
        for _ in range(settings["epochs"]):
            np.random.shuffle(b_inds)
            for start in range(0, len(b_obs), settings["minibatch"]):
                mb = b_inds[start : start + settings["minibatch"]]
                _, newlogprob, entropy, newvalue = self.agent.action_and_value(b_obs[mb], b_actions.long()[mb])
                logratio = newlogprob - b_logprobs[mb]
                ratio = logratio.exp()
                with torch.no_grad():
                    _old_approx_kl = (-logratio).mean()
                    _approx_kl = ((ratio - 1) - logratio).mean()
                    clipfracs.append(((ratio - 1.0).abs() > clip).float().mean().item())
                gain = b_advantages[mb]
                gain = (gain - gain.mean()) / (gain.std() + 1e-8)
                pg_loss = torch.max(-gain * ratio, -gain * torch.clamp(ratio, 1 - clip, 1 + clip)).mean()
                newvalue = newvalue.view(-1)
                v_clipped = b_values[mb] + torch.clamp(newvalue - b_values[mb], -clip, clip)
                v_loss = 0.5 * torch.max((newvalue - b_returns[mb]) ** 2, (v_clipped - b_returns[mb]) ** 2).mean()
                loss = pg_loss - settings["entropy"] * entropy.mean() + v_loss * settings["value"]
                self.optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.agent.parameters(), settings["norm"])
                self.optimizer.step()
        y_pred, y_true = b_values.numpy(), b_returns.numpy()
        _explained = 1 - np.var(y_true - y_pred) / max(np.var(y_true), 1e-8)


def begin(solving: int = 0, **settings: Any) -> Work:
    """Begin a run.

    Args:
        solving: a slice is a run from the start, as published, whose rate falls to nothing over so many steps; 0: a
            slice is some updates of one run, at a constant rate and with ReLU as all others have it.
        settings: envs, plies, epochs, minibatch, learning_rate, entropy, gamma, gae_lambda, clip, value, norm.
    """
    torch.set_num_threads(1)
    if not solving:
        loop = Loop(0, settings, nn.ReLU, 0)
        return lambda seconds: {"steps": repeat(loop.update, seconds)}
    seeds = count()

    def solve(seconds: float) -> dict[str, float]:
        run, end = Loop(next(seeds), settings, nn.Tanh, solving), time.process_time() + seconds
        while not is_solved(run.returns) and (not run.steps or time.process_time() < end):
            run.update()
        return solved(is_solved(run.returns), run.steps)

    return solve
