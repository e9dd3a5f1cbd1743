"""Connectors: each speaks one protocol to one kind of backend."""
