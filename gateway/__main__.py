"""The command `banyan`."""

import sys
from pathlib import Path


def main() -> int:
    if sys.argv[1:2] == ["data"]:
        from gateway.app import run_data

        return run_data(Path(sys.argv[2]), int(sys.argv[3]))
    from gateway.cli.app import run  # type: ignore[import-not-found]

    return int(run())


if __name__ == "__main__":
    sys.exit(main())
