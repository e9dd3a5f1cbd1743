"""Tokens as they are told: `banyan_<id>_<secret>`. A secret may have underscores of its own."""


def secret_of(text: str) -> str:
    """The part of a token that nobody but its owner may see."""
    return text.split("_", 2)[2]
