"""pgx's games (JAX) on the CPU, random legal play: a batch stepped inside one compiled scan, its quickest way."""

import jax
import jax.numpy as jnp
import pgx
from jax import Array

from lanista.bench.worker import Work, repeat

PLIES = 16  # inside one call


def begin(game: str, copies: int) -> Work:
    """Make `copies` games that begin anew when they end.

    Args:
        game: pgx's id.
    """
    env = pgx.make(game)

    def ply(carry: tuple[pgx.State, Array], _: None) -> tuple[tuple[pgx.State, Array], Array]:
        state, key = carry
        key, draw, fresh = jax.random.split(key, 3)
        action = jax.random.categorical(draw, jnp.where(state.legal_action_mask, 0.0, -1e9), axis=1)
        state = jax.vmap(env.step)(state, action)
        over = state.terminated | state.truncated
        begun = jax.vmap(env.init)(jax.random.split(fresh, copies))
        state = jax.tree.map(
            lambda new, old: jnp.where(over.reshape(-1, *[1] * (old.ndim - 1)), new, old), begun, state
        )
        # Observations are made lazily in a scan unless something uses them.
        return (state, key), state.observation.astype(jnp.float32).sum()

    play = jax.jit(lambda state, key: jax.lax.scan(ply, (state, key), None, PLIES))
    state = jax.jit(jax.vmap(env.init))(jax.random.split(jax.random.PRNGKey(0), copies))
    carry = state, jax.random.PRNGKey(1)

    def plies() -> float:
        nonlocal carry
        carry, seen = play(*carry)
        seen.block_until_ready()
        return PLIES * copies

    plies()  # compiles
    return lambda seconds: {"steps": repeat(plies, seconds)}
