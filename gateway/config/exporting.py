"""Where traces and metrics are sent, by OpenTelemetry's protocol: `otlp`."""

import re
from importlib.util import find_spec
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator

from gateway.config import addresses, words
from gateway.config.kinds import EditableField, Spec, text
from gateway.config.problems import Problem, Unreadable
from gateway.config.wording import Entry
from gateway.core.policies import Otlp

LEAST = 1.0
"""Seconds between two exports of metrics: all of them are looked at each time."""
_NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
_USUAL = Otlp("")
_VISIBLE = re.compile(r"[!-~](?:[ -~]*[!-~])?")


def shown(value: object) -> str:
    """The value of a header. It may be a secret, so no message repeats it."""
    found = words.text_of(value).strip()
    if not _VISIBLE.fullmatch(found):
        raise Unreadable("is empty, or holds what no header can: plain ASCII in one line is safe")
    return found


_Shown = Annotated[str, PlainValidator(shown), text('The value of a header; secrets best as "${NAME}".')]


def recorded(value: object) -> int | None:
    """A share of the requests that bring no trace, in parts of BUCKETS; None for `off`."""
    return None if value == "off" else words.share(value)


def interval(value: object) -> float | None:
    """Seconds between one export and the next; None for `off`."""
    if value == "off":
        return None
    seconds = words.duration(value)
    if seconds < LEAST:
        raise Unreadable("{written} is too often; write 1s or more, or off")
    return seconds


class OtlpSpec(Spec):
    """Where traces and metrics are sent, by OTLP over HTTP."""

    endpoint: Annotated[str, PlainValidator(addresses.collector), text("http://collector:4318")]
    """The collector's address; traces go to /v1/traces below it, metrics to /v1/metrics."""
    headers: Annotated[dict[EditableField, _Shown], BeforeValidator(words.once_each)] = Field(default={})
    """What it is shown, such as {Authorization: "Bearer ${OTLP_TOKEN}"}."""
    traces: Annotated[int | None, PlainValidator(recorded), text("A share: 10%; or off.")] = _USUAL.traces
    """The part recorded of the requests that bring no trace, or off. What a client records is recorded here. Default
    10%."""
    metrics: Annotated[float | None, PlainValidator(interval), text("A duration: 30s; or off.")] = _USUAL.metrics
    """How often metrics are sent, or off. Default 30s."""


def otlp_of(spec: OtlpSpec | None, entry: Entry, problems: list[Problem]) -> Otlp | None:
    if spec is None:
        return None
    if not all(_is_there(name) for name in _NEEDED):
        message = "OpenTelemetry is not installed here: pip install 'banyan-gateway[otlp]'; or leave `otlp` out"
        problems.append(entry.key_problem(("otlp",), message))
    return Otlp(spec.endpoint, tuple(spec.headers.items()), spec.traces, spec.metrics)


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # not even the package that it is part of
        return False
