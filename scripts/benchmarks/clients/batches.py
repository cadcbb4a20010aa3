"""Posts NDJSON with 1,000 new events per request on 8 connections.

Prints rate, errors and the 99th percentile in ms as JSON.

All bodies are made before the clock starts. (wrk makes a body again when a TLS write must be
repeated, and mixes the two.)
Usage: batches.py HOST PORT KEY REQUESTS ACTIVES, with ACTIVES activity events in each session
"""

import json
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

from https_client import Client, p99

host, port, key, requests, actives = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
CONNECTIONS, EVENTS = 8, 1000
run = uuid.uuid4().hex[:12]
began = datetime.now(UTC) - timedelta(hours=1)
milliseconds, errors = [], []


def event(thread: int, number: int) -> str:
    session, position = divmod(number, actives + 2)
    name = f"{run}-{thread}-{session}"
    kind = {0: "login", actives + 1: "logout"}.get(position, "active")
    content = {
        "event_id": f"{name}-{position}",
        "type": kind,
        "session_id": name,
        "user": f"user{session % 5000}",
        "realm": "Default",
        "occurred_at": (began + timedelta(seconds=position)).isoformat(),
    }
    return json.dumps(content, separators=(",", ":")) + "\n"


def body(thread: int, request: int) -> bytes:
    first = request * EVENTS
    return "".join(event(thread, first + line) for line in range(EVENTS)).encode()


def work(bodies: list[bytes]) -> None:
    client = Client(host, port, key)
    for content in bodies:
        answer = client.call("/api/v1/ingestion/events", content, "x-ndjson")
        milliseconds.append(answer.milliseconds)
        if answer.status != 200 or json.loads(answer.body)["accepted"] != EVENTS:
            errors.append(answer.status)


prepared = [[body(thread, n) for n in range(requests)] for thread in range(CONNECTIONS)]
threads = [threading.Thread(target=work, args=(bodies,)) for bodies in prepared]
started = time.perf_counter()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
rate = CONNECTIONS * requests * EVENTS / (time.perf_counter() - started)
print(json.dumps({"rate": rate, "errors": len(errors), "p99_ms": p99(milliseconds)}))
