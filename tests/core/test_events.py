"""Events as other systems read them."""

import json
import re
import time
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any, get_args

from gateway.core.events import TYPES, Event, Kind, message
from gateway.core.signing import signed, verified


def test_an_event_as_json() -> None:
    """Type, moment and data, with what its kind has more to say among the data."""
    why = "parity 96.1 % is below 99.5 %"
    event = Event("evt_1", 1_767_225_600.25, "rolled_back", "rent-balance", "rents", "", why, {"share": 2_500})
    assert message(event) == (
        b'{"type":"ramp.rolled_back","timestamp":"2026-01-01T00:00:00.250Z","data":{"route":"rent-balance",'
        b'"journey":"rents","why":"parity 96.1 % is below 99.5 %","share":2500}}'
    )


def test_what_an_event_is_not_about_is_left_out() -> None:
    """An event of the store is about no route, and nobody did it."""
    document = json.loads(message(Event("evt_2", 0.0, "store_unavailable", "", "", "", "disk fÜll", {})))
    assert document == {
        "type": "store.unavailable",
        "timestamp": "1970-01-01T00:00:00.000Z",
        "data": {"why": "disk fÜll"},
    }


def test_every_kind_has_a_type_of_its_own() -> None:
    """Types are grouped and in the letters that Standard Webhooks recommends."""
    assert set(TYPES) == set(get_args(Kind))
    assert len(set(TYPES.values())) == len(TYPES)
    assert all(re.fullmatch(r"(ramp|override|config|store)\.[a-z_]+", each) for each in TYPES.values())


DOCS = (Path(__file__).parents[2] / "docs" / "events.md").read_text()


def test_every_kind_is_documented() -> None:
    """docs/events.md names each kind with its type, and shows each as a receiver gets it."""
    assert dict(re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", DOCS, re.MULTILINE)) == TYPES
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)]
    assert [each["type"] for each in shown] == list(TYPES.values())
    assert all(set(each) == {"type", "timestamp", "data"} for each in shown)


def test_the_documented_example_is_genuine() -> None:
    """Who tries their receiver with it finds its signature right."""
    [(head, body)] = re.findall(r"```http\n.*?\n(.*?)\n\n(.*?)\n```", DOCS, re.DOTALL)
    headers = dict(line.split(": ") for line in head.splitlines())
    secret = b64decode(re.findall(r"signed with `whsec_(.*?)`", DOCS)[0])
    assert verified(headers, body.encode(), secret, now=int(headers["webhook-timestamp"]))


def test_the_documented_way_to_verify_works() -> None:
    """The lines of Python that a receiver copies believe what is signed, and nothing else."""
    [lines] = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(lines, scope)
    secret = bytes(range(32))
    body = message(Event("evt_418", 0.0, "finished", "rents", "rents", "", "", {}))
    headers = signed("evt_418", time.time(), body, secret)
    text = f"whsec_{b64encode(secret).decode()}"
    assert scope["verify"](headers, body, text)
    assert not scope["verify"](headers, body + b" ", text)
    assert not scope["verify"](signed("evt_418", time.time() - 400, body, secret), body, text)
