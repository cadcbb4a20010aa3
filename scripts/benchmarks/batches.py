"""POSTs NDJSON, 1,000 new events a request, from 8 connections: events a second, errors, 99th percentile in ms.

All bodies are made before the clock starts. (wrk makes a body anew when a TLS write must be repeated, and mixes the two.)
Usage: batches.py HOST PORT KEY REQUESTS
"""
import http.client
import json
import ssl
import sys
import threading
import time
import uuid
from datetime import datetime, timezone

host, port, key, requests = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
context = ssl._create_unverified_context()
headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
run = uuid.uuid4().hex[:12]
seconds, errors = [], []


def event(thread, number):
    kind = "logout" if number % 2 else "login"
    session = f"{run}-{thread}-{number // 2}"
    at = datetime.now(timezone.utc).isoformat()
    return (f'{{"event_id":"{session}-{kind}","type":"{kind}","session_id":"{session}","user":"user{number // 2 % 5000}",'
            f'"realm":"Default","occurred_at":"{at}"}}\n')


def work(bodies):
    connection = http.client.HTTPSConnection(host, port, context=context)
    for body in bodies:
        started = time.perf_counter()
        connection.request("POST", "/api/v1/ingestion/events", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        seconds.append(time.perf_counter() - started)
        if answer.status != 200 or json.loads(text)["accepted"] != 1000:
            errors.append(text)


prepared = [["".join(event(thread, request * 1000 + line) for line in range(1000)).encode() for request in range(requests)] for thread in range(8)]
threads = [threading.Thread(target=work, args=(bodies,)) for bodies in prepared]
started = time.perf_counter()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
elapsed = time.perf_counter() - started
print(f"{8 * requests * 1000 / elapsed:.0f} {len(errors)} {1000 * sorted(seconds)[len(seconds) * 99 // 100]:.1f}")
