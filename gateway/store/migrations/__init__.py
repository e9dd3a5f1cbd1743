"""The schema, version by version: one module in `versions` for each step from one to the next."""

REVISIONS = ("0001", "0002", "0003", "0004")
"""All versions of the schema, the oldest first; the last is the one that this program uses."""
