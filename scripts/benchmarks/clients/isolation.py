"""Measures small requests, first alone and then beside four month reports in a loop.

The small requests are single events and reports on one person. Prints one JSON object: the 99th
percentiles in ms and the errors of each, and what the month reports got. Every loop runs in a
process of its own, so that reading a large report does not delay the measurement.
Usage: isolation.py HOST PORT SECONDS PERSONS, with SOURCE, CLIENT and OTHER_CLIENT as JSON in the
environment
"""

import json
import multiprocessing
import os
import random
import sys
import time
import uuid
from datetime import UTC, datetime
from statistics import median

from https_client import Client, p99

host, port, seconds, persons = *sys.argv[1:3], float(sys.argv[3]), int(sys.argv[4])
PAUSE_SECONDS = 0.025
MONTH = ("2024-06-01", "2024-06-30")


def person() -> str:
    return f"user{random.randrange(persons)}"


def event(client: Client):
    name, now = uuid.uuid4().hex, datetime.now(UTC).isoformat()
    content = {"event_id": name, "type": "login", "session_id": name, "user": person()}
    return client.call("/api/v1/ingestion/events", {**content, "occurred_at": now})


def events(until, results) -> None:
    source = json.loads(os.environ["SOURCE"])
    repeat(until, results, "event", Client(host, port, source["key"]), event)


def one_person(until, results) -> None:
    client = Client(host, port, credentials=os.environ["CLIENT"])
    name = "report on one person"
    repeat(until, results, name, client, lambda client: client.report(*MONTH, person()))


def month(until, results) -> None:
    client = Client(host, port, credentials=os.environ["OTHER_CLIENT"])
    repeat(until, results, "month", client, lambda client: client.report(*MONTH, "All Users"))


def repeat(until, results, name, client, call) -> None:
    calls = []
    call(client)  # Connects and signs in, which is not measured.
    while time.monotonic() < until:
        answer = call(client)
        calls.append((answer.status, len(answer.body), answer.milliseconds))
        time.sleep(1 if answer.status == 429 else PAUSE_SECONDS)
    results.put((name, calls))


def run(*loops) -> dict:
    results, until = multiprocessing.Queue(), time.monotonic() + seconds
    processes = [multiprocessing.Process(target=loop, args=(until, results)) for loop in loops]
    for process in processes:
        process.start()
    calls = {}
    for _ in processes:
        name, some = results.get()
        calls.setdefault(name, []).extend(some)
    for process in processes:
        process.join()
    return calls


def small(alone: list, beside: list) -> dict:
    times = [[milliseconds for _, _, milliseconds in calls] for calls in (alone, beside)]
    errors = sum(status != 200 for status, _, _ in alone + beside)
    return {"alone": p99(times[0]), "beside": p99(times[1]), "errors": errors}


def months(calls: list) -> dict:
    answered = [(size, milliseconds) for status, size, milliseconds in calls if status == 200]
    times = [milliseconds for _, milliseconds in answered] or [float("nan")]
    largest = max((size for size, _ in answered), default=0)
    return {
        "answered": len(answered),
        "refused": len(calls) - len(answered),
        "median_ms": median(times),
        "bytes": largest,
    }


alone = run(events, one_person)
beside = run(events, one_person, month, month, month, month)
requests = {name: small(alone[name], beside[name]) for name in alone}
print(json.dumps({"small": requests, "months": months(beside["month"])}))
