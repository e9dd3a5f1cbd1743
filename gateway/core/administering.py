"""Settings of the admin room."""

from typing import NamedTuple

from gateway.core.access import Role


class Oidc(NamedTuple):
    """The provider that an organisation's people sign in at (OpenID Connect), and who of them has which role here.

    `issuer` is compared exactly. `roles` has the values of the claim `roles_claim` that give each role; `name_claim` is
    where people's names stand, "" for wherever one is found.
    """

    issuer: str
    client_id: str
    client_secret: str
    roles: tuple[tuple[Role, tuple[str, ...]], ...] = ()
    roles_claim: str = "groups"
    name_claim: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")


class Administration(NamedTuple):
    """`name` is what the pages call this gateway; `timezone` of those who do not tell theirs (IANA); `idle` and
    `lasts` how long a browser stays signed in without a request, and at all (seconds); `url` what browsers find the
    pages under, scheme and authority, "" where that is the admin port itself; `trusted_proxies` networks that tell from
    where somebody comes."""

    name: str = ""
    timezone: str = "UTC"
    idle: float = 30 * 60.0
    lasts: float = 12 * 3_600.0
    url: str = ""
    oidc: Oidc | None = None
    trusted_proxies: tuple[str, ...] = ()

    @property
    def secure(self) -> bool:
        """Whether browsers come by https, so that their cookies never go another way."""
        return self.url.startswith("https://")


class Cost(NamedTuple):
    """What a backend costs: for each call, and by the month whether it is called or not (in `currency`)."""

    per_call: float = 0.0
    per_month: float = 0.0
    currency: str = "£"
