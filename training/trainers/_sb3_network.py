"""What SB3 has learned as the network that the arena plays: the same encoders, its linear heads copied."""

from __future__ import annotations

from typing import Any

import torch

from lanista.agents.policy_network import PolicyNetwork
from lanista.envs.core import GameSpec
from lanista.training.settings import TrainSettings, new_network


def blank_network(spec: GameSpec, settings: TrainSettings) -> PolicyNetwork:
    """A network for `copy_weights` to fill. SB3's values are not squashed into the game's returns, nor are these.

    Raises:
        UsageError: no network plays this game.
    """
    network = new_network(spec, settings)
    network.value_range = None
    return network


@torch.no_grad()
def copy_weights(model: Any, network: PolicyNetwork, reward_deviation: float) -> None:
    """Make a network play as an SB3 model does.

    Of an actor-critic all is the same: features, policy, value. A model of action values plays their greatest, so they
    are the network's logits, in the game's own rewards: `temperature=0` is SB3's `deterministic=True`, and another
    temperature draws in proportion to exp(value / temperature). qrdqn's are the means of its quantiles. The value of
    such a network is the mean of its action values, what a random move would bring; the greatest is not linear.

    Args:
        model: SB3's, with `EncoderFeatures` and no layers between features and heads.
        network: from `blank_network` of the same settings; changed in place.
        reward_deviation: the rewards were divided by this when the model saw them.
    """
    policy = model.policy
    if hasattr(policy, "action_net"):
        features, value = policy.features_extractor, policy.value_net
        network.policy.load_state_dict(policy.action_net.state_dict())
        network.value.weight.copy_(value.weight)
        network.value.bias.copy_(value.bias)
        if network.log_std is not None:
            network.log_std.copy_(policy.log_std)
    else:
        quantiles = hasattr(policy, "quantile_net")
        online = policy.quantile_net if quantiles else policy.q_net
        features, head = online.features_extractor, (online.quantile_net if quantiles else online.q_net)[0]
        # Quantile q of action a is output q * num_actions + a; of dqn there is one quantile.
        weight = head.weight.reshape(-1, *network.policy.weight.shape).mean(0)
        bias = head.bias.reshape(-1, *network.policy.bias.shape).mean(0)
        network.policy.weight.copy_(reward_deviation * weight)
        network.policy.bias.copy_(reward_deviation * bias)
        network.value.weight.copy_(weight.mean(0, keepdim=True))
        network.value.bias.copy_(bias.mean(0, keepdim=True))
    network.fusion.load_state_dict(features.fusion.state_dict())
    if network.normalizer is not None:
        network.normalizer.load_state_dict(features.normalizer.state_dict())
    if network.returns is not None:
        network.returns.mean.zero_()
        network.returns.variance.fill_(reward_deviation**2)
