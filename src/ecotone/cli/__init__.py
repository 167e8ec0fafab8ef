"""The command line."""


def main() -> None:
    """Entry point."""
    from ecotone.cli.app import app

    app()
