"""`banyan reload`: have the running gateway read its file now."""

from typing import Annotated

import typer

from gateway.cli.options import DATA, Data, Json, MaybeReason
from gateway.cli.ordering import user

EXIT_CODES = {"accepted": 0, "unchanged": 0, "held": 1, "refused": 2}


def reload(
    accept: Annotated[
        bool, typer.Option("--accept", help="Take a file that is held back because much of it is gone.")
    ] = False,
    reason: MaybeReason = None,
    data: Data = DATA,
    as_json: Json = False,
) -> None:
    """Have the running gateway read its file now.

    It does so by itself whenever the file changes; this is for a file that was held back, and for file systems
    that tell nobody.
    """
    from gateway.cli.output import complain, say, say_json
    from gateway.cli.remote import ask

    order = {"accept": accept, "by": user(), "reason": reason or ""}
    result = ask(data, "/api/v1/reload", order)
    code = EXIT_CODES[result["outcome"]]
    if as_json:
        say_json(result)
    else:
        for problem in result["problems"]:
            complain(problem)
        (complain if code else say)(result["message"])
    raise typer.Exit(code)
