"""Whether the rate of events and the memory of ingestion depend on the number of stored events."""

import stack
from measure_ingestion import batches, together
from report import Report, goal

# Each measurement has 8 connections with 62 requests of 1,000 events, and takes about 5 seconds.
REQUESTS = 62
EVENTS = 8 * 1000 * REQUESTS


def on_few() -> list[dict]:
    """Measures three times on top of 96,000 events."""
    results = []
    for _ in range(3):
        stack.empty_tables()
        first = batches(12)
        result = batches(REQUESTS)
        results.append({**result, "errors": result["errors"] + first["errors"]})
    return results


def fill(report: Report, events: int) -> int:
    stack.empty_tables()
    stored = 0
    while stored < events:
        result = batches(REQUESTS)
        stored += EVENTS
        size = stack.psql("-c", "SELECT pg_size_pretty(pg_database_size('rollcall'))").strip()
        report.row(
            f"up to {stored:,} events",
            per_second=result["rate"],
            errors=result["errors"],
            memory=stack.memory("ingestion"),
            database=size,
        )
    return stored


def measure(report: Report, events: int) -> None:
    # The speed of a shared machine changes within a minute, so the few events are measured before
    # and after the many. The many are measured for longer than from one checkpoint to the next.
    few = on_few()
    stored = fill(report, events)
    many = [batches(REQUESTS) for _ in range(9)]
    counted = int(stack.psql("-c", "SELECT count(*) FROM events"))
    few += on_few()
    before, after = together(few), together(many)
    ratio = after["rate"] / before["rate"]
    report.row(
        f"{EVENTS:,} events on top of 96,000",
        per_second=before["rate"],
        errors=before["errors"],
        p99_ms=before["p99_ms"],
    )
    report.row(
        f"{EVENTS:,} events on top of {stored:,}",
        per_second=after["rate"],
        ratio=ratio,
        goal=goal(ratio, minimum=0.8),
        errors=after["errors"],
        p99_ms=after["p99_ms"],
    )
    report.note(f"Stored at the end: {counted:,} of {stored + 9 * EVENTS:,} events.")
