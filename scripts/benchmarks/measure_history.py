"""Whether a day's report depends on the number of days that are stored."""

from statistics import median

import stack
from attendance import DAY, disk_space_gib, download, plain_copy
from report import Report, goal

ROUNDS = 7
FEW_DAYS, MANY_DAYS = 60, 600
# Sessions with their indexes take 250 bytes each, and the write-ahead log up to 4 GiB.
NEEDED_GIB = 25


def day() -> tuple[float, float]:
    """Returns the milliseconds of plain COPY and of the report through the VIP."""
    download(DAY, "format=csv")
    rounds = [
        (plain_copy("attendance_days.sql", DAY), download(DAY, "format=csv")["milliseconds"])
        for _ in range(ROUNDS)
    ]
    return median(plain for plain, _ in rounds), median(ours for _, ours in rounds)


def measure(report: Report, persons: int) -> None:
    needed, free = NEEDED_GIB * persons / 50_000, disk_space_gib()
    if free < needed:
        raise SystemExit(f"this needs {needed:.0f} GiB of disk, and {free:.0f} GiB are free")
    stack.make_sessions(persons)
    few = day()
    stack.make_sessions(persons, first_day=FEW_DAYS - MANY_DAYS, last_day=-1)
    many = day()
    report.row(f"plain COPY: a day, {FEW_DAYS} days stored", milliseconds=few[0])
    report.row(
        f"plain COPY: a day, {MANY_DAYS} days stored",
        milliseconds=many[0],
        ratio=many[0] / few[0],
    )
    report.row(f"through the VIP: a day, {FEW_DAYS} days stored", milliseconds=few[1])
    report.row(
        f"through the VIP: a day, {MANY_DAYS} days stored",
        milliseconds=many[1],
        ratio=many[1] / few[1],
        goal=goal(many[1] / few[1], maximum=1.5),
    )
    size = stack.psql("-c", "SELECT pg_size_pretty(pg_total_relation_size('sessions'))").strip()
    sessions = persons * MANY_DAYS * 2
    report.note(f"{sessions:,} sessions take {size}. Medians of {ROUNDS} rounds.")
