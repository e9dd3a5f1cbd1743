"""The admin port and its pages, and who may come in there: `admin`."""

import re
from typing import Annotated

from pydantic import Field, PlainValidator, WithJsonSchema

from gateway.config import addresses, measures, words
from gateway.config.kinds import Duration, Maybe, Spec, text
from gateway.config.problems import Problem, Unreadable
from gateway.config.wording import Entry
from gateway.core.access import GIVEN
from gateway.core.administering import Administration, Oidc
from gateway.core.identity import is_secure

_USUAL = Oidc("", "", "")
_SCOPE = re.compile(r"[!#-\[\]-~]+")
"""RFC 6749, section 3.3."""
Proxy = Annotated[str, PlainValidator(addresses.network), text("A network: 10.0.0.0/8.")]
_Filled = Annotated[str, Field(min_length=1, max_length=500)]


def wanted(value: object) -> tuple[str, ...]:
    """What is asked of the provider; without `openid` it would tell nobody's identity (Core, section 3.1.2.1)."""
    found = tuple(words.text_of(each) for each in value) if isinstance(value, list) else ()
    if "openid" not in found or not all(_SCOPE.fullmatch(each) for each in found):
        raise Unreadable("must be a list of scopes with openid among them: [openid, profile, email]")
    return tuple(dict.fromkeys(found))


class RolesSpec(Spec):
    """Which values of the claim give which role; of several roles somebody has the highest."""

    viewer: list[_Filled] = Field(default=[])
    """Who may see everything."""
    operator: list[_Filled] = Field(default=[])
    """Who may also flip, pause and roll back."""
    approver: list[_Filled] = Field(default=[])
    """Who may also approve stages and manage tokens."""


class OidcSpec(Spec):
    """The OpenID provider at which people of the organisation sign in."""

    issuer: Annotated[str, PlainValidator(addresses.issuer), text("https://login.example.org/realm")]
    """The provider, exactly as it calls itself: what stands before /.well-known/openid-configuration."""
    client_id: _Filled
    """What the provider knows this gateway as."""
    client_secret: Annotated[str, PlainValidator(measures.client_secret), text('Best as "${OIDC_SECRET}".')]
    """What this gateway shows the provider."""
    roles: RolesSpec
    """Which values of the claim give which role. Whoever has none of them does not come in."""
    roles_claim: _Filled = _USUAL.roles_claim
    """The claim of the ID token that roles come from, or a path to it: realm_access.roles. Default groups."""
    name_claim: Maybe[_Filled] = None
    """The claim with the name that the audit has. Default: name, then preferred_username, email and sub."""
    scopes: Annotated[
        tuple[str, ...], PlainValidator(wanted), WithJsonSchema({"type": "array", "items": {"type": "string"}})
    ] = _USUAL.scopes
    """What is asked for. Default [openid, profile, email]."""


class AdminSpec(Spec):
    """The admin port and its pages."""

    name: Annotated[str, Field(max_length=60)] = Administration().name
    """What the pages call this gateway: `Fernshire · production`."""
    timezone: Annotated[str, PlainValidator(words.time_zone), text("A time zone: Europe/London.")] = (
        Administration().timezone
    )
    """Of those whose browser does not tell. Default UTC."""
    idle: Duration = Administration().idle
    """After how long without a request a browser is signed out. Default 30m."""
    lasts: Maybe[Annotated[float, PlainValidator(words.long_duration), text("A duration: 12h.")]] = None
    """After how long a browser is signed out in any case. Default 12h."""
    url: Maybe[Annotated[str, PlainValidator(addresses.public_url), text("https://banyan.example.org")]] = None
    """Where browsers find the pages; where it is https their cookies go no other way. Default: the admin port."""
    trusted_proxies: list[Proxy] = Field(default=[])
    """Networks whose X-Forwarded-For says from where somebody comes, for the audit and for bounds on sign-ins."""
    oidc: Maybe[OidcSpec] = None


def admin_of(spec: AdminSpec, entry: Entry, problems: list[Problem]) -> Administration:
    lasts = Administration().lasts if spec.lasts is None else spec.lasts
    if spec.oidc is not None and spec.url is not None and not is_secure(spec.url):
        message = (
            "{written} must be https where people sign in with `oidc`: what the provider sends back comes this way"
        )
        problems.append(entry.problem(("admin", "url"), message))
    oidc = _oidc_of(spec.oidc, entry, problems)
    return Administration(spec.name, spec.timezone, spec.idle, lasts, spec.url or "", oidc, tuple(spec.trusted_proxies))


def _oidc_of(spec: OidcSpec | None, entry: Entry, problems: list[Problem]) -> Oidc | None:
    if spec is None:
        return None
    roles = tuple((role, tuple(getattr(spec.roles, role))) for role in GIVEN if getattr(spec.roles, role))
    if not roles:
        message = "nobody could come in; write which values give which role: {viewer: [staff], approver: [leads]}"
        problems.append(entry.problem(("admin", "oidc", "roles"), message))
    name = spec.name_claim or ""
    return Oidc(spec.issuer, spec.client_id, spec.client_secret, roles, spec.roles_claim, name, spec.scopes)
