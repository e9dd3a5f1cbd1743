"""What outlives the gateway's processes: counts, evidence, where ramps stand, overrides, events. Control alone uses it.

Importing it costs a third of a second (SQLAlchemy), so whoever opens the store imports it then.
"""
