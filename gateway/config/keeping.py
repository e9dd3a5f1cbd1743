"""What the gateway keeps, where, for how long, and whom it tells: `store`, `keep` and `webhooks`."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator

from gateway.config import addresses, measures, words
from gateway.config.kinds import CountOrZero, Maybe, Spec, text
from gateway.config.problems import Problem
from gateway.config.wording import Entry
from gateway.core.administering import Cost
from gateway.core.policies import EventKind, Keep, StoreSettings, Webhook

_Kept = Annotated[float, PlainValidator(words.long_duration), text("A duration: 90d, 12h.", examples=["90d"])]


class WebhookSpec(Spec):
    """Where events are sent, signed as Standard Webhooks has it."""

    url: Annotated[str, PlainValidator(addresses.webhook_url), text("An http or https address.")]
    secret: Annotated[bytes, PlainValidator(measures.webhook_secret), text('whsec_..., best "${WEBHOOK_SECRET}".')]
    """What signs them: whsec_ and 24 to 64 bytes in base64."""
    events: Maybe[Annotated[list[EventKind], Field(min_length=1)]] = None
    """Which kinds. Default: all."""


class KeepSpec(Spec):
    """How long what is kept."""

    traffic: Maybe[_Kept] = None
    """Counts of requests, by minute. Default 400d."""
    writes: Maybe[_Kept] = None
    """What became of writes that were delivered later, receipts among it. Default 7d."""
    evidence: Maybe[_Kept] = None
    """What comparing found. Default 90d."""
    examples: CountOrZero = Keep().examples
    """How many examples of each field that disagrees. Default 5."""
    events: Maybe[_Kept] = None
    """What happened, when, by whom and why. Default 2555d, seven years."""


class StoreSpec(Spec):
    """Where what must last is kept."""

    url: Maybe[
        Annotated[
            str, PlainValidator(addresses.database), text('postgresql://user:password@host/name, "${DATABASE_URL}"')
        ]
    ] = None
    """A PostgreSQL database. Default: a file in the data folder (SQLite)."""
    upgrade: Literal["auto", "manual"] = "auto"
    """Whether a gateway brings the tables up to date as it starts (auto), or only `banyan db upgrade` does (manual)."""


class CostSpec(Spec):
    """What a backend costs, for the ledger."""

    per_call: Annotated[float, Field(ge=0, le=1_000_000)] = Cost().per_call
    """Of each call."""
    per_month: Annotated[float, Field(ge=0, le=1_000_000_000)] = Cost().per_month
    """Of each month, whether it is called or not."""
    currency: Annotated[str, Field(min_length=1, max_length=8)] = Cost().currency
    """What stands before the figures. Default £."""


def cost_of(spec: CostSpec | None) -> Cost | None:
    return None if spec is None else Cost(spec.per_call, spec.per_month, spec.currency)


def webhooks_of(specs: list[WebhookSpec], entry: Entry, problems: list[Problem]) -> tuple[Webhook, ...]:
    seen: set[str] = set()
    for at, spec in enumerate(specs):
        if spec.url in seen:
            message = "events go to this address already; write one entry with the events of both"
            problems.append(entry.problem(("webhooks", at, "url"), message))
        seen.add(spec.url)
    return tuple(Webhook(spec.url, spec.secret, tuple(dict.fromkeys(spec.events or ()))) for spec in specs)


def keep_of(spec: KeepSpec) -> Keep:
    return Keep()._replace(**spec.given(Keep._fields))


def store_of(spec: StoreSpec) -> StoreSettings:
    return StoreSettings(spec.url, spec.upgrade == "auto")
