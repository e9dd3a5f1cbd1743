"""Signing in at the organisation's own provider: the authorization code flow of OpenID Connect (Core 1.0, section 3.1),
with PKCE (RFC 7636), and with the provider's name in its answers where it tells that (RFC 9207).

What goes wrong is told to whoever signs in, in a sentence; what the log has besides is the reason, and no token, code
or claim.
"""

from collections.abc import Mapping
from time import time
from typing import Any, NamedTuple
from urllib.parse import urlencode

from gateway.access.flows import Begun, Flow, Flows, challenge
from gateway.access.provider import Remote, Unreachable
from gateway.access.refusals import Refusal
from gateway.core.administering import Oidc
from gateway.core.identity import Person, Provider, Unfit, Wanted, person_of, problem_of
from gateway.telemetry.logging import log

PRESENT = "Traffic does not depend on this, and signing in with a token goes on working."
_CODES = (
    *("access_denied", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type"),
    *("server_error", "temporarily_unavailable", "login_required", "interaction_required", "consent_required"),
    "account_selection_required",
)
"""RFC 6749, section 4.1.2.1, and OpenID Connect Core, section 3.1.2.6: words that may be shown."""


class Proved(NamedTuple):
    """Somebody who has signed in at the provider, and where they wanted to go."""

    person: Person
    next: str


class Organisation:
    """The provider of an organisation, and the sign-ins that are under way there."""

    def __init__(self) -> None:
        self.flows = Flows()
        self._remotes: dict[str, Remote] = {}

    def _remote(self, issuer: str) -> Remote:
        if issuer not in self._remotes:
            self._remotes = {issuer: Remote(issuer)}  # there is one at a time; the file may have changed
        return self._remotes[issuer]

    async def begin(self, oidc: Oidc, redirect: str, to: str, address: str) -> tuple[str, Begun]:
        """Where the browser is sent to sign in, and what was drawn for that. Raises Refusal."""
        try:
            provider = await self._remote(oidc.issuer).about()
        except (Unreachable, Unfit) as error:
            raise _unusable(oidc, str(error)) from error
        begun = self.flows.begin(oidc, redirect, to, address)
        asked = {
            "response_type": "code",
            "client_id": oidc.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(oidc.scopes),
            "state": begun.state,
            "nonce": begun.flow.nonce,
            "code_challenge": challenge(begun.flow.verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in provider.authorize else "?"
        return f"{provider.authorize}{joint}{urlencode(asked)}", begun

    async def end(self, oidc: Oidc, cookie: str, sent: Mapping[str, str]) -> Proved:
        """A browser is back with what the provider gave it (`sent`, the query). Raises Refusal."""
        flow = self.flows.end(sent.get("state", ""), cookie)
        if flow.oidc != oidc:
            raise Refusal(400, "The configuration has changed since this sign-in was begun. Begin again.")
        try:
            provider = await self._remote(oidc.issuer).about()
            _check_answer(sent, provider)
            claims = await self._claims(flow, provider, sent["code"])
        except Unreachable as error:
            raise _unusable(oidc, str(error)) from error
        except Unfit as error:
            log().warning("sign_in_refused", by="oidc", why=str(error))
            raise Refusal(403, f"Your organisation's answer cannot be used: {error}. Nobody was signed in.") from error
        try:
            return Proved(person_of(claims, oidc), flow.next)
        except Unfit as error:
            log().warning("sign_in_refused", by="oidc", why="no role", sub=claims["sub"])
            raise Refusal(403, str(error)) from error

    async def _claims(self, flow: Flow, provider: Provider, code: str) -> Mapping[str, Any]:
        """What the provider says of whoever has signed in. Raises Unreachable, Unfit."""
        from gateway.access.tokens import UnknownKey, verified  # cryptography is loaded only where it is needed

        remote, oidc = self._remote(flow.oidc.issuer), flow.oidc
        form = {"code": code, "redirect_uri": flow.redirect, "code_verifier": flow.verifier}
        token = await remote.exchange(provider, oidc, form)
        try:
            try:
                claims = verified(token, await remote.keys(provider), provider.algorithms)
            except UnknownKey:  # it may have new ones
                claims = verified(token, await remote.keys(provider, fresh=True), provider.algorithms)
        except UnknownKey as error:
            raise Unfit("the ID token is signed with a key that the provider does not have (kid)") from error
        if problem := problem_of(claims, Wanted(oidc.issuer, oidc.client_id, flow.nonce), time()):
            raise Unfit(problem)
        return claims

    def way_out(self, oidc: Oidc | None) -> str:
        """Where one signs out of the provider itself (OpenID Connect RP-Initiated Logout 1.0); "" where that is not
        known. The provider is not asked for it."""
        provider = self._remote(oidc.issuer).known() if oidc is not None else None
        if oidc is None or provider is None or not provider.end:
            return ""
        return f"{provider.end}{'&' if '?' in provider.end else '?'}{urlencode({'client_id': oidc.client_id})}"


def _check_answer(sent: Mapping[str, str], provider: Provider) -> None:
    """Raises Unfit where another provider has answered, or this one with an error. Who it is comes first: an error may
    be another's, too (RFC 9207, section 2.4)."""
    if sent.get("iss", "" if provider.tells_issuer else provider.issuer) != provider.issuer:
        raise Unfit("another provider has answered (iss)")
    if "error" in sent:
        word = sent["error"]
        raise Unfit(f"it did not sign you in ({word if word in _CODES else 'an error that is not known here'})")
    if not sent.get("code"):
        raise Unfit("there is no code in it")


def _unusable(oidc: Oidc, why: str) -> Refusal:
    log().warning("provider_unusable", issuer=oidc.issuer, why=why)
    return Refusal(503, f"Your organisation's sign-in cannot be used right now: {why}. {PRESENT}")
