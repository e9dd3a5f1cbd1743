from base64 import b64encode
from pathlib import Path

from gateway.config.changes import RouteChange, describe_changes, reason_to_hold
from gateway.config.check import Loaded
from tests.config.files import FRAME, estate, loaded


def routes(*names: str, end: str = "") -> str:
    return FRAME + "".join(f"  - {{name: {name}, match: GET /{name}, legacy: office}}\n" for name in names) + end


class TestHolding:
    """A valid file that looks like half of one waits for a person."""

    def test_the_beginning_of_the_accepted_file_is_held(self, tmp_path: Path) -> None:
        """A file cut off at the end of a route is valid YAML, and still half-written."""
        current = loaded(tmp_path, routes("a", "b", "c"))
        reason = reason_to_hold(current, loaded(tmp_path, routes("a", "b")))
        assert reason is not None
        assert "looks half-written" in reason

    def test_losing_more_than_half_of_the_routes_is_held(self, tmp_path: Path) -> None:
        """A big loss may be meant, and is not taken unasked."""
        current = loaded(tmp_path, routes("a", "b", "c"))
        assert (
            reason_to_hold(current, loaded(tmp_path, routes("b", end="# rest dropped\n")))
            == "2 of 3 routes would be gone"
        )

    def test_everything_else_is_taken(self, tmp_path: Path) -> None:
        """The same file, a longer one, one with a route less, or one with its routes renamed (same ids) is taken."""
        current = loaded(tmp_path, routes("a", "b", "c"))
        renamed = FRAME + "".join(
            f"  - {{name: {name}2, id: {name}, match: GET /{name}, new: office}}\n" for name in "abc"
        )
        for text in (routes("a", "b", "c"), routes("a", "b", "c", "d"), routes("a", "c"), renamed):
            assert reason_to_hold(current, loaded(tmp_path, text)) is None

    def test_included_files_count_too(self, tmp_path: Path) -> None:
        """Each file may be half-written."""
        current = loaded(tmp_path, routes("a", "b", "c"))
        more = tmp_path / "more.yaml"
        whole = Loaded(current.estate, (*current.files, (more, b"routes: []\n# all\n")))
        half = Loaded(current.estate, (*current.files, (more, b"routes: []\n")))
        assert "more.yaml looks half-written" in str(reason_to_hold(whole, half))
        assert reason_to_hold(half, whole) is None


def test_nothing_changed(tmp_path: Path) -> None:
    """Comments and order make no difference."""
    first = estate(tmp_path, routes("a", "b"))
    assert describe_changes(first, estate(tmp_path, "# hello\n" + routes("b", "a"))) == []


def test_changes_are_told_per_setting(tmp_path: Path) -> None:
    """Each setting that differs is one line, in the words of the file; routes that come and go are told whole."""
    old = """\
    version: 1
    backends: {a: {url: "http://a"}, b: {url: "https://b:8443/x"}, c: {url: "unix:/c.sock"}}
    routes:
      - {name: one, match: GET /1, legacy: a, new: b, serve: legacy}
      - {name: two, match: GET /2, legacy: a, timeout: {total: 5s}, safe: true}
      - {name: gone, match: GET /3, legacy: a}
    """
    new = """\
    version: 1
    gateway: {served_by: false}
    backends: {a: {url: "http://a:81", timeout: {connect: 1s}}, b: {url: "https://b:8443/x"}, d: {url: "http://d"}}
    routes:
      - {name: one, match: GET /1, legacy: a, new: {backend: b, method: PUT, path: "/v2/{query.q}"}, serve: 12.5% new}
      - {name: two, match: GET /2/x, legacy: a, sticky: {cookie: c, issue: true}}
      - {name: come, match: GET /4, legacy: a}
    """
    found = describe_changes(estate(tmp_path, old), estate(tmp_path, new))
    assert found == [
        RouteChange("one", "serve", "legacy", "12.5% new"),
        RouteChange("one", "new", "b", "b PUT /v2/{query.q}"),
        RouteChange("two", "match", "GET /2", "GET /2/x"),
        RouteChange("two", "sticky", "", "source cookie, name c, issue true"),
        RouteChange("two", "safe", "true", ""),
        RouteChange("two", "timeout", "total 5", ""),
        RouteChange("come", "route", "", "GET /4, legacy"),
        RouteChange("gone", "route", "GET /3, legacy", ""),
        RouteChange("backend a", "url", "http://a", "http://a:81"),
        RouteChange("backend a", "timeout", "", "connect 1"),
        RouteChange("backend d", "backend", "", "http://d"),
        RouteChange("backend c", "backend", "unix:/c.sock", ""),
        RouteChange("gateway", "served_by", "true", "false"),
    ]


def test_a_secret_that_changed_is_noticed_and_not_shown(tmp_path: Path) -> None:
    """A rotated secret, in a tester or in a header, is told as changed."""
    text = (
        FRAME
        + """  - name: a
    match: {path: /a, header: {x-key: "${S}"}}
    new: {backend: office, headers: {add: {Authorization: "${S}"}}}
    tester: {header: x-banyan-serve, secret: "${S}"}
"""
    )
    found = describe_changes(estate(tmp_path, text, {"S": "hunter1"}), estate(tmp_path, text, {"S": "hunter2"}))
    assert found == [
        RouteChange("a", "match", "ANY /a with x-key", "ANY /a with x-key (changed)"),
        RouteChange("a", "new", "office", "office (changed)"),
        RouteChange("a", "tester", "x-banyan-serve", "x-banyan-serve (changed)"),
    ]


WEBHOOK = b64encode(bytes(24)).decode()
OTHER_WEBHOOK = b64encode(bytes(25)).decode()


def test_evidence_is_told_in_the_words_of_the_file(tmp_path: Path) -> None:
    """Shadows, rules and ramps that come, go or change are lines that a person can read."""
    plain = "  - {name: a, match: GET /a, legacy: office, new: repairs, %s}\n"
    old = FRAME + plain % "serve: legacy, shadow: 5%"
    new = FRAME + plain % (
        "serve: ramp, shadow: {share: 25%, sandbox: true}, compare: {ignore: [/at], tolerance: {/sum: 0.01}}"
    )
    assert describe_changes(estate(tmp_path, old), estate(tmp_path, new)) == [
        RouteChange("a", "serve", "legacy", "ramp"),
        RouteChange("a", "shadow", "{share: 5%}", "{share: 25%, sandbox: true}"),
        RouteChange("a", "compare", "", "{ignore: [/at], tolerance: {/sum: 0.01}}"),
        RouteChange("a", "ramp", "", "{stages: [1%, 5%, 25%, 50%, 100%]}"),
    ]


def test_webhooks_and_the_store_are_told_without_secrets(tmp_path: Path) -> None:
    """A rotated secret and another password are noticed, and neither is printed."""
    text = """\
    version: 1
    gateway:
      webhooks: [{url: "https://hooks.example/hunter2", secret: "whsec_${W}"}]
      store: {url: "postgresql://gw:${P}@db/banyan"}
      keep: {traffic: 30d}
    """
    before = estate(tmp_path, text, {"W": WEBHOOK, "P": "hunter2"})
    after = estate(tmp_path, text, {"W": OTHER_WEBHOOK, "P": "hunter3"})
    hook, store = "{url: https://hooks.example/***, secret: ***}", "{url: postgresql://***@db/banyan}"
    assert describe_changes(before, after) == [
        RouteChange("gateway", "webhooks", hook, f"{hook} (changed)"),
        RouteChange("gateway", "store", store, f"{store} (changed)"),
    ]
    assert RouteChange("gateway", "keep", "", "{traffic: 30d}") in describe_changes(
        estate(tmp_path, "version: 1\n"), before
    )
