"""Runs one benchmark. scripts/bench starts this in docker/bench, beside a stack of its own.

Usage: python3 /benchmarks KIND SIZE
"""

import importlib
import sys

from report import Report

GROWTH = "whether rate and memory depend on the number of stored events"
TITLES = {
    "auth": "Tokens, {size} s for each measurement",
    "console": "Pages of the console: {size} persons, 60 days, 2 sessions a day",
    "growth": "Growth: " + GROWTH + ", up to {size} events",
    "history": "History: a day's report on {size} persons with 60 and with 600 days stored",
    "ingestion": "Ingestion, {size} s for each measurement",
    "isolation": "Isolation: small requests beside large reports, {size} persons",
    "reporting": "Reports beside plain COPY: {size} persons, 60 days, 2 sessions a day",
    "sources": "Cost of many sources: {size} sources",
}


def main() -> None:
    kind, size = sys.argv[1], int(sys.argv[2])
    report = Report(kind, TITLES[kind].format(size=f"{size:,}"))
    importlib.import_module(f"measure_{kind}").measure(report, size)
    report.write()


if __name__ == "__main__":
    main()
