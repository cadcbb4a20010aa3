"""Reports on all users through the VIP beside plain COPY of the same rows."""

import os
from statistics import median

import stack
from report import Report, goal

PERIODS = {"one day": ("2024-06-15", "2024-06-15"), "one month": ("2024-06-01", "2024-06-30")}
ROUNDS = 7


def plain_copy(first: str, last: str) -> float:
    """Returns the milliseconds of COPY to /dev/null, measured by psql beside the database."""
    with open("/benchmarks/reporting.sql") as file:
        statement = file.read()
    text = f"\\o /dev/null\n\\timing on\n{statement}"
    output = stack.psql("-v", f"first={first}", "-v", f"last={last}", "-f", "-", text=text)
    times = [line for line in output.splitlines() if line.startswith("Time:")]
    return sum(float(line.split()[1]) for line in times)


def through_vip(first: str, last: str) -> dict:
    arguments = ("python3", "/clients/reports.py", "127.0.0.1", "8443", first, last)
    return stack.measured("nginx", *arguments, CLIENT=os.environ["CLIENT"])


def measure(report: Report, persons: int) -> None:
    stack.sql_file("make_sessions.sql", persons=persons)
    for name, (first, last) in PERIODS.items():
        rounds = [(plain_copy(first, last), through_vip(first, last)) for _ in range(ROUNDS)]
        plain = median(time for time, _ in rounds)
        ours = median(result["milliseconds"] for _, result in rounds)
        rows = rounds[0][1]["rows"]
        report.row(f"plain COPY, {name}", milliseconds=plain)
        report.row(
            f"report through the VIP, {name}",
            milliseconds=ours,
            ratio=ours / plain,
            goal=goal(ours / plain, maximum=1.5),
            rows=rows,
        )
        if rows != persons:
            raise SystemExit(f"the report on {name} has {rows} rows instead of {persons}")
    report.note(f"Medians of {ROUNDS} alternating rounds.")
