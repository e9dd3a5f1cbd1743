"""Which endpoints there are behind a catch-all route, learned from its traffic."""
