"""The command line: thin, imports lazily, the only place that drives the whole chain.

``app``       the commands and how errors are told
``options``   options that several commands share
``node``      init, add, status
``ingest``    ingest, findings, quarantine, batches
``records``   correct, history, withdraw
``assess``    indicators, compute, assess, verify, report
``keys``      the node's keys and those of other parties
``share``     preview, audit
``agreements`` agreements from draft to revocation, requests and answers
``demo``      the virtual basin from deliveries to report
"""


def main() -> None:
    """Entry point."""
    from ecotone.cli.app import run

    run()
