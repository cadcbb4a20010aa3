"""Posts one event from each source of make_sources.sql, 400 a second on 4 connections.

Prints the number of errors as JSON.
Usage: sources.py HOST PORT SOURCES
"""

import json
import sys
import threading
import time
from datetime import UTC, datetime

from https_client import Client

host, port, sources = sys.argv[1], sys.argv[2], int(sys.argv[3])
CONNECTIONS, PER_SECOND = 4, 400
errors = []


def event(source: int) -> dict:
    content = {"event_id": "1", "type": "login", "session_id": "1", "user": f"user{source}"}
    return {**content, "occurred_at": datetime.now(UTC).isoformat()}


def work(first: int) -> None:
    client, due = Client(host, port), time.monotonic()
    for source in range(first, sources + 1, CONNECTIONS):
        client.token = f"source-key-{source}"
        answer = client.call("/api/v1/ingestion/events", event(source))
        if answer.status != 200:
            errors.append(answer.status)
        due += CONNECTIONS / PER_SECOND
        time.sleep(max(0.0, due - time.monotonic()))


threads = [threading.Thread(target=work, args=(1 + n,)) for n in range(CONNECTIONS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"errors": len(errors)}))
