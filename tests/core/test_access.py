"""Roles contain one another, and nobody's proof is good for longer than it was meant to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.access import GIVEN, Role, Session, Token

TOKEN = Token("a1", "hash", "Ann", Role.VIEWER, "root", 100.0, 200.0)
SESSION = Session("hash", "Ann", Role.VIEWER, "csrf", "", 100.0, 150.0, 200.0)
LADDER = (Role.VIEWER, Role.OPERATOR, Role.APPROVER, Role.OWNER)
times = st.floats(0, 1e10, allow_nan=False)


@pytest.mark.parametrize("at", range(len(LADDER)))
def test_a_role_allows_what_those_below_it_may(at: int) -> None:
    """And nothing that needs one above it."""
    assert [LADDER[at].allows(needed) for needed in LADDER] == [below <= at for below in range(len(LADDER))]


def test_the_owner_s_role_cannot_be_given_away() -> None:
    """Whoever may do everything is whoever may open the socket; all other roles can be had with a token."""
    assert set(Role) - set(GIVEN) == {Role.OWNER}


def test_a_token_says_why_it_is_no_good() -> None:
    """It is good until the moment in which it expires, and not after it was revoked, however long it had to go."""
    assert [TOKEN.problem(now) for now in (100.0, 199.9)] == ["", ""]
    assert TOKEN.problem(200.0) == "This token has expired."
    assert TOKEN._replace(ended=150.0).problem(151.0) == "This token was revoked."


@given(st.floats(150, 1e10), st.none() | times)
def test_an_ended_token_never_comes_back(now: float, ended: float | None) -> None:
    """Whatever the clock says: also one that was turned back to before it was revoked."""
    token = TOKEN._replace(ended=ended)
    assert (token.problem(now) == "") == (ended is None and now < TOKEN.expires)


@pytest.mark.parametrize(("now", "over"), [(150.0, False), (179.9, False), (180.0, True), (199.0, True)])
def test_a_session_ends_when_nothing_was_asked_for_a_while(now: float, over: bool) -> None:
    """Thirty seconds without a request, here, though it could go on for longer."""
    assert SESSION.is_over(now, idle=30.0) is over


@given(seen=times, until=times, now=times, idle=st.floats(0, 1e6))
def test_a_session_that_is_used_ends_all_the_same(seen: float, until: float, now: float, idle: float) -> None:
    """It lasts while both times do, and neither makes up for the other."""
    session = SESSION._replace(seen=seen, until=until)
    assert session.is_over(now, idle) == (not (now < until and now - seen < idle))
