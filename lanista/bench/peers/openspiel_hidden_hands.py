"""OpenSpiel's own ways to an equilibrium of a game with hidden hands: CFR, NFSP and PSRO, as its examples run them.

A step is a decision: a move of a simulated game, or a position at which an algorithm that walks the tree stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
import pyspiel

from lanista.bench.worker import Work

Algorithm = Iterator[int]  # learns a little, gives how many steps that took


def begin(game: str, algorithm: str, seed: int) -> Work:
    """Begin to learn.

    Args:
        game: OpenSpiel's name of it.
        algorithm: "cfr", "nfsp" or "psro".
        seed: of all chance.

    Returns:
        A function of how many steps to learn for; it tells the steps so far, `nash_conv`, and the CPU seconds of
        learning so far, without those of measuring.
    """
    np.random.seed(seed)  # OpenSpiel's Python draws from it
    learn, measured = {"cfr": cfr, "nfsp": nfsp, "psro": psro}[algorithm](pyspiel.load_game(game), seed)
    steps, seconds = 0, 0.0

    def work(more: float) -> dict[str, float]:
        nonlocal steps, seconds
        end, began = steps + more, time.process_time()
        while steps < end:
            steps += next(learn)
        seconds += time.process_time() - began
        return {"steps": steps, "nash_conv": measured(), "seconds": seconds}

    return work


def cfr(game: Any, seed: int) -> tuple[Algorithm, Callable[[], float]]:
    """Counterfactual regret minimisation (Zinkevich et al. 2007), OpenSpiel's C++; the average policy is measured."""
    solver, decisions = pyspiel.CFRSolver(game), decisions_of(game.new_initial_state())

    def learn() -> Algorithm:
        while True:
            solver.evaluate_and_update_policy()
            yield decisions * game.num_players()  # one player's regrets after the other's

    return learn(), lambda: float(pyspiel.nash_conv(game, solver.average_policy(), True))


def decisions_of(state: Any) -> int:
    """Positions under a state at which a player decides."""
    if state.is_terminal():
        return 0
    return int(not state.is_chance_node()) + sum(decisions_of(state.child(action)) for action in state.legal_actions())


def nfsp(game: Any, seed: int) -> tuple[Algorithm, Callable[[], float]]:
    """Neural fictitious self-play (Heinrich and Silver 2016), with the values of OpenSpiel's example for Leduc."""
    import torch
    from open_spiel.python import policy, rl_environment
    from open_spiel.python.algorithms.exploitability import nash_conv
    from open_spiel.python.pytorch.nfsp import MODE, NFSP

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    environment = rl_environment.Environment(game)
    environment.seed(seed)
    size = environment.observation_spec()["info_state"][0]
    values = {
        "replay_buffer_capacity": 200_000,
        "reservoir_buffer_capacity": 2_000_000,
        "min_buffer_size_to_learn": 1000,
        "anticipatory_param": 0.1,
        "batch_size": 128,
        "learn_every": 64,
        "rl_learning_rate": 0.01,
        "sl_learning_rate": 0.01,
        "optimizer_str": "sgd",
        "loss_str": "mse",
        "update_target_network_every": 19_200,
        "discount_factor": 1.0,
        "epsilon_decay_duration": 20_000_000,
        "epsilon_start": 0.06,
        "epsilon_end": 0.001,
    }
    players = range(game.num_players())
    agents = [NFSP(player, size, game.num_distinct_actions(), [128], **values) for player in players]

    class Average(policy.Policy):  # type: ignore[misc]
        """The average policies of all agents."""

        def action_probabilities(self, state: Any, player_id: int | None = None) -> dict[int, float]:
            """Action -> probability."""
            player, legal = state.current_player(), state.legal_actions()
            seen = {
                "current_player": player,
                "info_state": [state.information_state_tensor(player) if one == player else None for one in players],
                "legal_actions": [legal if one == player else None for one in players],
            }
            step = rl_environment.TimeStep(observations=seen, rewards=None, discounts=None, step_type=None)
            with agents[player].temp_mode_as(MODE.AVERAGE_POLICY):
                told = agents[player].step(step, is_evaluation=True).probs
            return {action: float(told[action]) for action in legal}

    def learn() -> Algorithm:
        while True:
            moves, step = 0, environment.reset()
            while not step.last():
                step = environment.step([agents[step.observations["current_player"]].step(step).action])
                moves += 1
            for agent in agents:
                agent.step(step)
            yield moves

    average = Average(game, list(players))
    return learn(), lambda: float(nash_conv(game, average))


def psro(game: Any, seed: int) -> tuple[Algorithm, Callable[[], float]]:
    """Policy-space response oracles (Lanctot et al. 2017): exact best responses, projected replicator dynamics."""
    from open_spiel.python import policy
    from open_spiel.python.algorithms import policy_aggregator
    from open_spiel.python.algorithms.exploitability import nash_conv
    from open_spiel.python.algorithms.psro_v2 import abstract_meta_trainer, best_response_oracle, psro_v2

    simulated, decisions, plain = [0], decisions_of(game.new_initial_state()), abstract_meta_trainer.sample_episode

    def counted(state: Any, policies: Any) -> Any:
        simulated[0] += not (state.is_terminal() or state.is_chance_node())
        return plain(state, policies)

    abstract_meta_trainer.sample_episode = counted  # it calls itself by this name at each move
    uniform, players = policy.TabularPolicy(game), range(game.num_players())
    solver = psro_v2.PSROSolver(
        game,
        best_response_oracle.BestResponseOracle(game=game, policy=uniform),
        initial_policies=[uniform.__copy__() for _ in players],
        training_strategy_selector="probabilistic",
        rectifier="",
        sims_per_entry=1000,
        number_policies_selected=1,
        meta_strategy_method="prd",
        prd_iterations=50_000,
        prd_gamma=1e-10,
        sample_from_marginals=True,
        symmetric_game=False,
    )

    def learn() -> Algorithm:
        for number in count(seed):  # each iteration seeds NumPy anew
            before = simulated[0]
            solver.iteration(seed=number)
            # An exact best response stands once at each of the tree's decisions.
            yield simulated[0] - before + decisions * game.num_players()

    def measured() -> float:
        aggregator = policy_aggregator.PolicyAggregator(game)
        mixed = aggregator.aggregate(players, solver.get_policies(), solver.get_meta_strategies())
        return float(nash_conv(game, mixed))

    return learn(), measured
