"""Changes, each on a page with an address of its own: what exactly will happen, to how much traffic, how to go back,
and why it is done. Title and button say the same; the way out names what stays.

A form carries how things stood when it was shown; where that has changed, nothing is done and it is shown anew.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, assert_never
from urllib.parse import quote

from aiohttp import web

from gateway.access.refusals import Refusal
from gateway.admin.admission import principal, remote
from gateway.admin.levers import LEVERS, Lever, Pull, pull, standing_of, tag_of
from gateway.admin.orders import STEERING
from gateway.admin.pages import wording
from gateway.admin.pages.rendering import GAUGE, Looking, looking, page
from gateway.admin.pages.route import ramp_of
from gateway.admin.pages.routes import Row, row_of
from gateway.config.problems import Unreadable
from gateway.config.words import duration, serve, serve_text
from gateway.core.model import NEW, Route, Serve, Side
from gateway.core.planning import only_reads, record_of
from gateway.core.policies import Ramp
from gateway.errors import CommandError, StoreUnavailable

REASONS = ("errors on new", "new is slow", "answers are wrong", "a colleague asked for it")
"""What is said with one tap, when somebody rolls back at night."""


class Effect(NamedTuple):
    """What a change does: its words, and the new side's share before and after (per cent), where it moves reads."""

    verb: str
    stays: str
    points: tuple[str, ...]
    back: str
    before: float | None = None
    after: float | None = None


class Fault(NamedTuple):
    """What was wrong with a form."""

    detail: str
    status: int


# ------------------------------------------------------------------------------------------------ what will happen

Said = Mapping[str, str]
"""What a form or an address says of the change."""
Change = Callable[[Looking, Row, Said], Effect]
_ALL_GONE = "Every request is answered with 410 (gone), writes too."
_MORNING = "Its writes still go to new: whether new's data may be left behind is a question for the morning."
_WAITS = "Where some of them are not delivered yet, the file waits until they are."
_REFUSED = "Where some of them are not delivered yet, nothing is done."


class Writes(NamedTuple):
    """The side that has the writes of a route, and the one that has them after a change. None: the route only reads."""

    now: Side | None
    then: Side | None

    @property
    def move(self) -> bool:
        return self.now != self.then

    def __str__(self) -> str:
        if self.now is None:
            return "No write moves; this route only reads."
        if self.move:
            return f"Its writes go from {self.now} to {self.then}."
        return f"Writes stay where they are, on {self.now}."


def _writes(look: Looking, row: Row, then: Side | None = None) -> Writes:
    """What becomes of writes, which `then` has afterwards; None: whoever has them now."""
    if only_reads(row.route):
        return Writes(None, None)
    planned = look.steering.table.routes.get(row.name)
    now = record_of(row.route) if planned is None else planned.record
    return Writes(now, then or now)


def _owing(row: Row, writes: Writes, sentence: str) -> tuple[str, ...]:
    """What holds writes that move, where some may be owed to a side."""
    return (sentence,) if writes.move and (row.route.writes.copy or row.route.writes.queue) else ()


def _moved(row: Row, after: float) -> str:
    """How much traffic goes where that it did not go before."""
    now = row.share or 0.0
    part = abs(after - now) / 100 * row.rate
    target = row.route.new if after > now else row.route.legacy
    name = target.backend if target is not None else "nowhere"
    if after == now:
        return "No request moves."
    return f"About {wording.count(round(part))} more requests a minute go to {name}, at once, on every gateway."


def _fallback(row: Row) -> tuple[str, ...]:
    return ("If new fails safely, legacy answers (fallback: true).",) if row.route.fallback else ()


def _rollback(look: Looking, row: Row, said: Said) -> Effect:
    ramp = ramp_of(look, row.name)
    named = row.name if ramp is None else ramp["ramp"]
    others = [name for name in ramp["routes"] if name != row.name] if ramp else []
    writes = _writes(look, row)
    points = [_moved(row, 0.0), _MORNING if writes.now == NEW else str(writes)]
    if others:
        points.append(f"The other routes of {named} go back as well: {', '.join(others)}.")
    points.append("It stays like this until a person says otherwise, over restarts too.")
    back = f"“Resume {named}” on this route's page, or banyan resume {named}."
    if ramp is None:
        back = f"“Clear the override” on this route's page, or banyan override {row.name} --clear."
    elif holding := _holding_writes(look, ramp["routes"]):
        back = f"“Clear the override” of {', '.join(holding)}, which holds writes; then {back}"
    return Effect(f"Roll {named} back to legacy", _leaves(row), tuple(points), back, row.share or 0.0, 0.0)


def _holding_writes(look: Looking, names: Sequence[str]) -> list[str]:
    """The routes whose writes an override holds elsewhere than the file says: it outlasts a rollback."""
    planned = [each for name in names if (each := look.steering.table.routes.get(name)) is not None]
    return [each.route.name for each in planned if each.standing.record not in (None, record_of(each.route))]


def _flip(look: Looking, row: Row, said: Said) -> Effect:
    wanted = said.get("to", "")
    try:
        word = serve(f"{wanted} new" if wanted.endswith("%") else wanted)
    except Unreadable as error:
        choice = "legacy, new, a share such as 10%, ramp or retired"
        raise Refusal(400, f"{wanted!r} is nothing that a route can serve: {choice}.") from error
    verb, stays = f"Flip {row.name} to {serve_text(*word)}", f"Leave it at {row.serve}"
    flipped = row.route._replace(serve=word.serve, share=word.share)
    if flipped == row.route:
        return Effect(verb, stays, (_as_it_is(look, row),), "There is nothing to go back from.")
    after, writes = _share_of(flipped), _writes(look, row, record_of(flipped))
    back = f"“Roll back to legacy” on the route's page, or banyan flip {row.name} {row.serve}. It takes two seconds."
    points = list(_flipped(row, after, writes))
    if word.serve is Serve.RAMP:
        points.append("Its ramp begins with the first stage and goes on by evidence.")
    if row.is_moved or row.route.serve is Serve.RAMP:
        points.append("This ends its override, and its ramp.")
    return Effect(verb, stays, tuple(points), back, row.share, after)


def _as_it_is(look: Looking, row: Row) -> str:
    """What a flip does to a route that is served by that word already."""
    override = " Its override stays: “Clear the override” ends it." if row.is_moved else ""
    if look.status["config"]["held"]:
        return f"It serves that already. Where the file that waits says otherwise, it is changed back.{override}"
    return f"The file says so already: nothing changes.{override}"


def _flipped(row: Row, after: float | None, writes: Writes) -> tuple[str, ...]:
    """What becomes of requests: of reads by their share, of writes by their record, of both where they are gone."""
    if after is None:
        return _ALL_GONE, *_owing(row, writes, _WAITS)
    if row.route.serve is Serve.RETIRED:
        share = f"new answers {after:g}% of the reads, legacy the rest" if 0 < after < 100 else "one side answers"
        reads = {0.0: "legacy answers", 100.0: "new answers"}.get(after, share)
        taken = f"; writes go to {writes.then}." if writes.then else "."
        return f"It is gone (410) now. From then on {reads}{taken}", *_owing(row, writes, _WAITS), *_fallback(row)
    return _moved(row, after), str(writes), *_owing(row, writes, _WAITS), *_fallback(row)


def _share_of(route: Route) -> float | None:
    """Per cent of the reads that new takes once a route is flipped; None where nobody takes any."""
    match route.serve:
        case Serve.LEGACY:
            return 0.0
        case Serve.NEW:
            return 100.0
        case Serve.SPLIT:
            return route.share / 100
        case Serve.RAMP:
            return (route.ramp or Ramp()).stages[0].share / 100
        case Serve.RETIRED:
            return None
        case never:
            assert_never(never)


def _override(look: Looking, row: Row, said: Said) -> Effect:
    writes = f"Its writes go there as well. {_REFUSED}" if said.get("writes") == "yes" else str(_writes(look, row))
    points = (
        "It serves something else than the file says, at once, on every gateway.",
        writes,
        "It is shown everywhere as an override, and drops by itself when its time is over.",
    )
    back = f"“Clear the override” on the route's page, or banyan override {row.name} --clear."
    return Effect(f"Override {row.name}", _leaves(row), points, back)


def _clear(look: Looking, row: Row, said: Said) -> Effect:
    writes = _writes(look, row, record_of(row.route))
    points = (
        f"It goes by the file again (serve: {row.serve}), at once, on every gateway.",
        str(writes),
        *_owing(row, writes, _REFUSED),
    )
    return Effect(f"Clear the override of {row.name}", _leaves(row), points, "Set it again, with “Override”.")


def _ramped(verb: str, *points: str) -> Change:
    def effect(look: Looking, row: Row, said: Said) -> Effect:
        ramp = ramp_of(look, row.name)
        if ramp is None:
            raise Refusal(400, f"{row.name} does not ramp.")
        next_share = ramp["next"]["share"] if ramp["next"] else 100.0
        told = {"ramp": ramp["ramp"], "share": f"{ramp['share']:g}%", "next": f"{next_share:g}%"}
        lines = tuple(point.format(**told) for point in points)
        moving = "{next}" in verb
        return Effect(
            verb.format(**told),
            f"Leave it at {told['share']}",
            (_moved(row, next_share), *lines) if moving else lines,
            f"“Roll back to legacy” on the route's page, or banyan rollback {ramp['ramp']}. It takes a second.",
            ramp["share"] if moving else None,
            next_share if moving else None,
        )

    return effect


def _leaves(row: Row) -> str:
    return f"Leave it at {row.share:g}% new" if row.share else "Leave it as it is"


EFFECTS: Mapping[str, Change] = {
    "rollback": _rollback,
    "flip": _flip,
    "override": _override,
    "clear": _clear,
    "pause": _ramped("Pause {ramp} at {share}", "It stays at {share}; a broken guard still turns it back."),
    "resume": _ramped("Resume {ramp}", "It goes on; its evidence counts anew from now."),
    "approve": _ramped("Approve {next} of {ramp}", "It begins as soon as nothing else is missing."),
    "promote": _ramped("Promote {ramp} to {next}", "It begins now, whatever the evidence lacks."),
    "restart": _ramped("Restart {ramp}", "It begins with its first stage again; until then legacy serves all reads."),
}
"""What each change of a route does, by its lever."""


# ------------------------------------------------------------------------------------------------ asking, doing


async def asked(request: web.Request) -> web.Response:
    """The page that says what will happen."""
    return await _asked(request)


async def _asked(
    request: web.Request, fault: Fault | None = None, form: Mapping[str, str] | None = None
) -> web.Response:
    look = await looking(request)
    action, row = request.match_info["action"], _row(look)
    lever = _lever(action)
    said = form or request.query
    effect = EFFECTS[action](look, row, said)
    return page(
        look,
        "change.html",
        "routes",
        effect.verb,
        status=fault.status if fault else 200,
        row=row,
        effect=effect,
        action=action,
        lever=lever,
        allowed=look.who.role.allows(lever.role),
        fault=fault.detail if fault else "",
        form=form or {name: said[name] for name in ("serve", "for", "writes") if name in said},
        tag=tag_of(standing_of(look.steering, _subject(look, row, action))),
        reasons=REASONS if action == "rollback" else (),
        four_eyes=row.route.four_eyes and action not in ("rollback", "pause"),
        wanted=said.get("to", ""),
        back_to=f"/routes/{quote(row.name, safe='')}",
    )


async def done(request: web.Request) -> web.StreamResponse:
    """The form is sent: do it, and go back to the route; or say what was wrong."""
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    look = await looking(request)
    row, action = _row(look), request.match_info["action"]
    _lever(action)
    subject = _subject(look, row, action)
    try:
        order = _order(action, form)
        document = await pulled(request, action, {"name": subject}, order, form)
    except Refusal as refusal:
        if refusal.status not in (400, 412):
            raise
        return await _asked(request, Fault(refusal.detail, refusal.status), form)
    except (CommandError, StoreUnavailable) as error:
        return await _asked(request, Fault(str(error), 400), form)
    said = "waits_for_a_second_person" if document.get("waits") else action
    raise web.HTTPSeeOther(f"/routes/{quote(row.name, safe='')}?done={said}")


async def pulled(
    request: web.Request, action: str, path: Mapping[str, str], order: dict[str, Any], form: Mapping[str, str]
) -> dict[str, Any]:
    """Pull a lever by a form. Raises Refusal, CommandError and StoreUnavailable."""
    who = principal(request)
    reason = form.get("reason", "").strip() or form.get("tapped", "").strip()
    if not reason:
        raise Refusal(400, "Say why, in one sentence, for those who will ask later.")
    told = Pull(who, who.name, remote(request), path, order, reason[:1_000], form.get("tag", ""))
    document = await pull(request.app[STEERING], LEVERS[action], told)
    request.app[GAUGE].forget()
    return document


def _order(action: str, form: Mapping[str, str]) -> dict[str, Any]:
    """What the form says, as the lever takes it. Raises Refusal."""
    if action == "flip":
        return {"serve": form.get("to", "")}
    if action != "override":
        return {}
    lasting = form.get("for", "").strip()
    try:
        seconds = duration(lasting) if lasting else None
    except Unreadable as error:
        raise Refusal(400, str(error).replace("{written}", repr(lasting))) from error
    serve = form.get("serve", "")
    return {
        "serve": f"{serve} new" if serve.endswith("%") else serve,
        "for": seconds,
        "writes": form.get("writes") == "yes",
    }


def _row(look: Looking) -> Row:
    name = look.request.match_info["name"]
    row = row_of(look, name)
    if row is None:
        raise Refusal(404, f"There is no route {name!r}.")
    return row


def _lever(action: str) -> Lever:
    if action not in EFFECTS:
        raise Refusal(404, f"{action!r} is nothing that can be done to a route.")
    return LEVERS[action]


def _subject(look: Looking, row: Row, action: str) -> str:
    """A ramp's lever is about the ramp, all others about the route."""
    ramp = ramp_of(look, row.name)
    return ramp["ramp"] if ramp is not None and action not in ("flip", "override", "clear") else row.name


# ------------------------------------------------------------------------------------------------ simple forms


async def act(request: web.Request) -> web.StreamResponse:
    """A form of another page: a write, a token, the file. It goes back there, or says what was wrong."""
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    action = request.match_info["action"]
    simple = SIMPLE.get(action)
    if simple is None:
        raise Refusal(404, f"{action!r} is nothing that can be done here.")
    path = {name: form.get(name, "") for name in simple.path}
    document = await pulled(request, action, path, simple.order(form), form)
    if document.get("waits"):
        raise web.HTTPSeeOther(simple.back.partition("?")[0] + "?done=waits_for_a_second_person")
    raise web.HTTPSeeOther(f"{simple.back.format(**{name: quote(value, safe='') for name, value in path.items()})}")


class Simple(NamedTuple):
    """A lever that a small form pulls: what of it names the subject, what else it says, and where to go on."""

    path: tuple[str, ...]
    back: str
    order: Callable[[Mapping[str, str]], dict[str, Any]] = lambda form: {}


SIMPLE = {
    "retry": Simple(("id",), "/writes?done=retry"),
    "made": Simple(("id",), "/writes?done=made"),
    "drop": Simple(("id",), "/writes?done=drop"),
    "reload": Simple((), "/configuration?done=reload", lambda form: {"accept": form.get("accept") == "yes"}),
    "revert": Simple(("number",), "/configuration?done=revert"),
    "revoke_token": Simple(("id",), "/audit?done=revoke_token"),
}
