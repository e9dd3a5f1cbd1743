"""`banyan check`: is the file right?"""

from typing import Any

import typer

from gateway.cli.options import CONFIG, Config, Json


def check(config: Config = CONFIG, as_json: Json = False) -> None:
    """Check the file; list all that is wrong in it.

    The exit code is 0 when the file can be served, and 2 when it cannot.
    """
    import os

    from gateway.cli.output import counted, painted, say, say_json
    from gateway.config.check import load
    from gateway.errors import ConfigError

    try:
        loaded = load(config, os.environ)
    except ConfigError as error:
        if not as_json:
            raise
        say_json({"ok": False, "problems": [_document(problem) for problem in error.problems]})
        raise typer.Exit(2) from error
    estate = loaded.estate
    if as_json:
        counts = {"routes": len(estate.routes), "backends": len(estate.backends), "files": len(loaded.files)}
        say_json({"ok": True, "problems": [], "digest": estate.digest, **counts})
        return
    what = f"{counted(len(estate.routes), 'route')}, {counted(len(estate.backends), 'backend')}"
    files = f" in {len(loaded.files)} files" if len(loaded.files) > 1 else ""
    say(f"{config}: {painted('fine', 'green')}, {what}{files}.")


def _document(problem: object) -> dict[str, Any]:
    from gateway.config.problems import Problem

    assert isinstance(problem, Problem), "check reports problems of the file"
    where = problem.place._asdict() if problem.place else {"file": None, "line": None, "column": None}
    return {**where, "message": problem.message}
