"""Levers: everything on the admin port that changes how the gateway behaves, each with the role that it needs.

There is one way to pull one, whether a command, a script or a page does it: see that it may be, look how things stand,
write down what is to be done, do it, look again, write down what came of it. Who says how things stood when they
decided (`If-Match`, RFC 9110, section 13.1.1) is refused where that has changed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from hashlib import sha256
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

from gateway.access.auditor import act_now
from gateway.access.eyes import Asked
from gateway.access.refusals import Refusal
from gateway.admin.orders import address_of
from gateway.admin.steering import Document, Steering
from gateway.config.problems import Unreadable
from gateway.config.words import YEAR, serve, serve_text
from gateway.core.access import Principal, Role
from gateway.core.auditing import Act
from gateway.core.model import Route
from gateway.errors import CommandError, StoreUnavailable

Kinds = type | tuple[type, ...]
Path = Mapping[str, str]


class Pull(NamedTuple):
    """One pull of a lever: by whom and from where (`address`), what the address names (`path`), what was said.

    `seen` is how things stood for who pulls it, as `tag_of` tells; "" where they do not say.
    """

    who: Principal
    by: str
    address: str
    path: Path
    order: Document
    reason: str
    seen: str = ""


Run = Callable[[Steering, Pull], Awaitable[Document]]


class Lever(NamedTuple):
    """One of them. `takes` are the members of its order, beside `by` and `reason`; `subject` the part of the address
    that names what it is about ("": the gateway). Where it is not `spoken`, no reason is needed. `makes` are members of
    its answer that the audit has, too. Those that are pulled `alone` change the file, which takes a while: meanwhile
    no other of them looks how things stand."""

    action: str
    path: str
    role: Role
    about: str
    run: Run
    takes: Mapping[str, Kinds] = {}
    subject: str = "name"
    spoken: bool = True
    makes: tuple[str, ...] = ()
    alone: bool = False


_TURNS: WeakKeyDictionary[Steering, asyncio.Lock] = WeakKeyDictionary()


async def pull(steering: Steering, lever: Lever, told: Pull) -> Document:
    """Pull it, and write down what came of it. Raises Refusal, CommandError and StoreUnavailable."""
    if not told.who.role.allows(lever.role):
        raise Refusal(403, f"{lever.action} needs the role {lever.role}; {told.who.name} is {told.who.role}.")
    async with _TURNS.setdefault(steering, asyncio.Lock()) if lever.alone else nullcontext():
        return await _pulled(steering, lever, told)


async def _pulled(steering: Steering, lever: Lever, told: Pull) -> Document:
    told = _of_the_ramp(steering, lever, told)
    subject = told.path[lever.subject] if lever.subject else ""
    before = standing_of(steering, subject)
    if told.seen and not {"*", tag_of(before)} & {each.strip() for each in told.seen.split(",")}:
        now = before.get("text") or "something else serves"
        raise Refusal(412, f"{subject or 'The gateway'} has changed since you looked ({now}). Nothing was done.")
    if (first := _first(steering, lever, told, subject)) is None:
        waits = (
            f"{subject or 'The file'} wants a second person: nothing is done until somebody else says the same, within "
            "an hour."
        )
        await _write(steering, _act(lever, told, subject, before), "waits for a second person")
        return {"message": waits, "holds": False, "waits": True}
    if first:
        told = told._replace(reason=f"{told.reason} (with {first.by}: {first.reason})")
    act = _act(lever, told, subject, before)
    await steering.auditor.begin(act)
    try:
        done = await lever.run(steering, told)
    except Exception as error:
        known = isinstance(error, (CommandError, StoreUnavailable, Refusal))
        why = f"not done: {error}" if known else f"it is not known whether it was done: {type(error).__name__}"
        await _write(steering, act, why)
        raise
    made = {name: done[name] for name in lever.makes}
    try:
        await _write(steering, act, "done", made)
    except StoreUnavailable as error:  # it is done all the same, and whoever did it has to know
        return {**done, "message": f"{done.get('message', 'Done.')} {error}"}
    return done


def _of_the_ramp(steering: Steering, lever: Lever, told: Pull) -> Pull:
    """What is done to a ramp by the name of one of its routes is done to the ramp."""
    if not lever.path.startswith(_RAMP):
        return told
    try:
        name = steering.desk.ramp(told.path["name"])["ramp"]
    except CommandError:  # it does not ramp: rolling it back is an override
        return told
    return told._replace(path={**told.path, "name": name})


_CAREFUL = frozenset({"flip", "override", "clear", "approve", "promote", "resume", "restart", "revert", "reload"})
"""Levers that may send more to new, the last two by way of the whole file. Rolling back and pausing wait for nobody."""


def _first(steering: Steering, lever: Lever, told: Pull, subject: str) -> Asked | Literal[False] | None:
    """Who has asked for the same before, where a second person is needed; False where none is, None where one is."""
    every = steering.loaded.estate.routes
    asking = [route for route in every if subject in (route.name, route.journey)] if subject else every
    if lever.action not in _CAREFUL or not any(route.four_eyes for route in asking):
        return False
    order = {key: _spelled(key, each) for key, each in told.order.items() if key not in ("by", "reason")}
    back = order.get("serve") == "legacy" and not order.get("writes")
    if back or (lever.action == "reload" and not order.get("accept")):
        return False
    what = json.dumps({**order, **{key: each for key, each in told.path.items() if key != "name"}}, sort_keys=True)
    return steering.four_eyes.second(lever.action, subject, what, told.by, told.who.proof or told.by, told.reason)


def _spelled(key: str, value: Any) -> Any:
    """What is to serve in one spelling, however it was written: two people shall be able to say the same."""
    if key != "serve" or not isinstance(value, str):
        return value
    try:
        return serve_text(*serve(f"{value} new" if value.endswith("%") else value))
    except Unreadable:  # the lever itself says what is wrong with it
        return value


def _act(lever: Lever, told: Pull, subject: str, before: Document) -> Act:
    """What somebody is about to do."""
    order = {key: value for key, value in told.order.items() if key not in ("by", "reason", *_HIDDEN)}
    return act_now(
        who=told.by,
        role=str(told.who.role),
        via=told.who.via,
        address=told.address,
        action=lever.action,
        subject=subject,
        reason=told.reason,
        before=before,
        after={"order": order} if order else {},
    )


async def _write(steering: Steering, act: Act, outcome: str, made: Document | None = None) -> None:
    """Write down what came of it."""
    after = {**standing_of(steering, act.subject), **act.after, **(made or {})}
    await steering.auditor.record(act._replace(after=after, outcome=outcome))


_HIDDEN = ("headers", "body")
"""Members of orders that may hold credentials or people's data."""


def standing_of(steering: Steering, subject: str) -> Document:
    """How a route or ramp stands, as far as people change it; with no such subject, which file serves."""
    route = next((each for each in steering.loaded.estate.routes if each.name == subject), None)
    if route is not None:
        return route_standing(route, steering.desk.routes().get(subject, {}))
    for ramp in steering.desk.ramps() if subject else []:
        if subject == ramp["ramp"]:
            return {name: ramp.get(name) for name in ("state", "share", "stage", "text")}
    return {"digest": steering.loaded.estate.digest}


def route_standing(route: Route, told: Document) -> Document:
    """How a route stands, of which the desk has `told`."""
    serve = serve_text(route.serve, route.share)
    return {"serve": serve, "share": told.get("share"), "text": told.get("standing") or serve}


def tag_of(standing: Document) -> str:
    """An entity tag for how something stands (RFC 9110, section 8.8.3)."""
    text = json.dumps(standing, sort_keys=True, ensure_ascii=False)
    return f'"{sha256(text.encode()).hexdigest()[:16]}"'


# ------------------------------------------------------------------------------------------------ ramps, overrides


def _ramp(action: str) -> Run:
    async def run(steering: Steering, told: Pull) -> Document:
        return await steering.desk.act(told.path["name"], action, told.by, told.reason)

    return run


async def _override(steering: Steering, told: Pull) -> Document:
    order = told.order
    seconds = order["for"]
    if seconds is not None and not 0 < seconds <= YEAR:
        raise CommandError("`for` must be seconds, more than none and a year at most; null is without an end.")
    return await steering.desk.override(
        told.path["name"], order["serve"], seconds, writes=order["writes"], by=told.by, reason=told.reason
    )


async def _clear(steering: Steering, told: Pull) -> Document:
    return await steering.desk.clear_override(told.path["name"], told.by, told.reason)


# ------------------------------------------------------------------------------------------------ the file


async def _flip(steering: Steering, told: Pull) -> Document:
    return await steering.flip(told.path["name"], told.order["serve"], told.by, told.reason)


async def _reload(steering: Steering, told: Pull) -> Document:
    if told.order["accept"] and not told.reason and told.who.role is not Role.OWNER:
        raise CommandError("`reason` must say why a file is taken that was held.")
    return (await steering.reload(accept=told.order["accept"], by=told.by, why=told.reason))._asdict()


async def _revert(steering: Steering, told: Pull) -> Document:
    number = told.path["number"]
    if not (number.isascii() and number.isdigit() and len(number) < 15):
        raise CommandError("A configuration is named by its number: see /api/v1/configurations.")
    return await steering.revert(int(number), told.by, told.reason)


# ------------------------------------------------------------------------------------------------ writes


def _write_lever(word: str) -> Run:
    async def run(steering: Steering, told: Pull) -> Document:
        return await steering.writes.steer(told.path["id"], word, told.by, told.reason)

    return run


async def _reconcile(steering: Steering, told: Pull) -> Document:
    order = told.order
    if not all(isinstance(each, str) for each in (*order["keys"], *order["headers"])):
        raise CommandError("`keys` and `headers` must be lists of texts.")
    by = f"{told.by}: {told.reason}"
    return await steering.reconciling.run(told.path["route"], order["keys"], order["repair"], order["headers"], by)


# ------------------------------------------------------------------------------------------------ who may come in


async def _create_token(steering: Steering, told: Pull) -> Document:
    order = told.order
    token, text = await steering.keyring.create(order["name"], order["role"], order["expires"], told.by)
    return {**token_document(token), "token": text, "message": "Keep it: it is not shown again.", "holds": True}


async def _revoke_token(steering: Steering, told: Pull) -> Document:
    token = await steering.keyring.revoke(told.path["id"])
    message = f"The token of {token.name} is revoked, and who was signed in with it is signed out."
    return {**token_document(token), "message": message, "holds": True}


async def _make_link(steering: Steering, told: Pull) -> Document:
    order = told.order
    if not 0 < order["for"] <= 86_400:
        raise CommandError("`for` must be seconds, a day at most: a link is opened at once, and once.")
    code = steering.keyring.link(order["role"], order["for"], order["name"])
    path = f"/sign-in?code={code}"
    return {"path": path, "url": f"{address_of(steering)}{path}", "message": "Good once.", "holds": True}


def token_document(token: Any) -> Document:
    """A token, without its secret."""
    told: Document = token._asdict()
    del told["secret"]
    return told


_RAMP = "/api/v1/ramps/{name}/"
_WRITE = "/api/v1/writes/{id}/"
OPERATOR, APPROVER = Role.OPERATOR, Role.APPROVER
NUMBER: Kinds = (int, float)

LEVERS = {
    lever.action: lever
    for lever in (
        Lever("pause", f"{_RAMP}pause", OPERATOR, "Keep a ramp where it stands.", _ramp("pause")),
        Lever("resume", f"{_RAMP}resume", OPERATOR, "Have a ramp go on.", _ramp("resume")),
        Lever("approve", f"{_RAMP}approve", APPROVER, "Let a ramp's next stage begin.", _ramp("approve")),
        Lever("promote", f"{_RAMP}promote", APPROVER, "Begin the next stage at once.", _ramp("promote")),
        Lever("rollback", f"{_RAMP}rollback", OPERATOR, "Send all reads back to legacy, at once.", _ramp("rollback")),
        Lever("restart", f"{_RAMP}restart", OPERATOR, "Begin a ramp with its first stage again.", _ramp("restart")),
        Lever(
            "override",
            "/api/v1/overrides/{name}",
            OPERATOR,
            "Have a route serve something else than the file says, at once. `for` is seconds, null without an end.",
            _override,
            {"serve": str, "for": (int, float, type(None)), "writes": bool},
        ),
        Lever("clear", "/api/v1/overrides/{name}/clear", OPERATOR, "End a route's override.", _clear),
        Lever(
            "flip",
            "/api/v1/routes/{name}/flip",
            OPERATOR,
            "Change the one word in the file that says what serves a route, and serve it.",
            _flip,
            {"serve": str},
            alone=True,
        ),
        Lever(
            "reload",
            "/api/v1/reload",
            OPERATOR,
            "Read the file now; `accept` takes one that is held.",
            _reload,
            {"accept": bool},
            subject="",
            spoken=False,
            alone=True,
        ),
        Lever(
            "revert",
            "/api/v1/configurations/{number}/revert",
            OPERATOR,
            "Put an earlier file in the place of the present one, and serve it.",
            _revert,
            subject="",
            alone=True,
        ),
        Lever("retry", f"{_WRITE}retry", OPERATOR, "Deliver a write again.", _write_lever("retry"), subject="id"),
        Lever("made", f"{_WRITE}made", OPERATOR, "The record has this write.", _write_lever("made"), subject="id"),
        Lever("drop", f"{_WRITE}drop", OPERATOR, "Give a write up.", _write_lever("drop"), subject="id"),
        Lever(
            "reconcile",
            "/api/v1/reconcile/{route}",
            OPERATOR,
            "Read both sides key by key; `repair` puts what the record says to the other.",
            _reconcile,
            {"keys": list, "repair": bool, "headers": list},
            subject="route",
        ),
        Lever(
            "create_token",
            "/api/v1/tokens",
            APPROVER,
            "Make a token; `expires` is seconds from now.",
            _create_token,
            {"name": str, "role": str, "expires": NUMBER},
            subject="",
            makes=("id",),
        ),
        Lever("revoke_token", "/api/v1/tokens/{id}/revoke", APPROVER, "End a token.", _revoke_token, subject="id"),
        Lever(
            "make_link",
            "/api/v1/links",
            APPROVER,
            "Make a link that signs a browser in, once, within `for` seconds.",
            _make_link,
            {"name": str, "role": str, "for": NUMBER},
            subject="",
        ),
    )
}
