"""Ramps for tests, as the gateway would tell of them."""

from typing import Any

from gateway.demo.ramps import CLIMBING, Ramp

SENTENCE = (
    "parity 96.86 % (94.46-98.24 %) is below 99.5 %: 11 of 350 different requests were answered wrongly, "
    "most at /balance"
)
CLIMB = Ramp(
    name="detail",
    routes=("detail",),
    state=CLIMBING,
    stage=1,
    stages=4,
    share=10.0,
    agreed=90,
    compared=100,
    why="the first stage begins",
    waits="100 of 400 judged answers with content",
    sequence=2,
)


def ramp(**changes: Any) -> Ramp:
    """A ramp of the route `detail` in its first stage of four, but for these changes."""
    return CLIMB._replace(**{"waits": "", **changes})
