"""An invented rent service in two generations: the contract that old clients know, and what replaces it."""
