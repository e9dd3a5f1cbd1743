"""The pages' addresses, and who may see them: part of the admin room's one table."""

from gateway.admin.pages import (
    assets,
    backends,
    changes,
    ledger,
    organisation,
    overview,
    owing,
    people,
    route,
    routes,
    signing,
    trying,
)
from gateway.admin.questions import Question
from gateway.core.access import Role

_HTML = "text/html"
VIEWER, OPERATOR, APPROVER = Role.VIEWER, Role.OPERATOR, Role.APPROVER


def _page(path: str, role: Role | None, about: str, handler: object) -> Question:
    return Question(path, role, about, handler, answers=_HTML)  # type: ignore[arg-type]


def _form(path: str, role: Role | None, about: str, handler: object) -> Question:
    return Question(path, role, about, handler, method="POST", answers=_HTML)  # type: ignore[arg-type]


PAGES = (
    _page("/", VIEWER, "The page Overview.", overview.overview),
    _page("/routes", VIEWER, "The page Routes.", routes.routes),
    _page("/routes/{name}", VIEWER, "The page of a route.", route.now),
    _page("/routes/{name}/disagreements", VIEWER, "What differs between its sides.", route.disagreements),
    _page("/routes/{name}/configuration", VIEWER, "What the file says of it.", route.configuration),
    _page("/routes/{name}/history", VIEWER, "What happened to it.", route.history),
    _page("/routes/{name}/do/{action}", VIEWER, "What a change of it will do.", changes.asked),
    _form(
        "/routes/{name}/do/{action}", OPERATOR, "The form of that page; some changes need an approver.", changes.done
    ),
    _page("/backends", VIEWER, "The page Backends.", backends.backends),
    _page("/writes", VIEWER, "The page Writes.", owing.writes),
    _page("/writes/{id}", OPERATOR, "One write, with what it sends.", owing.write),
    _page("/reconcile/{name}", VIEWER, "What there is to be reconciled of a route.", owing.reconciled),
    _page("/try", VIEWER, "The page Try it.", trying.tried),
    _form("/try", VIEWER, "Its form; asking a backend needs an operator.", trying.sent),
    _page("/ledger", VIEWER, "The page Ledger.", ledger.ledger),
    _page("/ledger/{backend}", VIEWER, "The proof that a backend can be switched off.", ledger.switch_off),
    _page("/audit", VIEWER, "The page Audit.", people.audit),
    _form("/audit/tokens", APPROVER, "Its form that makes a token.", people.token_made),
    _page("/configuration", VIEWER, "The page Configuration.", people.configuration),
    _form("/do/{action}", OPERATOR, "Small forms of the pages; some need an approver.", changes.act),
    _page("/sign-in", None, "The page where one signs in.", signing.sign_in),
    _form("/sign-in", None, "Its form.", signing.signed_in),
    _page("/sign-in/oidc", None, "Goes to the organisation's provider, to sign in there.", organisation.begun),
    _page("/sign-in/oidc/callback", None, "Where the provider sends the browser back.", organisation.ended),
    _form("/sign-out", None, "Signs out.", signing.sign_out),
    Question("/static/{file}", None, "Style sheets and scripts.", assets.asset, answers="text/css"),
    Question("/api/v1/ledger", VIEWER, "What each legacy backend is still needed for.", ledger.ledger_document),
    Question("/api/v1/ledger/{backend}", VIEWER, "The proof that one can be switched off.", ledger.proof_document),
)
