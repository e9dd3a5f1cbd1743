"""Rollouts keep what they do in a store: the same ones as in its own tests."""

from tests.store.conftest import place, server, store, template

__all__ = ["place", "server", "store", "template"]
