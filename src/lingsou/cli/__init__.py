"""The command line: one verb a file."""


def main() -> None:
    """Entry point of the `lingsou` command."""
    from lingsou.cli.app import run

    run()
