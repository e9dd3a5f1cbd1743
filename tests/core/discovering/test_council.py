"""Two hundred endpoints of a council are found again in its traffic, whatever they are and however they are used."""

import re
from collections.abc import Iterable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.core.discovering import Endpoint, Learner, merged
from tests.support.council import Traffic, made_up, traffic

ENOUGH, FEW = 190, 8
SEEDS = st.integers(0, 10**9)
PARAMETER = re.compile(r"\{[^}]*\}")


def known(rows: Iterable[Endpoint], least: int = 3) -> set[tuple[str, str]]:
    """Methods and templates, whatever the parameters are called."""
    return {(each.method, PARAMETER.sub("{}", each.template)) for each in rows if each.requests >= least}


def judge(found: set[tuple[str, str]], real: Traffic) -> None:
    assert len(found & real.endpoints) >= ENOUGH, sorted(real.endpoints - found)
    assert len(found - real.endpoints) <= FEW, sorted(found - real.endpoints)


def learner_of(real: Traffic) -> Learner:
    learner = Learner()
    for method, path, status, at in real.sent:
        learner.saw(method, path, 1, status, at)
    return learner


@settings(max_examples=3)
@given(SEEDS)
@example(1)
def test_by_one_gateway(seed: int) -> None:
    """Also where half of the traffic is noise; and memory is what the endpoints need."""
    real = traffic(seed, 20_000, noise=0.5)
    learner = learner_of(real)
    judge(known(learner.endpoints()), real)
    assert learner.places < 3_000


@settings(max_examples=3)
@given(SEEDS)
@example(1)
def test_by_three_that_share_a_store(seed: int) -> None:
    """Each sees a third, and tells it now and then; what is stored is added up by method and template."""
    real = traffic(seed, 40_000)
    stored: dict[tuple[str, str], Endpoint] = {}
    learners = [Learner() for _ in range(3)]
    for number, (method, path, status, at) in enumerate(real.sent, 1):
        learners[number % 3].saw(method, path, 1, status, at)
        if number % 5_000 == 0 or number == len(real.sent):
            for row in (row for learner in learners for row in learner.take()):
                old = stored.get(row[:2], row._replace(requests=0, errors=0))
                added = (old.requests + row.requests, old.errors + row.errors)
                stored[row[:2]] = Endpoint(*row[:2], *added, min(old.first, row.first), row.last)
    judge(known(merged(stored.values())), real)
    assert len(stored) < 400


@settings(max_examples=3)
@given(SEEDS)
@example(1)
def test_of_services_that_are_all_alike(seed: int) -> None:
    """Where every collection goes on like all others, none is taken for a value."""
    real = traffic(seed, 20_000, pool=made_up(seed))
    judge(known(learner_of(real).endpoints()), real)
