"""`banyan completion`: the script by which a shell completes commands, options and route names."""

from enum import StrEnum
from typing import Annotated

import typer

COMPLETE = "_BANYAN_COMPLETE"
"""Set by the shell when it asks what could follow."""


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    context: typer.Context, shell: Annotated[Shell, typer.Argument(help="The shell to write it for.")] = Shell.BASH
) -> None:
    """Print a shell's completion script.

    For bash: source <(banyan completion bash)
    """
    from typer.completion import shell_complete

    learn_shells()
    command = context.find_root().command
    raise typer.Exit(shell_complete(command, {}, "banyan", COMPLETE, f"source_{shell.value}"))


def learn_shells() -> None:
    """Typer learns about shells on the way to its own completion options, which `completion` stands for here."""
    from typer.completion import get_completion_inspect_parameters

    get_completion_inspect_parameters()
