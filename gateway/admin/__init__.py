"""The admin room: what a running gateway tells on its admin port, and what it takes from its owner on a Unix socket."""
