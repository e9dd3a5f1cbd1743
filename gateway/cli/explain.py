"""`banyan explain`: which route takes a request and why, which side and why, and what would be sent where."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.options import CONFIG, DATA, Config, Json

Document = dict[str, Any]


def explain(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, ...")],
    url: Annotated[str, typer.Argument(metavar="URL", help="A path, or a whole address.")],
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="A header; as often as needed.")
    ] = None,
    body: Annotated[
        Path | None,
        typer.Option("--data", metavar="FILE", help="The body, such as a SOAP call (- for standard input)."),
    ] = None,
    address: Annotated[str, typer.Option(metavar="IP", help="Where the request comes from.")] = "127.0.0.1",
    config: Config = CONFIG,
    running: Annotated[bool, typer.Option("--running", help="Ask the running gateway instead of the file.")] = False,
    at: Annotated[
        Path, typer.Option("--at", metavar="DIR", envvar="BANYAN_DATA", help="The running gateway's data folder.")
    ] = DATA,
    as_json: Json = False,
) -> None:
    """Explain a request without sending it.

    Tells which route takes it and why the others do not, which side serves it and why, what would be sent where, and
    what would be copied. Where ramps and overrides stand is known to the running gateway alone: ask it with --running.
    The exit code is 0 whether a backend would answer or the gateway itself.
    """
    from gateway.cli.output import say_json

    start, size = _body(body)
    asking = (_method(method), url, header or [], start, address, size)
    document = _by_gateway(at, *asking) if running else _by_file(config, *asking)
    if as_json:
        say_json(document)
    else:
        _show(document)


def _method(text: str) -> str:
    from gateway.config.words import METHODS
    from gateway.errors import CommandError

    if text.upper() not in METHODS:
        raise CommandError(f"{text!r} is not a method that the gateway takes; it would answer 501.")
    return text.upper()


def _body(path: Path | None) -> tuple[bytes, int]:
    """The beginning of a body, a little more than is read to find its operation, and how long it is."""
    from gateway.core.soap import READ_AHEAD
    from gateway.errors import CommandError

    if path is None:
        return b"", 0
    if str(path) == "-":
        data = sys.stdin.buffer.read()
        return data[: READ_AHEAD + 1], len(data)
    try:
        with path.open("rb") as file:
            return file.read(READ_AHEAD + 1), path.stat().st_size
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _by_file(config: Path, method: str, url: str, headers: list[str], body: bytes, address: str, size: int) -> Document:
    import os

    from gateway.config.check import load
    from gateway.core.asking import asked
    from gateway.core.explaining import explain as explained
    from gateway.core.matching import compiled
    from gateway.proxy.chance import fresh_digits

    ask = asked(method, url, headers, body, address, size)
    estate = load(config, os.environ).estate
    return explained(compiled(estate), estate.gateway, ask, fresh_digits()).document()


def _by_gateway(
    data: Path, method: str, url: str, headers: list[str], body: bytes, address: str, size: int
) -> Document:
    from base64 import b64encode

    from gateway.cli.remote import ask

    order = {"method": method, "url": url, "headers": headers, "address": address, "size": size}
    return ask(data, "/api/v1/explain", {**order, "body": b64encode(body).decode()})


# ------------------------------------------------------------------------------------------------ for people


def _show(document: Document) -> None:
    from gateway.cli.output import painted, say

    say(document["request"])
    if document["route"]:
        say(f"  route   {painted(document['route'], 'green')}: {document['match']} ({document['place']})")
    if document["why"]:
        side = document["side"] or "none"
        say(f"  side    {painted(side, 'green')}: {document['why']}")
    if document["status"]:
        say(f"  answer  {painted(str(document['status']), 'yellow')}, by the gateway itself: {document['detail']}")
    for sending in document["sends"]:
        _show_sending(sending)
    if document["shadow"]:
        say(f"  shadow  {document['shadow']}")
    if document["others"]:
        say()
        say("Other routes near this address:" if document["route"] else "Routes near this address:")
        width = max(len(other["route"]) for other in document["others"])
        for other in document["others"]:
            say(f"  {other['route']:<{width}}  {other['match']}: {other['why']}")
    for note in document["notes"]:
        say()
        say(note)


def _show_sending(sending: Document) -> None:
    from gateway.cli.output import say

    if sending["refused"]:
        say(f"  {sending['side']:<7} nothing is sent to {sending['backend']}. {sending['refused']}")
        return
    say(f"  {sending['side']:<7} {sending['backend']}, {sending['url']}")
    for line in sending["head"]:
        say(f"            {line}")
    waits = ", ".join(f"{name} {seconds:g} s" for name, seconds in sending["timeouts"].items() if seconds)
    say(f"          waits at most: {waits}")
