"""Pages out of templates: what all of them show around their own (where we are, who looks, in which zone), once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from time import time
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from gateway import __version__
from gateway.admin.admission import LIVE, PRINCIPAL
from gateway.admin.levers import LEVERS
from gateway.admin.orders import STEERING
from gateway.admin.pages import assets, wording
from gateway.admin.pages.figures import Figures, Gauge
from gateway.admin.steering import Steering
from gateway.config.told import in_one_line
from gateway.core.access import Principal, Role

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and nothing that stands in the page itself."""
ZONE = "banyan_zone"
"""The cookie in which a browser tells its time zone."""
NAV = (
    ("overview", "Overview", "/"),
    ("routes", "Routes", "/routes"),
    ("backends", "Backends", "/backends"),
    ("writes", "Writes", "/writes"),
    ("try", "Try it", "/try"),
    ("ledger", "Ledger", "/ledger"),
    ("audit", "Audit", "/audit"),
    ("configuration", "Configuration", "/configuration"),
)
GAUGE: web.AppKey[Gauge] = web.AppKey("gauge", Gauge)


def environment() -> Environment:
    """The templates, with the words that figures are told in."""
    made = Environment(
        loader=PackageLoader("gateway.admin"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("count", "share", "percent", "errors", "seconds", "lasting", "area_of"):
        made.filters[name] = getattr(wording, name)
    made.filters |= {
        "said": said,
        "inline": in_one_line,
        "yaml": in_one_line,
        "example": example,
        "money_of": money_of,
        "dict_with": lambda query, name, value: {**query, name: value},
        "dict_without": lambda query, name: {key: value for key, value in query.items() if key != name},
    }
    made.globals |= {
        "DONE": frozenset(LEVERS) | {"waits_for_a_second_person"},
        "clock_unix": wording.unix,
        "NAV": NAV,
        "VERSION": __version__,
        "asset": assets.address,
        "NOT_MEASURED": wording.NOT_MEASURED,
    }
    return made


_CODE, _SPACED = re.compile(r"`([^`]+)`"), re.compile(r"(\d) %")


def said(text: str) -> Markup:
    """A sentence of the gateway as a page has it: what stands between backticks as code, and `5%` without a space."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(_SPACED.sub(r"\1%", text)))))


def example(kept: Any) -> Markup:
    """One value of an example: itself where it may be shown, otherwise its type, length and mark."""
    if kept is None:
        return Markup('<span class="muted">missing</span>')
    if not isinstance(kept, dict):
        return escape(kept)
    if kept.get("value") is not None:
        return Markup("<code>{}</code>").format(kept["value"])
    words = [str(kept["type"])] + ([f"{kept['length']} characters"] if kept.get("length") else [])
    mark = Markup(" <code>#{}</code>").format(kept["hash"][:8]) if kept.get("hash") else Markup("")
    return escape(", ".join(words)) + mark


_MONEY = re.compile(r"balance|amount|arrears|price|total|rent|charge|fee|tax|debit|credit|payment|sum", re.IGNORECASE)


def money_of(fields: list[dict[str, Any]]) -> list[str]:
    """The pointers of fields that are wrong and sound like money."""
    return [each["pointer"] for each in fields if each["state"] == "wrong" and _MONEY.search(each["pointer"])]


_TEMPLATES = environment()


@dataclass(frozen=True)
class Looking:
    """One look at a page: what is asked, who looks, and in which time. What the control process tells is asked of it
    once in a look, and not before it is needed: with 2,000 routes it takes a while to say."""

    request: web.Request
    steering: Steering
    who: Principal
    clock: wording.Clock
    figures: Figures

    def may(self, role: str) -> bool:
        """Whether who looks has that role, or more."""
        return self.who.role.allows(Role(role))

    @cached_property
    def status(self) -> dict[str, Any]:
        """How the gateway is."""
        return self.steering.status()

    @cached_property
    def ramps(self) -> list[dict[str, Any]]:
        """Every ramp."""
        return self.steering.desk.ramps()

    @cached_property
    def standings(self) -> dict[str, dict[str, Any]]:
        """Where each route stands."""
        return self.steering.desk.routes()


async def looking(request: web.Request) -> Looking:
    """Someone looks at a page."""
    steering = request.app[STEERING]
    who = request[PRINCIPAL] or Principal("", Role.VIEWER, "session")
    return Looking(request, steering, who, clock_of(request), await request.app[GAUGE].figures())


def clock_of(request: web.Request) -> wording.Clock:
    """Times as this browser wants them."""
    usual = ZoneInfo(request.app[STEERING].loaded.estate.gateway.admin.timezone)
    return wording.Clock(wording.zone_of(request.cookies.get(ZONE), usual), time())


def page(look: Looking, template: str, at: str, title: str, status: int = 200, **context: Any) -> web.Response:
    """A page: `at` is where in the navigation it stands. What asks for it to be fresh gets the same, whole."""
    config = look.status["config"]
    frame = {
        "at": at,
        "title": title,
        "who": look.who,
        "may": look.may,
        "clock": look.clock,
        "figures": look.figures,
        "config": config | {"loaded": wording.unix(config["loaded_at"])},
        "environment": look.steering.loaded.estate.gateway.admin.name,
        "path": look.request.rel_url,
        "is_live": LIVE in look.request.headers,
    }
    return html(template, frame | context, status)


def html(template: str, context: Mapping[str, Any], status: int = 200) -> web.Response:
    """A template as an answer."""
    text = _TEMPLATES.get_template(template).render(context)
    return web.Response(text=text, status=status, content_type="text/html", headers={"Content-Security-Policy": CSP})


def error_page(request: web.Request, status: int, detail: str) -> web.Response:
    """What went wrong, for people: what still works, and where to go on."""
    who = request.get(PRINCIPAL)
    context: dict[str, Any] = {
        "at": "",
        "title": _TITLES.get(status, "That did not work"),
        "detail": detail,
        "who": who,
        "environment": request.app[STEERING].loaded.estate.gateway.admin.name,
        "path": request.rel_url,
        "clock": clock_of(request),
        "is_live": False,
    }
    return html("error.html", context, status)


_TITLES = {
    400: "That cannot be done",
    403: "You may not do that",
    404: "There is nothing here",
    409: "Something has changed",
    412: "Something has changed",
    429: "Too many attempts",
    503: "That cannot be had right now",
}
