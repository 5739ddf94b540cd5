"""A pretrained CNN as the features extractor of Stable-Baselines3's PPO, on Atari's Pong.

lanista pretrain pictures:data=digits,side=84 --encoder nature_cnn --out runs/screens
python examples/sb3_features.py runs/screens [STEPS]
"""

import sys

import ale_py
import gymnasium
import numpy as np
from stable_baselines3 import PPO

import lanista
from lanista.training.sb3_features import sb3_policy

name = sys.argv[1]
steps = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
reader = lanista.load_encoder(name).input  # it knows which pictures the encoder was trained on

gymnasium.register_envs(ale_py)
screens = gymnasium.make("ALE/Pong-v5", obs_type="grayscale")
env = gymnasium.wrappers.TransformObservation(screens, lambda screen: reader.fit(screen[None])[0], reader.space)
env = gymnasium.wrappers.ReshapeObservation(gymnasium.wrappers.FrameStackObservation(env, 4), (4, 84, 84))

model = PPO("CnnPolicy", env, n_steps=128, policy_kwargs=sb3_policy(name, freeze=True), verbose=1)
before = [value.clone() for value in model.policy.features_extractor.parameters()]
model.learn(steps)
after = model.policy.features_extractor.parameters()
print("frozen weights unchanged:", all(np.array_equal(a.detach(), b) for a, b in zip(after, before, strict=True)))
