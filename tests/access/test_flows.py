import pytest

from gateway.access import flows
from gateway.access.flows import Flows, challenge
from gateway.access.refusals import Refusal
from gateway.core.administering import Oidc

OIDC = Oidc("https://login.example.org", "banyan", "s3cret")
BACK = "https://banyan.example.org/sign-in/oidc/callback"


def test_what_was_begun_can_be_ended_once() -> None:
    """By the browser that has its cookie."""
    begun = (kept := Flows()).begin(OIDC, BACK, "/routes", "10.0.0.1")
    assert kept.end(begun.state, begun.cookie) == begun.flow
    with pytest.raises(Refusal):
        kept.end(begun.state, begun.cookie)


def test_another_browser_ends_nothing() -> None:
    """And does not use up what is not its own."""
    kept = Flows()
    mine, other = (kept.begin(OIDC, BACK, "/", "10.0.0.1") for _ in range(2))
    for cookie in ("", other.cookie, mine.flow.browser):
        with pytest.raises(Refusal):
            kept.end(mine.state, cookie)
    assert kept.end(mine.state, mine.cookie) == mine.flow


def test_nothing_lasts() -> None:
    """After ten minutes it is over, and forgotten when somebody else begins."""
    now = 0.0
    kept = Flows(lambda: now)
    begun = kept.begin(OIDC, BACK, "/", "10.0.0.1")
    now = 600.0
    with pytest.raises(Refusal):
        kept.end(begun.state, begun.cookie)
    kept.begin(OIDC, BACK, "/", "10.0.0.1")
    assert len(kept._flows) == 1


def test_whoever_floods_it_drowns_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are never more than so many, and others' stay."""
    monkeypatch.setattr(flows, "MOST", 5)
    kept = Flows()
    mine = kept.begin(OIDC, BACK, "/", "10.0.0.1")
    floods = [kept.begin(OIDC, BACK, "/", "10.6.6.6") for _ in range(50)]
    assert len(kept._flows) == 5
    assert kept.end(mine.state, mine.cookie) == mine.flow
    with pytest.raises(Refusal):
        kept.end(floods[0].state, floods[0].cookie)
    assert kept.end(floods[-1].state, floods[-1].cookie) == floods[-1].flow


def test_the_challenge_is_the_one_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
