"""The demo: an invented council, its legacy back office, what replaces it, and the traffic of its tenants."""
