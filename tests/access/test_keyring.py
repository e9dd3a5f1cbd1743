"""Nobody comes in who may not, nobody stays for longer than they may, and a store that is away locks nobody out."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.access import keyring as module
from gateway.access.keyring import LONGEST, USED, Keyring, SignedIn, Times, hashed
from gateway.access.keyring import given as given_away
from gateway.access.refusals import Refusal
from gateway.core.access import GIVEN, Principal, Role
from gateway.errors import CommandError, StoreUnavailable
from gateway.store.repository import Store
from tests.support.databases import without

NOW = 1_800_000_000.0
HOUR, DAY = 3_600.0, 86_400.0
IDLE, ABSOLUTE = Times()
KEPT = ("tokens", "sessions")


class Clock:
    """What time it is for keyrings."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


async def ring(store: Store) -> Keyring:
    """The keyring of a gateway that has just been started on this store."""
    started = Keyring(lambda: store)
    await started.look()
    return started


def alone() -> Keyring:
    """The keyring of a gateway whose store has not been opened."""
    return Keyring(lambda: None)


def refusal(one: Keyring, token: str, now: float = NOW) -> str:
    """Why a token does not let anybody in; "" where it does."""
    try:
        one.bearer(token, now)
    except Refusal as refused:
        return refused.detail if refused.headers == {"WWW-Authenticate": "Bearer"} else str(refused)
    return ""


async def who(one: Keyring, cookie: str, *, active: bool = False) -> str | None:
    found = await one.by_cookie(cookie, active=active)
    return None if found is None else found.name


# ------------------------------------------------------------------------------------------------ tokens


@pytest.mark.parametrize("role", GIVEN)
async def test_a_token_lets_in_whose_it_is(store: Store, role: Role) -> None:
    """With the role that it was given, on every gateway of the store."""
    one = await ring(store)
    token, text = await one.create("  Ann ", role, DAY, "root")
    expected = Principal("Ann", role, "token", token.id, proof=token.id)
    assert one.bearer(text, NOW) == expected
    assert (await ring(store)).bearer(text, NOW) == expected
    assert (token.name, token.by, token.made, token.expires, token.ended) == ("Ann", "root", NOW, NOW + DAY, None)


async def test_nobody_comes_in_with_what_is_kept(store: Store) -> None:
    """Of a token there is its hash, of a session the hash of its cookie: whoever reads the store can use neither."""
    one = await ring(store)
    token, text = await one.create("Ann", "approver", DAY, "root")
    signed = await one.by_token(text)
    secret = text.rpartition(f"{token.id}_")[2]
    kept = str((await store.tokens(), await store.sessions(NOW)))
    assert re.fullmatch(r"banyan_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", text)
    assert (secret in kept, signed.cookie in kept, hashed(secret) in kept) == (False, False, True)
    assert refusal(one, f"banyan_{token.id}_{token.secret[:43]}").startswith("This token is not known here.")
    assert await who(one, signed.session.id) is None


@settings(max_examples=200)
@given(st.text(max_size=70) | st.from_regex(r"banyan_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", fullmatch=True))
def test_nobody_comes_in_with_a_guess(text: str) -> None:
    """Whatever is shown, the answer is the same, and says how to get a token."""

    async def guess() -> None:
        one = alone()
        one.looked.set()
        assert refusal(one, text) == (
            "This token is not known here. Send `Authorization: Bearer banyan_...`; `banyan token create` makes one."
        )

    asyncio.run(guess())


async def test_a_right_id_with_a_wrong_secret_is_not_known(store: Store) -> None:
    """The id is in lists and in the audit: it proves nothing. A longer or shorter secret is not the secret."""
    one = await ring(store)
    token, text = await one.create("Ann", "viewer", DAY, "root")
    for wrong in (f"banyan_{token.id}_{'A' * 43}", text[:-1], text + "A", text.upper(), f" {text}", text + "\n"):
        assert "is not known here" in refusal(one, wrong)


async def test_a_token_is_good_until_it_expires(store: Store) -> None:
    """Whoever shows it afterwards is told so."""
    one = await ring(store)
    _, text = await one.create("Ann", "viewer", HOUR, "root")
    assert refusal(one, text, NOW + HOUR - 1) == ""
    assert refusal(one, text, NOW + HOUR).startswith("This token has expired. ")


@pytest.mark.parametrize("lasts", [0, -1, LONGEST + 1, float("inf"), float("nan")])
async def test_a_token_lasts_some_time_and_a_year_at_most(store: Store, lasts: float) -> None:
    """Nobody makes one that is for ever."""
    one = await ring(store)
    with pytest.raises(CommandError, match="a year at most"):
        await one.create("Ann", "viewer", lasts, "root")
    assert await store.tokens() == []


@pytest.mark.parametrize(
    ("name", "role", "why"),
    [
        ("", "viewer", "whose token"),
        (" \t", "viewer", "whose token"),
        ("Ann", "owner", "no role"),
        ("Ann", "", "no role"),
    ],
)
async def test_a_token_is_somebody_s_and_has_a_role(store: Store, name: str, role: str, why: str) -> None:
    """The owner's cannot be given away."""
    one = await ring(store)
    with pytest.raises(CommandError, match=why):
        await one.create(name, role, DAY, "root")
    assert await store.tokens() == []


async def test_tokens_are_listed_the_latest_first(store: Store, clock: Clock) -> None:
    """Also those that have ended; and a gateway is new as long as there is none."""
    one = await ring(store)
    assert (one.is_new, alone().is_new) == (True, False)
    ids = []
    for name in ("first", "second", "third"):
        clock.now += 1
        ids.append((await one.create(name, "viewer", DAY, "root"))[0].id)
    await one.revoke(ids[1])
    assert [(each.name, each.ended) for each in one.tokens] == [("third", None), ("second", NOW + 3), ("first", None)]
    assert [each.id for each in (await ring(store)).tokens] == ids[::-1]
    assert one.is_new is False


async def test_a_revoked_token_is_over_here_at_once_and_elsewhere_within_a_look(store: Store) -> None:
    """And so is every browser that was signed in with it; others stay."""
    one, other = await ring(store), await ring(store)
    token, text = await one.create("Ann", "operator", DAY, "root")
    _, kept = await one.create("Bob", "operator", DAY, "root")
    await other.look()
    signed = [await each.by_token(text) for each in (one, other)]
    bob = await one.by_token(kept)
    await one.look()
    await other.look()
    assert [await who(each, sign.cookie) for each in (one, other) for sign in (*signed, bob)] == [
        "Ann",
        "Ann",
        "Bob",
    ] * 2
    assert (await other.revoke(token.id)).ended == NOW
    assert refusal(other, text).startswith("This token was revoked. ")
    assert [await who(other, each.cookie) for each in (*signed, bob)] == [None, None, "Bob"]
    await one.look()
    assert refusal(one, text).startswith("This token was revoked. ")
    assert [await who(one, each.cookie) for each in (*signed, bob)] == [None, None, "Bob"]
    assert (refusal(one, kept), refusal(other, kept)) == ("", "")
    again = await ring(store)
    assert [await who(again, each.cookie) for each in (*signed, bob)] == [None, None, "Bob"]


async def test_a_token_is_revoked_once(store: Store) -> None:
    """Who revokes what is not there, or is over already, learns it; one that another gateway has just made is there."""
    one, other = await ring(store), await ring(store)
    token, text = await one.create("Ann", "viewer", DAY, "root")
    assert (await other.revoke(token.id)).name == "Ann"
    assert "was revoked" in refusal(other, text)
    for identifier in (token.id, "000000000000", "", text):
        with pytest.raises(CommandError, match=r"no token .* that could be revoked"):
            await one.revoke(identifier)


async def test_what_is_done_here_counts_whatever_a_look_has_read_before(store: Store) -> None:
    """A look that is under way knows neither the newest token nor the newest session, nor that one was ended."""
    one = await ring(store)

    stop = asyncio.Event()

    async def looking() -> None:
        while not stop.is_set():
            await one.look()
            await asyncio.sleep(0)

    async def doing() -> None:
        for number in range(6):
            token, text = await one.create(f"{number}", "viewer", DAY, "root")
            signed, other = await one.by_token(text), await one.begin("Bob", Role.VIEWER)
            for _ in range(10):
                assert refusal(one, text) == ""
                assert [await who(one, each.cookie) for each in (signed, other)] == [f"{number}", "Bob"]
                await asyncio.sleep(0.001)
            await one.sign_out(other.session.id)
            await one.revoke(token.id)
            for _ in range(10):
                assert "was revoked" in refusal(one, text)
                assert [await who(one, each.cookie) for each in (signed, other)] == [None, None]
                await asyncio.sleep(0.001)
        stop.set()

    async with asyncio.timeout(60):
        await asyncio.gather(doing(), looking())


# ------------------------------------------------------------------------------------------------ the store is away


async def test_before_the_store_has_told_nobody_can_be_known(store: Store) -> None:
    """That is no fault of theirs, so it is not said that their token is wrong."""
    _, text = await (await ring(store)).create("Ann", "viewer", DAY, "root")
    one = Keyring(lambda: store)
    async with without(store, *KEPT):
        with pytest.raises(StoreUnavailable):
            await one.look()
        with pytest.raises(Refusal, match="503: It is not known yet who may come in") as refused:
            one.bearer(text, NOW)
        assert refused.value.headers == {}
    await one.look()
    assert refusal(one, text) == ""


async def test_those_who_are_known_come_in_while_the_store_is_away(store: Store) -> None:
    """With tokens and in browsers; who signs in meanwhile is signed in, and stays so when the gateway starts anew."""
    one = await ring(store)
    _, text = await one.create("Ann", "operator", DAY, "root")
    before = await one.by_token(text)
    async with without(store, *KEPT):
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await one.look()
        assert refusal(one, text) == ""
        assert await who(one, before.cookie, active=True) == "Ann"
        during = await one.by_token(text)
        linked = await one.by_link(one.link("viewer", 60), "Bob")
        assert [await who(one, each.cookie) for each in (during, linked)] == ["Ann", "Bob (by link)"]
        with pytest.raises(StoreUnavailable):
            await one.create("Cy", "viewer", DAY, "root")
    await one.look()
    for each in (one, await ring(store)):
        assert [await who(each, sign.cookie) for sign in (before, during, linked)] == ["Ann", "Ann", "Bob (by link)"]
    assert [token.name for token in one.tokens] == ["Ann"]


async def test_who_is_signed_in_never_waits_for_the_store(store: Store, clock: Clock) -> None:
    """Not even where it is time to tell it that a session is used: one that hangs would hold up every page."""
    one = await ring(store)
    signed = await one.begin("Ann", Role.VIEWER)
    clock.now += 2 * USED
    with pytest.raises(StopIteration):
        one.by_cookie(signed.cookie, active=True).send(None)


async def test_without_a_store_no_token_is_made() -> None:
    """It could not be kept; links and sessions can do without."""
    one = alone()
    await one.look()
    with pytest.raises(CommandError, match="has not been opened yet"):
        await one.create("Ann", "viewer", DAY, "root")
    with pytest.raises(CommandError, match="has not been opened yet"):
        await one.revoke("0123456789ab")
    signed = await one.by_link(one.link("approver", 60, "Ann"), "")
    assert await one.by_cookie(signed.cookie, active=True) == Principal(
        "Ann", Role.APPROVER, "session", signed.session.id, signed.session.csrf
    )
    await one.sign_out(signed.session.id)
    assert await who(one, signed.cookie) is None


async def test_a_token_revoked_elsewhere_ends_sessions_that_the_store_has_not_heard_of(store: Store) -> None:
    """One that was begun while the store was away is of that token all the same."""
    one, other = await ring(store), await ring(store)
    token, text = await one.create("Ann", "operator", DAY, "root")
    async with without(store, *KEPT):
        signed = await one.by_token(text)
    await other.revoke(token.id)
    await one.look()
    assert await who(one, signed.cookie, active=True) is None
    await one.look()
    assert await who(await ring(store), signed.cookie) is None


async def test_a_gateway_looks_by_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as it runs, whatever the store does meanwhile."""
    monkeypatch.setattr(module, "LOOK", 0.02)
    one, other = Keyring(lambda: store), await ring(store)
    running = asyncio.ensure_future(one.run())
    async with asyncio.timeout(5):
        await one.looked.wait()
        async with without(store, *KEPT):
            await asyncio.sleep(0.1)
        _, text = await other.create("Ann", "viewer", DAY, "root")
        while refusal(one, text):  # noqa: ASYNC110 - it looks by itself
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.wait({running})


# ------------------------------------------------------------------------------------------------ sessions


async def test_a_session_is_who_began_it(store: Store) -> None:
    """With the token's name and role, and a secret of its own for the pages' forms."""
    one = await ring(store)
    token, text = await one.create("Ann", "operator", DAY, "root")
    signed, other = await one.by_token(text), await one.by_token(text)
    found = await one.by_cookie(signed.cookie, active=True)
    told = signed.session
    assert found == Principal("Ann", Role.OPERATOR, "session", told.id, told.csrf, told.token)
    assert signed.session.token == token.id
    assert len({signed.cookie, signed.session.csrf, other.cookie, other.session.csrf, signed.session.id}) == 5
    assert [await who(one, wrong) for wrong in ("", "x", signed.cookie[:-1], signed.cookie + "x")] == [None] * 4


async def test_a_bad_token_signs_nobody_in(store: Store, clock: Clock) -> None:
    """Neither one that is not known, nor one that has expired, nor one that was revoked."""
    one = await ring(store)
    token, revoked = await one.create("Ann", "viewer", DAY, "root")
    await one.revoke(token.id)
    _, expired = await one.create("Ann", "viewer", HOUR, "root")
    clock.now += HOUR
    for text in (revoked, expired, "banyan_x"):
        with pytest.raises(Refusal):
            await one.by_token(text)
    assert await store.sessions(0) == []


async def test_a_session_ends_when_nobody_has_done_anything_for_a_while(store: Store, clock: Clock) -> None:
    """What a page asks by itself is nobody's doing. After half an hour without a request it is over, and stays so."""
    one = await ring(store)
    signed = await one.begin("Ann", Role.VIEWER)
    clock.now += IDLE - 1
    assert await who(one, signed.cookie, active=True) == "Ann"
    clock.now += IDLE - 1
    assert await who(one, signed.cookie) == "Ann"
    clock.now += 1
    assert await who(one, signed.cookie) is None
    assert await who(one, signed.cookie, active=True) is None
    await one.look()
    clock.now -= 1
    assert await who(await ring(store), signed.cookie) == "Ann"


async def test_a_session_ends_however_busy_it_is(store: Store, clock: Clock) -> None:
    """After half a day it has to be begun anew."""
    one = await ring(store)
    signed = await one.begin("Ann", Role.VIEWER)
    for _ in range(int(ABSOLUTE / 1_000)):
        assert await who(one, signed.cookie, active=True) == "Ann"
        clock.now += 1_000
        await one.look()
    assert await who(one, signed.cookie, active=True) == "Ann"
    clock.now = NOW + ABSOLUTE
    assert await who(one, signed.cookie, active=True) is None
    await one.look()
    assert await store.sessions(clock.now) == []


async def test_a_session_ends_with_its_token(store: Store, clock: Clock) -> None:
    """Signing in makes nothing last longer than it would have."""
    one = await ring(store)
    _, text = await one.create("Ann", "viewer", 600, "root")
    signed = await one.by_token(text)
    clock.now += 599
    assert await who(one, signed.cookie, active=True) == "Ann"
    clock.now += 1
    assert await who(one, signed.cookie, active=True) is None


@settings(max_examples=200)
@given(st.lists(st.tuples(st.floats(0, 2 * IDLE), st.booleans()), max_size=60))
def test_a_session_lasts_as_long_as_both_times_do(happened: list[tuple[float, bool]]) -> None:
    """Whatever is asked when, by somebody or by a page that is left open."""
    clock = Clock()

    async def live() -> None:
        one = alone()
        signed = await one.begin("Ann", Role.VIEWER)
        used = NOW
        for passed, active in happened:
            clock.now += passed
            there = clock.now < NOW + ABSOLUTE and clock.now - used < IDLE
            assert (await who(one, signed.cookie, active=active) is not None) == there
            used = clock.now if there and active else used

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "time", clock)
        asyncio.run(live())


async def test_a_session_goes_on_over_a_restart_and_elsewhere(store: Store, clock: Clock) -> None:
    """With when it was used last, about: a gateway tells the store once a minute at most."""
    one = await ring(store)
    signed = await one.begin("Ann", Role.VIEWER)
    for seconds, told in ((USED - 1, 0.0), (1, USED), (USED - 1, USED), (1, 2 * USED)):
        clock.now += seconds
        await who(one, signed.cookie, active=True)
        await one.look()
        assert [each.seen for each in await store.sessions(clock.now)] == [NOW + told]
    clock.now = NOW + 2 * USED + IDLE - 1
    other = await ring(store)
    assert await who(other, signed.cookie, active=True) == "Ann"
    await other.look()
    clock.now += IDLE - 1
    await one.look()
    assert await who(one, signed.cookie) == "Ann"


async def test_whoever_signs_out_is_out(store: Store) -> None:
    """Here at once, elsewhere within a look, and after every restart; others stay."""
    one, other = await ring(store), await ring(store)
    signed, kept = await one.begin("Ann", Role.VIEWER), await one.begin("Bob", Role.VIEWER)
    await other.look()
    await one.sign_out(signed.session.id)
    assert [await who(one, each.cookie) for each in (signed, kept)] == [None, "Bob"]
    await other.look()
    for each in (one, other, await ring(store)):
        await each.look()
        assert [await who(each, sign.cookie) for sign in (signed, kept)] == [None, "Bob"]


async def test_a_session_that_was_ended_is_not_begun_again_by_its_use(store: Store, clock: Clock) -> None:
    """Another gateway that has not heard of it may let somebody in for two seconds more, and not for half a day."""
    one, other = await ring(store), await ring(store)
    signed = await one.begin("Ann", Role.VIEWER)
    await other.look()
    clock.now += USED
    await one.sign_out(signed.session.id)
    await who(other, signed.cookie, active=True)
    for each in (other, one, other, await ring(store)):
        await each.look()
        assert await who(each, signed.cookie) is None
    assert await store.sessions(clock.now) == []


async def test_whoever_signs_out_while_the_store_is_away_is_out_for_good(store: Store) -> None:
    """Here at once; the store hears of it when it is back, and so do other gateways and the next process."""
    one = await ring(store)
    signed = await one.begin("Ann", Role.VIEWER)
    async with without(store, *KEPT):
        await one.sign_out(signed.session.id)
        assert await who(one, signed.cookie) is None
    await one.look()
    assert await who(one, signed.cookie) is None
    assert await who(await ring(store), signed.cookie) is None


async def test_sessions_do_not_become_more_and_more(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a bound the one that was not used for the longest time goes."""
    monkeypatch.setattr(module, "MOST_SESSIONS", 3)
    one = await ring(store)
    signed: list[SignedIn] = []
    for name in "abc":
        clock.now += 1
        signed.append(await one.begin(name, Role.VIEWER))
    clock.now += 1
    await who(one, signed[0].cookie, active=True)
    signed.append(await one.begin("d", Role.VIEWER))
    for each in (one, one, await ring(store)):
        await each.look()
        assert [await who(each, sign.cookie) for sign in signed] == ["a", None, "c", "d"]


async def test_a_name_is_not_endless(store: Store) -> None:
    """It is in every record of what its bearer does."""
    one = await ring(store)
    signed = await one.by_link(one.link("viewer", 60), "n" * 10_000)
    assert await who(one, signed.cookie) == "n" * 80 + " (by link)"


# ------------------------------------------------------------------------------------------------ links


async def test_a_link_is_good_once(store: Store) -> None:
    """To look at what it is good for does not use it up; of two who open it at once, one is signed in."""
    one = await ring(store)
    code = one.link("operator", 60, " Ann ")
    assert one.peek(code) == (one.peek(code).name, Role.OPERATOR, NOW + 60) == ("Ann", Role.OPERATOR, NOW + 60)
    signed = await asyncio.gather(*(one.by_link(code, "Eve") for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in signed] == [SignedIn, Refusal, Refusal]
    assert isinstance(signed[0], SignedIn)
    found = await one.by_cookie(signed[0].cookie, active=True)
    assert found is not None
    assert (found.name, found.role, found.via) == ("Ann", Role.OPERATOR, "session")
    with pytest.raises(Refusal, match="403: This link was used, or its time is over"):
        one.peek(code)


async def test_a_link_s_time_ends(clock: Clock) -> None:
    """Unopened it is worth nothing after that, and is forgotten."""
    one = alone()
    code = one.link("viewer", 60)
    clock.now += 59.9
    assert one.peek(code).role == Role.VIEWER
    clock.now += 0.1
    with pytest.raises(Refusal, match="its time is over"):
        await one.by_link(code, "Ann")
    one.link("viewer", 60)
    assert len(one._links) == 1


async def test_whoever_opens_a_link_without_a_name_says_theirs() -> None:
    """The audit will have it; a link that was opened without one stays good."""
    one = alone()
    code = one.link("viewer", 60)
    with pytest.raises(Refusal, match="400: Say who you are"):
        await one.by_link(code, "  ")
    signed = await one.by_link(code, " Bob ")
    assert await who(one, signed.cookie) == "Bob (by link)"


async def test_a_link_is_no_guess(store: Store) -> None:
    """Nothing but its code opens it, and that is kept nowhere."""
    one = await ring(store)
    code = one.link("approver", 60, "Ann")
    assert code not in str(vars(one))
    for wrong in ("", "x", code[:-1], hashed(code)):
        with pytest.raises(Refusal, match="403"):
            await one.by_link(wrong, "Eve")
    assert (await one.by_link(code, "")).session.role == Role.APPROVER


@pytest.mark.parametrize("role", ["owner", "", "VIEWER", "root"])
def test_only_three_roles_are_given_away(role: str) -> None:
    """By tokens and by links."""
    assert [given_away(each) for each in ("viewer", "operator", "approver")] == list(GIVEN)
    with pytest.raises(CommandError, match="is no role: viewer, operator, approver"):
        alone().link(role, 60)
