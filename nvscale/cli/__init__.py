"""The command line: `nvscale report`, `chips`, `systems`, `networks`, `sources`, `roofline`, `system`, `curves`."""

import sys

from nvscale.errors import NvscaleError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; bad input ends with one line that says what to type, and exit code 2."""
    from nvscale.cli.application import application

    try:
        application(args=arguments, standalone_mode=True)
    except NvscaleError as problem:
        sys.stderr.write(f"nvscale: {problem}\n")
        raise SystemExit(2) from None
    return 0
