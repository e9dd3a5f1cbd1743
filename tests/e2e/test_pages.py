"""Operators' pages in a real browser, with a real gateway: each role walks every page and pulls the levers it may."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin, eventually

CHROMIUM = shutil.which("chromium") or ""
AXE = Path(__file__).with_name("pages") / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.skipif(
    not CHROMIUM or not AXE.exists(), reason="needs chromium, and axe-core: npm ci --prefix tests/e2e/pages"
)
ROLES = ("viewer", "operator", "approver")
PAGES = (
    "/",
    "/routes",
    "/routes?show=moving&sort=name",
    "/routes?q=nothing-is-called-this",
    "/routes/list",
    "/routes/balance",
    "/routes/balance/disagreements",
    "/routes/balance/configuration",
    "/routes/balance/history",
    "/routes/list/do/flip?to=new",
    "/routes/list/do/override",
    "/routes/balance/do/rollback",
    "/backends",
    "/writes",
    "/writes?show=stuck",
    "/reconcile/copied",
    "/try?method=GET&url=/list",
    "/ledger",
    "/ledger/old",
    "/audit",
    "/configuration",
)
JSON = "Content-Type: application/json"


def routes_yaml(old: Origin, new: Origin) -> str:
    return f"""version: 1
gateway: {{access_log: {{to: "off"}}, admin: {{name: "Thornbeck · production", timezone: Europe/London}}}}
backends:
  old: {{url: "{old.url}", protect: {{max_concurrent: 20, queue: {{size: 40}}, copies: 50%}}}}
  new: {{url: "{new.url}"}}
routes:
  - {{name: everything, match: ANY /**, legacy: old}}
  - {{name: list, match: GET /list, legacy: old, new: new, serve: 25% new, shadow: 100%}}
  - {{name: search, match: GET /search, legacy: old, new: new, serve: legacy}}
  - name: balance
    match: GET /balance/{{id}}
    legacy: old
    new: new
    serve: ramp
    ramp:
      stages: [50%, 100%]
      every: 1s
      approve_at: [100%]
      guards: {{parity: off, errors: off, latency: off, samples: 30}}
  - {{name: copied, match: "ANY /copied/{{id}}", legacy: old, new: new, writes: {{copy: true}}}}
  - {{name: gone, match: GET /gone, legacy: old, serve: retired}}
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway on which something of everything has happened."""
    with Origin() as old, Origin() as new:
        for origin, total in ((old, 10.00), (new, 10.01)):
            origin.on("/list", answer(json.dumps({"items": [1, 2], "total": total}).encode(), JSON))
            origin.on("/search", answer(b"found"))
            origin.on("/copied/1", answer(b"done"))
        new.on("/copied/2", b"HTTP/1.1 422 No\r\nContent-Length: 2\r\n\r\nno")
        with Gateway(tmp_path_factory.mktemp("gateway"), routes_yaml(old, new)) as gateway:
            for _ in range(30):
                assert gateway.get("/list").status == 200
            assert gateway.call("PUT", "/copied/2", body=b"x").status == 200
            for number in range(200):
                gateway.get(f"/balance/{number}")
            assert eventually(lambda: counted(gateway), 20)
            yield gateway


def counted(gateway: Gateway) -> bool:
    """Whether what was done has reached the store, and the write that was refused is dead."""
    report = json.loads(gateway.banyan("shadow", "list", "--json").stdout)
    calls = json.loads(gateway.banyan("outbox", "--state", "dead", "--json").stdout)["writes"]
    return bool(report["fields"]) and bool(calls)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tokens(gateway: Gateway) -> dict[str, str]:
    made = {}
    for role in ROLES:
        done = gateway.banyan("token", "create", "--name", f"a {role}", "--role", role, "--expires", "1h")
        made[role] = done.stdout.strip()
    return made


class Looks:
    """Somebody at a browser, signed in; what went wrong there, and what was asked of whom."""

    def __init__(self, context: BrowserContext, gateway: Gateway, token: str) -> None:
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._told)
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname or ""))
        self._url = f"http://127.0.0.1:{gateway.admin}"
        self.go("/", 401)
        self.page.fill("#token", token)
        self.page.click("main button")
        expect(self.page.locator("h1")).to_contain_text("need")
        self.errors.clear()  # the browser calls the 401 one

    def _told(self, told: ConsoleMessage) -> None:
        """Of a form that is refused the browser tells as of an error, which it is not."""
        if told.type == "error" and not any(f"status of {status}" in told.text for status in (400, 412)):
            self.errors.append(told.text)

    def go(self, path: str, status: int = 200) -> Page:
        answered = self.page.goto(self._url + path)
        assert answered is not None
        assert answered.status == status, path
        return self.page


def signed_in(browser: Browser, gateway: Gateway, token: str, **options: Any) -> Iterator[Looks]:
    context = browser.new_context(timezone_id="Europe/London", **options)
    looks = Looks(context, gateway, token)
    yield looks
    assert looks.errors == []
    assert looks.hosts <= {"127.0.0.1"}
    context.close()


@pytest.fixture(params=ROLES)
def anyone(
    request: pytest.FixtureRequest, browser: Browser, gateway: Gateway, tokens: dict[str, str]
) -> Iterator[Looks]:
    yield from signed_in(browser, gateway, tokens[request.param])


@pytest.fixture
def viewer(browser: Browser, gateway: Gateway, tokens: dict[str, str]) -> Iterator[Looks]:
    yield from signed_in(browser, gateway, tokens["viewer"])


@pytest.fixture
def operator(browser: Browser, gateway: Gateway, tokens: dict[str, str]) -> Iterator[Looks]:
    yield from signed_in(browser, gateway, tokens["operator"])


@pytest.fixture
def approver(browser: Browser, gateway: Gateway, tokens: dict[str, str]) -> Iterator[Looks]:
    yield from signed_in(browser, gateway, tokens["approver"])


@pytest.fixture
def plain(browser: Browser, gateway: Gateway, tokens: dict[str, str]) -> Iterator[Looks]:
    """An approver whose browser runs no scripts."""
    yield from signed_in(browser, gateway, tokens["approver"], java_script_enabled=False)


def violations(page: Page) -> list[str]:
    """What axe finds (WCAG 2.2, levels A and AA, and its best practices)."""
    page.evaluate(AXE.read_text() + ";0")
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def row(gateway: Gateway, name: str) -> dict[str, Any]:
    rows = json.loads(gateway.look("/api/v1/routes")[1])["routes"]
    return next(dict(each) for each in rows if each["name"] == name)


def flip(gateway: Gateway, name: str, serve: str) -> None:
    config = ("--config", str(gateway.config))
    done = gateway.banyan("flip", name, serve, "--reason", "for the test", *config)
    assert done.returncode == 0, done.stderr


def explain(page: Page, text: str) -> None:
    page.fill("#reason", text)


# ------------------------------------------------------------------------------------------------ looking


def test_every_page_is_there_for_every_role(anyone: Looks) -> None:
    """Without an error in the browser, without a request to anywhere else, and as axe wants it."""
    found = {path: (anyone.go(path).locator("h1").count(), violations(anyone.page)) for path in PAGES}
    assert found == dict.fromkeys(PAGES, (1, []))


def test_nothing_scrolls_sideways_on_a_small_phone(approver: Looks) -> None:
    """320 pixels are enough for every page."""
    approver.page.set_viewport_size({"width": 320, "height": 640})
    wide = "() => document.documentElement.scrollWidth"
    found = {path: approver.go(path).evaluate(wide) for path in PAGES}
    assert {path: width for path, width in found.items() if width > 320} == {}


def test_who_is_unknown_signs_in_and_goes_on(browser: Browser, gateway: Gateway, tokens: dict[str, str]) -> None:
    """An address that was asked for is where one is after signing in; signed out, it is closed again."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{gateway.admin}/backends")
    page.fill("#token", "banyan_no")
    page.click("main button")
    expect(page.locator(".govuk-error-summary")).to_contain_text("not known")
    page.goto(f"http://127.0.0.1:{gateway.admin}/backends")
    page.fill("#token", tokens["viewer"])
    page.click("main button")
    expect(page.locator("h1")).to_have_text("Backends")
    page.click(".whose button")
    expect(page.locator("h1")).to_have_text("Sign in")
    answered = page.goto(f"http://127.0.0.1:{gateway.admin}/backends")
    assert answered is not None
    assert answered.status == 401
    context.close()


def test_a_link_is_good_once(browser: Browser, gateway: Gateway) -> None:
    """It signs in whoever presses its button, under the name that they give, and nobody after them."""
    link = gateway.banyan("link", "--role", "operator").stdout.strip()
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)  # whoever only fetches it does not use it up
    page.goto(link)
    page.fill("#name", "Night shift")
    page.click("main button")
    expect(page.locator(".whose")).to_contain_text("Night shift (by link), operator")
    page.goto(link)
    expect(page.locator(".govuk-error-summary")).to_contain_text("This link was used")
    context.close()


def test_live_figures_move(viewer: Looks, gateway: Gateway) -> None:
    """Without a reload, and without what is open being closed."""
    page = viewer.go("/")
    if page.locator("#day-table").get_attribute("open") is None:
        page.click("#day-table summary")
    before = page.locator("#verdict .live").inner_text()
    row_before = page.locator("#who + p").inner_text()
    for _ in range(300):
        gateway.get("/list")
    expect(page.locator("#verdict .live")).not_to_have_text(before, timeout=15_000)
    expect(page.locator("#who + p")).not_to_have_text(row_before, timeout=20_000)
    assert page.locator("#day-table").get_attribute("open") is not None


def test_a_page_says_that_it_is_stale(browser: Browser, gateway: Gateway, tokens: dict[str, str]) -> None:
    """Where the gateway cannot be asked, figures are grey after a while, and it says that traffic goes on."""
    context = browser.new_context()
    looks = Looks(context, gateway, tokens["viewer"])
    context.set_offline(True)
    expect(looks.page.locator("html")).to_have_class("govuk-template js stale", timeout=30_000)
    expect(looks.page.locator("#verdict .live")).to_contain_text("traffic does not depend on this page")
    context.close()


# ------------------------------------------------------------------------------------------------ levers


def test_an_operator_flips_a_route(operator: Looks, gateway: Gateway) -> None:
    """The page says what will happen; the file says so afterwards, and why is in the history."""
    page = operator.go("/routes/search")
    page.click("text=Flip to new")
    expect(page.locator("h1")).to_have_text("Flip search to new")
    expect(page.locator(".change")).to_contain_text("No write moves; this route only reads.")
    page.click("button:has-text('Flip search to new')")
    expect(page.locator(".govuk-error-summary")).to_contain_text("Say why")
    explain(page, "Two weeks without a fault")
    page.click("button:has-text('Flip search to new')")
    expect(page.locator(".done")).to_contain_text("Done")
    assert row(gateway, "search")["serve"] == "new"
    page.click("text=History")
    expect(page.locator("main")).to_contain_text("Two weeks without a fault")
    expect(page.locator("main")).to_contain_text("a operator")


def test_an_operator_overrides_and_clears(operator: Looks, gateway: Gateway) -> None:
    """An override is live at once, shown as one, and gone when it is cleared."""
    page = operator.go("/routes/list/do/override")
    page.check("text=50% new")
    page.fill("#for", "2h")
    explain(page, "to see it")
    page.click("button:has-text('Override list')")
    expect(page.locator(".box-override")).to_contain_text("50% new by override until")
    assert row(gateway, "list")["share"] == 50.0
    page.click("text=Clear the override")
    explain(page, "seen")
    page.click("button:has-text('Clear the override of list')")
    expect(page.locator(".box-override")).to_have_count(0)
    assert row(gateway, "list")["share"] == 25.0


def test_a_change_of_what_has_changed_is_not_made(operator: Looks, gateway: Gateway) -> None:
    """Somebody else was quicker: the page says so, and does nothing."""
    page = operator.go("/routes/list/do/override")
    gateway.banyan("override", "list", "legacy", "--reason", "quicker")
    explain(page, "too late")
    page.click("button:has-text('Override list')")
    expect(page.locator(".govuk-error-summary")).to_contain_text("has changed since you looked")
    assert row(gateway, "list")["share"] == 0.0
    gateway.banyan("override", "list", "--clear", "--reason", "over")


def test_an_approver_approves_and_an_operator_rolls_back(operator: Looks, approver: Looks, gateway: Gateway) -> None:
    """A stage that waits is let through by an approver alone; rolling back takes one tap of an operator."""
    for number in range(400):
        gateway.get(f"/balance/{number}")
    assert eventually(lambda: "awaiting approval" in row(gateway, "balance")["standing"], 20)
    page = operator.go("/routes/balance")
    expect(page.locator(".box-needs")).to_contain_text("you are operator")
    page = approver.go("/")
    page.click("text=Review 100%")
    page.click("main a:has-text('Approve 100%')")
    explain(page, "agreed with Revenues")
    page.click("button:has-text('Approve 100%')")
    expect(page.locator(".done")).to_contain_text("approve")
    assert eventually(lambda: row(gateway, "balance")["share"] == 100.0, 10)
    page = operator.go("/routes/balance/do/rollback")
    page.click("button:has-text('errors on new')")
    expect(page.locator(".done")).to_contain_text("rollback")
    assert row(gateway, "balance")["share"] == 0.0
    page = operator.go("/")
    expect(page.locator(".need-rolled_back")).to_contain_text("balance")
    assert page.title().startswith("(")


def test_a_dead_letter_is_retried(operator: Looks, gateway: Gateway) -> None:
    """The write that the other side refused is there, with why, and is delivered again."""
    page = operator.go("/writes?show=stuck")
    expect(page.locator("table").first).to_contain_text("copied")
    page.click("summary:has-text('Decide')")
    page.fill("[name=reason]", "mended")
    page.click("button:has-text('Retry it')")
    expect(page.locator(".done")).to_contain_text("retry")
    acts = json.loads(gateway.banyan("audit", "--json").stdout)["acts"]
    assert (acts[0]["action"], acts[0]["who"], acts[0]["reason"]) == ("retry", "a operator", "mended")


def test_both_sides_are_tried(operator: Looks) -> None:
    """Where they differ is shown, side by side."""
    page = operator.go("/try")
    page.fill("#url", "/list")
    page.check("text=Ask both, and compare")
    page.click("main form button:has-text('Try it')")
    expect(page.locator("#said")).to_contain_text("1 difference")
    expect(page.locator("main")).to_contain_text("/total")
    expect(page.locator("del")).to_have_text("10.0")
    expect(page.locator("ins")).to_have_text("10.01")


def test_a_viewer_is_offered_no_lever(viewer: Looks) -> None:
    """What may not be pressed is not there; whoever goes to its address is told who may."""
    page = viewer.go("/routes/list")
    assert page.locator("main .govuk-button").count() == 0
    page = viewer.go("/routes/list/do/flip?to=new")
    expect(page.locator(".box-needs")).to_contain_text("This needs the role operator; you are viewer.")
    assert page.locator("main form").count() == 0


def test_a_token_is_made_and_revoked(approver: Looks, gateway: Gateway) -> None:
    """It is shown once; with it one gets in, until it is revoked."""
    page = approver.go("/audit")
    page.click("summary:has-text('Make a token')")
    page.fill("#token-name", "the dashboard")
    page.fill("#token-why", "for Grafana")
    page.click("button:has-text('Make this token')")
    token = page.locator(".token").inner_text()
    assert token.startswith("banyan_")
    page.goto(page.url.replace("/audit/tokens", "/audit"))
    expect(page.locator("main")).not_to_contain_text(token)
    page.click("summary:has-text('the dashboard')")
    page.locator("form[action='/do/revoke_token'] [name=reason] >> visible=true").fill("not needed")
    page.click("button:has-text('Revoke this token') >> visible=true")
    expect(page.locator("main")).to_contain_text("revoked")


def test_an_earlier_file_is_put_back(operator: Looks, gateway: Gateway) -> None:
    """The configuration's page has what served before, and puts it back."""
    flip(gateway, "search", "legacy")
    before = row(gateway, "search")["serve"]
    flip(gateway, "search", "new")
    assert eventually(lambda: row(gateway, "search")["serve"] == "new")
    page = operator.go("/configuration")
    expect(page.locator("tbody tr").first).to_contain_text("serves")
    page.locator("summary:has-text('Put it back')").first.click()
    page.locator("form[action='/do/revert'] [name=reason] >> visible=true").fill("as it was")
    page.click("button:has-text('back') >> visible=true")
    expect(page.locator(".done")).to_contain_text("revert")
    assert row(gateway, "search")["serve"] == before


# ------------------------------------------------------------------------------------------------ without scripts


def test_pages_need_no_scripts(plain: Looks) -> None:
    """Every page is there, and each chart is its table."""
    for path in PAGES:
        page = plain.go(path)
        assert page.locator("h1").count() == 1, path
        for figure in page.locator(".chart").all():
            assert figure.locator("details").get_attribute("open") is not None, path


def test_levers_need_no_scripts(plain: Looks, gateway: Gateway) -> None:
    """Routes are found and flipped with forms alone."""
    page = plain.go("/routes")
    page.fill("#q", "sear")
    page.click(".find-button")
    assert page.locator("tbody th a").all_inner_texts() == ["search"]
    serve = row(gateway, "search")["serve"]
    other = "legacy" if serve == "new" else "new"
    page = plain.go(f"/routes/search/do/flip?to={other}")
    explain(page, "no scripts here")
    page.click(f"button:has-text('Flip search to {other}')")
    expect(page.locator(".done")).to_contain_text("flip")
    assert row(gateway, "search")["serve"] == other
