"""Lanista: train game agents, rate them honestly, play against them, reuse what they learned."""
