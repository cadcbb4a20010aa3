"""Sends large bodies of events at the same time, and counts the statuses in one JSON object.

Usage: large_bodies.py KIND COUNT KEY...

KIND is gzip (16 MiB of spaces), lines or array (16 MiB of events), or ones (an array of 4 million
numbers). Request number i uses key i modulo the number of keys. A 503 without Retry-After is
printed as "503 without Retry-After".
"""

import collections
import contextlib
import gzip
import http.client
import json
import os
import ssl
import sys
import threading
import urllib.parse

MIB = 1 << 20


def events(kind):
    event = {
        "type": "login",
        "session_id": "s",
        "user": "user_4",
        "occurred_at": "2025-01-01T10:00:00Z",
        "reason": "x" * 200,
    }
    lines = [
        json.dumps({"event_id": f"{kind}-{number}", **event}) for number in range(16 * MIB // 340)
    ]
    if kind == "lines":
        return "\n".join(lines).encode()
    return ("[" + ",".join(lines) + "]").encode()


def body_of(kind):
    if kind == "gzip":
        return gzip.compress(b" " * 16 * MIB), {"Content-Encoding": "gzip"}
    if kind == "ones":
        return gzip.compress(b"[1" + b",1" * (4 * MIB) + b"]"), {"Content-Encoding": "gzip"}
    return events(kind), {}


def send(kind, key, body, headers, statuses):
    host = urllib.parse.urlsplit(os.environ["STACK_URL"]).netloc
    context = ssl.create_default_context(cafile="/state/ca.pem")
    connection = http.client.HTTPSConnection(host, context=context, timeout=150)
    media_type = "application/x-ndjson" if kind == "lines" else "application/json"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": media_type, **headers}
    connection.putrequest("POST", "/api/v1/ingestion/events")
    headers["Content-Length"] = str(len(body))
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    # The answer may arrive before the end of the body.
    with contextlib.suppress(OSError):
        connection.send(body)
    try:
        answer = connection.getresponse()
        status = str(answer.status)
        if answer.status == 503 and not answer.getheader("Retry-After"):
            status += " without Retry-After"
        if len(answer.read()) > 1_000_000:
            status += " with a long answer"
    except (OSError, http.client.HTTPException) as error:
        status = repr(error)
    statuses.append(status)


def main(kind, count, *keys):
    body, headers = body_of(kind)
    statuses = []
    threads = [
        threading.Thread(
            target=send, args=(kind, keys[number % len(keys)], body, headers, statuses)
        )
        for number in range(int(count))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(collections.Counter(statuses)))


main(*sys.argv[1:])
