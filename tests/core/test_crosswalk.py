"""Whatever side made an identifier, the side that is asked gets its own."""

import pytest

from gateway.core.crosswalk import Found, Pair, Pairs, half_of, made_by, side_for, translated
from gateway.core.model import LEGACY, NEW, Side
from gateway.core.planning import PlannedRoute
from gateway.core.policies import Crosswalk, Way
from gateway.core.writing import Made
from gateway.errors import ClientError
from tests.support.values import plan_of, request, route

JSON = "Content-Type: application/json"


def known(*pairs: Pair) -> Pairs:
    found = Pairs()
    found.add(pairs)
    return found


def planned(*ways: str) -> PlannedRoute:
    """A route whose requests have identifiers there."""
    at = tuple(Way(way.split(".")[0], tuple(way.split(".")[1:])) for way in ways)  # type: ignore[arg-type]
    return plan_of(route("ANY /{kind}/{id}", crosswalk=Crosswalk("t", at=at)))


@pytest.mark.parametrize(
    ("value", "wanted", "found"),
    [
        ("1", LEGACY, Found(LEGACY, "1")),
        ("1", NEW, Found(NEW, "a")),
        ("a", LEGACY, Found(LEGACY, "1")),
        ("a", NEW, Found(NEW, "a")),
        ("2", NEW, Found(LEGACY, "2")),
        ("2", LEGACY, Found(LEGACY, "2")),
        ("b", LEGACY, Found(NEW, "b")),
        ("9", NEW, None),
    ],
)
def test_a_thing_is_found_by_either_identifier(value: str, wanted: Side, found: Found | None) -> None:
    """On the side that is wanted, or on the one that alone has it yet."""
    pairs = known(Pair("t", "1", "a", LEGACY), Pair("t", "2", None, LEGACY), Pair("t", None, "b", NEW))
    assert pairs.find("t", value, wanted) == found
    assert pairs.find("other", value, wanted) is None
    assert len(pairs) == 4


def test_clients_mean_the_identifier_that_they_were_told() -> None:
    """Legacy made 1, which new calls 2; and 2, which new calls 3: who says 2 to new means what legacy calls so."""
    pairs = known(Pair("t", "1", "2", LEGACY), Pair("t", "2", "3", LEGACY))
    assert pairs.find("t", "2", NEW) == Found(NEW, "3")
    assert pairs.find("t", "1", NEW) == Found(NEW, "2")
    assert pairs.find("t", "3", LEGACY) == Found(LEGACY, "2")


def test_where_both_made_the_same_identifier_each_side_means_its_own() -> None:
    """Nobody can tell what a client means then; what is asked of a side is not somebody else's by chance."""
    pairs = known(Pair("t", "7", "a", LEGACY), Pair("t", "b", "7", NEW))
    assert pairs.find("t", "7", NEW) == Found(NEW, "7")
    assert pairs.find("t", "7", LEGACY) == Found(LEGACY, "7")


def test_a_half_becomes_whole_and_stays_so() -> None:
    """Whichever is heard of first: replicas read what others have made."""
    half, whole = Pair("t", "1", None, LEGACY), Pair("t", "1", "a", LEGACY)
    for order in ((half, whole), (whole, half)):
        assert known(*order).find("t", "1", NEW) == Found(NEW, "a")
    assert known(half, whole).are_one("1", "a")
    assert not known(half).are_one("1", "a")
    assert not known(whole).are_one("1", "")


def test_what_a_side_has_made_stands_in_its_answer() -> None:
    """As far as it says so."""
    crosswalk = Crosswalk("t", Way("response", ("id",)), Way("response", ("ref",)))
    fields = [(b"Content-Type", b"application/json")]
    assert made_by(crosswalk, LEGACY, fields, b'{"id": 1}') == Made("t", LEGACY, "1")
    assert made_by(crosswalk, NEW, fields, b'{"ref": "a"}') == Made("t", NEW, "a")
    assert made_by(crosswalk, NEW, fields, b'{"id": 1}') is None
    assert made_by(Crosswalk("t"), NEW, fields, b'{"id": 1}') is None
    assert half_of(Made("t", LEGACY, "1")) == Pair("t", "1", None, LEGACY)
    assert half_of(Made("t", NEW, "a")) == Pair("t", None, "a", NEW)


def test_a_request_is_sent_with_the_identifiers_of_its_side() -> None:
    """In its path, its query and its body; everything else stays as it came."""
    pairs = known(Pair("t", "1", "a/b", LEGACY), Pair("t", "2", "22", LEGACY))
    asked = request("PUT /x/1?q=0&%71id=2&r=1", JSON, "Content-Length: 9")
    body = b'{"list": [{"id": 2, "n": 1.50}], "text": "\xc3\xa9"}'
    exchanged = translated(pairs, planned("path.id", "query.qid", "body.list.0.id"), asked, body, NEW)
    assert exchanged is not None
    found, changed = exchanged
    assert (found.path, found.query, found.target) == (b"/x/a%2Fb", b"?q=0&%71id=22&r=1", b"/x/a%2Fb?q=0&%71id=22&r=1")
    assert changed == b'{"list":[{"id":22,"n":1.50}],"text":"\xc3\xa9"}'
    assert found.length == len(changed)


def test_a_number_becomes_a_text_where_it_must() -> None:
    """Identifiers of two systems need not look alike."""
    pairs = known(Pair("t", "1", "a", LEGACY))
    exchanged = translated(pairs, planned("body.id"), request("PUT /x/1", JSON), b'{"id":1}', NEW)
    assert exchanged is not None
    assert exchanged[1] == b'{"id":"a"}'
    back = translated(pairs, planned("body.id"), request("PUT /x/1", JSON), b'{"id":"a"}', LEGACY)
    assert back is not None
    assert back[1] == b'{"id":"1"}'


def test_what_is_not_known_passes_as_it_is() -> None:
    """It may have been the same on both sides all along; and so does what names nothing, or its side's own."""
    pairs = known(Pair("t", "1", "a", LEGACY))
    for target, body in (("/x/9", b""), ("/x/1", b"{}"), ("/x/a", b'{"id": 9}')):
        asked, side = request(f"PUT {target}", JSON), NEW if target == "/x/a" else LEGACY
        assert translated(pairs, planned("path.id", "body.id", "query.q"), asked, body, side) == (asked, body)
    without = plan_of(route("GET /{kind}/{id}"))
    asked = request("GET /x/1")
    assert translated(pairs, without, asked, b"", NEW) == (asked, b"")


def test_what_cannot_be_changed_is_refused() -> None:
    """By its own name it might be something else there."""
    pairs = known(Pair("t", "1", "a", LEGACY))
    asked = request("PUT /x/1", "Content-Type: text/xml")
    with pytest.raises(ClientError, match="holds an identifier that cannot be exchanged there"):
        translated(pairs, planned("body.id"), asked, b"<x><id>1</id></x>", NEW)


def test_what_a_side_does_not_have_yet_is_asked_of_the_other() -> None:
    """And cannot be said in the words of the one that lacks it."""
    pairs = known(Pair("t", "1", None, LEGACY), Pair("t", "2", "b", LEGACY))
    by_id, without = planned("path.id"), plan_of(route("GET /{kind}/{id}"))
    assert side_for(pairs, by_id, request("GET /x/1"), b"", NEW) == LEGACY
    assert side_for(pairs, by_id, request("GET /x/2"), b"", NEW) == NEW
    assert side_for(pairs, by_id, request("GET /x/9"), b"", NEW) == NEW
    assert side_for(pairs, without, request("GET /x/1"), b"", NEW) == NEW
    assert translated(pairs, by_id, request("GET /x/1"), b"", NEW) is None
    assert translated(pairs, by_id, request("GET /x/1"), b"", LEGACY) is not None
