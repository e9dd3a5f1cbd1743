"""The command line of the demo."""

from pathlib import Path

import pytest

from gateway.demo.options import Options, parse
from gateway.demo.traffic import Address


def test_the_defaults_are_those_of_banyan_run() -> None:
    """Without options: until Ctrl-C, on routes.yaml, at the gateway's usual addresses."""
    expected = Options(
        None, True, Path("routes.yaml"), Address("127.0.0.1", 8080), Address("127.0.0.1", 8081), 300, 400.0
    )
    assert expected == parse([], {})


def test_addresses_come_from_the_environment_and_options_win() -> None:
    """BANYAN_LISTEN and BANYAN_ADMIN, as for the gateway itself."""
    environ = {"BANYAN_LISTEN": "[::1]:1", "BANYAN_ADMIN": "127.0.0.1:2"}
    options = parse(["--admin", "localhost:3", "--seconds", "2.5", "--no-flip"], environ)
    assert (Address("::1", 1), Address("localhost", 3)) == (options.listen, options.admin)
    assert (options.seconds, options.flip) == (2.5, False)


@pytest.mark.parametrize(
    "arguments",
    [["--seconds", "0"], ["--seconds", "soon"], ["--rate", "nan"], ["--clients", "0"], ["--clients", "1.5"]]
    + [["--listen", text] for text in ("8080", ":8080", "host:", "host:99999")],
)
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    """With a usage message and exit code 2."""
    with pytest.raises(SystemExit) as caught:
        parse(arguments, {})
    assert caught.value.code == 2
