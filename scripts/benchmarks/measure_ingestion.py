"""Single events, batches and RADIUS, beside plain SQL and FreeRADIUS on the same PostgreSQL."""

import json
import os
import re
import uuid
from statistics import mean

import stack
from report import Report, goal

SOURCE = json.loads(os.environ["SOURCE"])
VIP = ("nginx", "https://127.0.0.1:8443")
DIRECT = ("ingestion", "http://127.0.0.1:8080")


def make_plain_database() -> None:
    """Creates the database `bench` with the schema of Rollcall and one source."""
    schema = stack.in_database("pg_dump", "--schema-only", "--no-privileges", "rollcall")
    stack.psql("-c", "CREATE DATABASE bench TEMPLATE template0")
    stack.psql("-f", "-", database="bench", text=schema)
    source = "INSERT INTO sources (name, key_hash) VALUES ('bench', 'x')"
    stack.psql("-c", source, database="bench")


def plain_sql(script: str, connections: int, seconds: int) -> float:
    """Returns the transactions per second of pgbench in the database's own container."""
    stack.empty_tables("bench")
    with open(f"/benchmarks/{script}") as file:
        stack.inside("postgres", "sh", "-c", "cat >/tmp/script.sql", text=file.read())
    options = ("--no-vacuum", "--protocol", "prepared", "--jobs", "2", "--client", str(connections))
    output = stack.in_database(
        "pgbench", *options, "--time", str(seconds), "--file", "/tmp/script.sql", "bench"
    )
    return float(re.search(r"^tps = ([0-9.]+)", output, re.MULTILINE).group(1))


def single_events(to: tuple, connections: int, seconds: int, actives: int = 0) -> dict:
    """Posts single events. An acknowledged event that is not stored counts as an error."""
    stack.empty_tables()
    server, origin = to
    run = str(uuid.uuid4())
    wrk = ("wrk", "--threads", "1", "--connections", str(connections), "--timeout", "30s")
    script = ("--duration", f"{seconds}s", "--script", "/clients/events.lua")
    address = f"{origin}/api/v1/ingestion/events"
    settings = {"RUN": run, "KEY": SOURCE["key"], "ACTIVES": str(actives)}
    result = stack.measured(server, *wrk, *script, address, **settings)
    stored = int(stack.psql("-c", f"SELECT count(*) FROM event_ids WHERE event_id LIKE '{run}%'"))
    result["errors"] += max(0, result["requests"] - stored)
    return result


def batches(requests: int, actives: int = 0) -> dict:
    """Posts NDJSON with 1,000 events a request. Each of 8 connections makes `requests` requests."""
    arguments = ("127.0.0.1", "8443", SOURCE["key"], str(requests), str(actives))
    return stack.measured("nginx", "python3", "/clients/batches.py", *arguments)


def accounting(server: str, port: int, requests: int, interims: int = 0) -> dict:
    """Sends RADIUS with 128 requests in flight; the same client for both servers."""
    arguments = ("127.0.0.1", str(port), SOURCE["radius_secret"], str(requests), str(interims))
    return stack.measured(server, "python3", "/clients/accounting.py", *arguments)


def add_row(report: Report, what: str, result: dict, plain: float, minimum=None) -> None:
    ratio = result["rate"] / plain
    report.row(
        what,
        per_second=result["rate"],
        ratio=ratio,
        goal=goal(ratio, minimum=minimum) if minimum else None,
        p99_ms=result["p99_ms"],
        errors=result["errors"],
    )


def together(results: list[dict]) -> dict:
    return {
        "rate": mean(result["rate"] for result in results),
        "errors": sum(result["errors"] for result in results),
        "p99_ms": max(result["p99_ms"] for result in results),
    }


def measure_single(report: Report, seconds: int) -> None:
    rounds = [
        (
            plain_sql("single.sql", 16, seconds),
            single_events(VIP, 128, seconds),
            single_events(VIP, 128, seconds, actives=4),
        )
        for _ in range(3)
    ]
    plain = mean(row[0] for row in rounds)
    report.row("plain SQL, one event per transaction, 16 connections", per_second=plain)
    for connections in (1, 16):
        result = single_events(VIP, connections, seconds)
        add_row(report, f"single events, {connections} connections", result, plain)
    add_row(
        report, "single events, 128 connections", together([row[1] for row in rounds]), plain, 3
    )
    add_row(
        report,
        "the same, 4 activity events in each session",
        together([row[2] for row in rounds]),
        plain,
        3,
    )
    add_row(
        report,
        "single events without proxy and TLS, 128 connections",
        single_events(DIRECT, 128, seconds),
        plain,
    )


def measure_batches(report: Report, seconds: int) -> None:
    plain, ours = [], {0: [], 4: []}
    for _ in range(3):
        plain.append(1000 * plain_sql("batched.sql", 4, seconds))
        for actives, results in ours.items():
            stack.empty_tables()
            results.append(batches(seconds * 5, actives))
    report.row("plain SQL, 1,000 events per statement, 4 connections", per_second=mean(plain))
    add_row(
        report,
        "NDJSON, 1,000 events per request, 8 connections",
        together(ours[0]),
        mean(plain),
        1.25,
    )
    add_row(
        report, "the same, 4 activity events in each session", together(ours[4]), mean(plain), 1.25
    )


def measure_radius(report: Report, seconds: int) -> None:
    for interims, name in ((0, "Starts"), (4, "Starts, each with 4 interim updates")):
        theirs, ours = [], []
        for _ in range(2):
            theirs.append(accounting("freeradius", 1813, seconds * 1500, interims))
            stack.empty_tables()
            ours.append(accounting("receiver", 8813, seconds * 6000, interims))
        plain = together(theirs)
        report.row(
            f"FreeRADIUS with PostgreSQL, {name}",
            per_second=plain["rate"],
            p99_ms=plain["p99_ms"],
            errors=plain["errors"],
        )
        add_row(report, f"RADIUS receiver, {name}", together(ours), plain["rate"], 5)


def measure(report: Report, seconds: int) -> None:
    make_plain_database()
    stack.start_freeradius(SOURCE["radius_secret"])
    measure_single(report, seconds)
    measure_batches(report, seconds)
    measure_radius(report, seconds)
    report.note(f"Memory of ingestion at the end: {stack.memory('ingestion')}.")
