"""RLlib's PPO learns Pong on a frozen pretrained CNN: python examples/rllib_module.py runs/screens [ITERATIONS]."""

import sys

import gymnasium
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.apis import ValueFunctionAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from ray.tune import register_env

import lanista


class EncoderModule(TorchRLModule, ValueFunctionAPI):
    def setup(self):
        self.encoder = lanista.load_encoder(self.model_config["encoder"]).freeze()
        self.policy, self.value = (torch.nn.Linear(self.encoder.dim, n) for n in (self.action_space.n, 1))

    def _forward(self, batch, **options):
        return {"action_dist_inputs": self.policy(self.encoder(batch["obs"]))}

    def compute_values(self, batch, embeddings=None):
        return self.value(self.encoder(batch["obs"])).squeeze(-1)


def pong(settings):
    env = gymnasium.make("ale_py:ALE/Pong-v5", obs_type="grayscale")
    return gymnasium.wrappers.TransformObservation(env, lambda screen: reader.fit(screen[None])[0], reader.space)


name = sys.argv[1]  # lanista pretrain pictures:data=digits,side=84 --encoder nature_cnn --out runs/screens
reader = lanista.load_encoder(name).input
register_env("pong", pong)
config = PPOConfig().environment("pong").env_runners(num_env_runners=0).training(train_batch_size=256, num_epochs=2)
module = RLModuleSpec(module_class=EncoderModule, model_config={"encoder": name})
algorithm = config.rl_module(rl_module_spec=module).build_algo()
for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20):
    print("steps:", algorithm.train()["num_env_steps_sampled_lifetime"])
