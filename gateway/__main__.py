"""The command `banyan`, and the data process, which control starts as `python -m gateway data FOLDER DESCRIPTOR`."""

import sys
from pathlib import Path


def main() -> int:
    """The exit code."""
    if sys.argv[1:2] == ["data"]:  # first, and without the commands: this process stays small
        from gateway.app import run_data

        return run_data(Path(sys.argv[2]), int(sys.argv[3]))
    from gateway.cli.app import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
