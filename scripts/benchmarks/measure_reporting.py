"""Reports beside plain COPY of the same rows, and the memory that downloads need."""

from statistics import median

import stack
from attendance import DAY, MEMORY_MIB, MONTH, download, growth, plain_copy, week_of_one_person
from report import Report, goal

ROUNDS = 5
CSV = {
    "a day of all persons, CSV": (DAY, "", "attendance_days.sql"),
    "a month as period rows, CSV": (MONTH, "&group_by=period", "attendance_period.sql"),
    "a month of day rows, CSV": (MONTH, "", "attendance_days.sql"),
}


def version_1(report: Report, persons: int) -> None:
    for name, period in {"a day": DAY, "a month": MONTH}.items():
        rounds = [
            (plain_copy("reporting.sql", period), stack.as_client("reports.py", *period))
            for _ in range(ROUNDS)
        ]
        rows = rounds[0][1]["rows"]
        compare(report, f"version 1, {name}", rounds, rows, 1.5)
        if rows != persons:
            raise SystemExit(f"the report on {name} has {rows} rows instead of {persons}")


def version_2(report: Report, persons: int) -> None:
    for name, (period, options, statement) in CSV.items():
        days = 1 if options or period == DAY else 30
        rows = download(period, "format=csv" + options, "count")["lines"] - 1
        if rows != persons * days:
            raise SystemExit(f"{name} has {rows} rows instead of {persons * days}")
        rounds = [
            (plain_copy(statement, period), download(period, "format=csv" + options))
            for _ in range(ROUNDS)
        ]
        compare(report, name, rounds, rows, 1.25)


def compare(report: Report, name: str, rounds: list, rows: int, maximum: float) -> None:
    plain = median(time for time, _ in rounds)
    ours = median(result["milliseconds"] for _, result in rounds)
    report.row(f"plain COPY: {name}", milliseconds=plain)
    report.row(
        f"through the VIP: {name}",
        milliseconds=ours,
        ratio=ours / plain,
        goal=goal(ours / plain, maximum=maximum),
        rows=rows,
    )


def one_person(report: Report, persons: int) -> None:
    result = week_of_one_person(persons)
    report.row(
        "at the service: a week of one person, JSON",
        milliseconds=result["median"],
        p99_ms=result["p99"],
        goal=goal(result["median"], maximum=3, unit="ms"),
    )


def memory(report: Report, formats: tuple[str, ...]) -> None:
    for name in formats:
        mebibytes, result = growth(f"format={name}")
        report.row(
            f"through the VIP: a month of day rows, {name}",
            milliseconds=result["milliseconds"],
            mebibytes=result["bytes"] / 2**20,
            memory_growth_mib=mebibytes,
            goal=goal(mebibytes, maximum=MEMORY_MIB, unit="MiB"),
        )


def measure(report: Report, persons: int) -> None:
    stack.make_sessions(persons)
    version_1(report, persons)
    version_2(report, persons)
    one_person(report, persons)
    memory(report, ("csv", "ndjson", "xlsx", "parquet"))
    report.note(f"Medians of {ROUNDS} alternating rounds.")
    report.note(
        "The growth is the peak resident memory (VmHWM) of the service after the download, less "
        "that before it. The service was started again before each. Files of XLSX do not count."
    )
