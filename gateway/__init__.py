"""Banyan: one address in front of legacy and new systems, flipped one endpoint at a time."""

__version__ = "0.1.0"
