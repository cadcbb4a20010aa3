"""The cost of many sources: `source list`, the service maintenance, and exported metrics."""

import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import stack
from report import Report, goal

SECONDS = 30
MAX_SERIES = 100
TICKS_PER_SECOND = 100


def seconds_of_list() -> float:
    """Returns the seconds of `source list`, without the start of its container."""
    timed = "TIMEFORMAT=%R; { time rollcall source list >/tmp/list; } 2>&1"
    return float(stack.operator("bash", "-c", timed))


def series(service: str) -> int:
    """Returns the number of time series that a service exports."""
    metrics = stack.client(service, "curl", "-sS", "http://127.0.0.1:9090/metrics")
    return sum(1 for line in metrics.splitlines() if line and not line.startswith("#"))


def cpu_seconds(service: str) -> float:
    """Returns the CPU time that the service has used since its start."""
    fields = stack.inside(service, "cat", "/proc/1/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def maintenance_percent() -> tuple[float, float]:
    """Returns the CPU time of the service maintenance, and the time in which its statements ran, in
    percent of the time."""
    started, before = time.monotonic(), cpu_seconds("maintenance")
    statements = float(stack.sql_file("maintenance_share.sql", seconds=SECONDS))
    used = cpu_seconds("maintenance") - before
    return 100 * used / (time.monotonic() - started), 100 * statements


def measure(report: Report, sources: int) -> None:
    stack.sql_file("make_sources.sql", sources=sources)
    with ThreadPoolExecutor() as pool:
        arguments = ("python3", "/clients/sources.py", "127.0.0.1", "8443", str(sources))
        events = pool.submit(stack.measured, "nginx", *arguments)
        time.sleep(5)
        cpu, statements = maintenance_percent()
        errors = events.result()["errors"]
    report.row("one event from each source", number=sources, errors=errors)
    listed = median(seconds_of_list() for _ in range(5))
    report.row("source list", seconds=listed, goal=goal(listed, maximum=1, unit="s"))
    for name, percent in (("CPU", cpu), ("statements", statements)):
        bound = goal(percent, maximum=1, unit="%")
        report.row(f"maintenance, {name}", percent=percent, goal=bound)
    for service in ("ingestion", "maintenance"):
        number = series(service)
        bound = goal(number, maximum=MAX_SERIES, unit="series")
        report.row(f"time series of {service}", number=number, goal=bound)
    report.note(
        f"Maintenance was measured for {SECONDS} s while the events arrived. `statements` is the "
        "share of this time in which the database worked or waited for maintenance."
    )
