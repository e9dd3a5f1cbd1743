"""Writes that must not be lost: stored for the data process, delivered, and looked after."""
