"""`banyan status`: how the running gateway is."""

from typing import Any

from gateway.cli.options import DATA, Data, Json


def status(data: Data = DATA, as_json: Json = False) -> None:
    """Tell how the running gateway is, and what it serves."""
    from gateway.cli.output import say, say_json
    from gateway.cli.remote import ask

    document = ask(data, "/api/v1/status")
    if as_json:
        say_json(document)
        return
    for name, text in _lines(document):
        say(f"{name:<14} {text}")


def _lines(status: dict[str, Any]) -> list[tuple[str, str]]:
    from gateway.cli.output import painted

    data, config = status["data"], status["config"]
    ready = painted("ready", "green") if status["ready"] else painted("not ready", "red")
    lines = [
        ("gateway", f"{ready}, banyan {status['version']}, process {status['pid']}"),
        ("data process", f"{data['pid']}, started again {data['restarts']} times"),
        ("connections", str(data["connections"] or 0)),
        ("file", f"{config['file']}, digest {config['digest']}"),
        ("table", f"revision {data['revision']}, file read {config['loaded_at']}"),
    ]
    lines += _standings(status)
    pools = (data["pools"] or {}).items()
    lines += [("pool", f"{name}: {busy} busy, {idle} idle connections") for name, (busy, idle) in pools]
    for name, addresses in (data.get("addresses") or {}).items():
        for address, busy, ejected, unwell in addresses:
            out = "left out: it fails" if ejected else "left out: its check fails" if unwell else ""
            lines.append(("address", f"{name}: {address}, {busy} busy" + (f", {painted(out, 'red')}" if out else "")))
    lines += _guards(data.get("guards") or {}, status["store"].get("share", 1))
    lines += [(painted("problem", "red"), problem) for problem in config["problems"]]
    if config["held"]:
        lines.append(("held back", f"{config['held'].rstrip('.')}. If this is meant: banyan reload --accept"))
    return lines


def _guards(guards: dict[str, Any], share: int) -> list[tuple[str, str]]:
    """What stands before protected backends, and how much of it is this gateway's."""
    from datetime import UTC, datetime

    from gateway.cli.output import moment, painted

    colours = {"open": "red", "half_open": "yellow", "closed": "green"}
    lines = []
    if guards and share != 1:
        part = f"one of {share} parts of every bound" if share else painted("none of any bound", "red")
        lines.append(("share", f"this gateway uses {part}"))
    for name, (under_way, waiting, state, retries, closed) in guards.items():
        if closed:
            until = datetime.fromtimestamp(closed, UTC).isoformat()
            lines.append(("maintenance", f"{name}: {painted('closed', 'yellow')} until {moment(until)}"))
        breaker = f", breaker {painted(state.replace('_', ' '), colours[state])}" if state else ""
        again = f", {retries:,} sent again" if retries else ""
        lines.append(("protected", f"{name}: {under_way} under way, {waiting} waiting{breaker}{again}"))
    return lines


def _standings(status: dict[str, Any]) -> list[tuple[str, str]]:
    """The store, and what routes go by beside the file."""
    from gateway.cli.output import painted

    store = status["store"]
    answers = f"it answers; this replica is {store['replica']}"
    return [
        ("store", answers if store["available"] else f"{painted('not available', 'red')}: {store['why']}"),
        *(("ramp", f"{name}: {text}") for name, text in status["ramps"].items()),
        *(("override", f"{name}: {text}") for name, text in status["overrides"].items()),
    ]
