"""Digits that nobody can guess, for the ids of requests."""

import re

from gateway.proxy.chance import AT_ONCE, Digits


def test_every_draw_is_another() -> None:
    """32 and 16 hexadecimal digits each time, never the same again, also beyond what is asked of the system at once."""
    digits = Digits()
    drawn = [digits.draw() for _ in range(3 * AT_ONCE)]
    assert all(re.fullmatch(rb"[0-9a-f]{32} [0-9a-f]{16}", b" ".join(each)) for each in drawn)
    assert len({trace for trace, _ in drawn}) == len({span for _, span in drawn}) == 3 * AT_ONCE
    assert not {each[0] for each in drawn} & {Digits().draw()[0]}
