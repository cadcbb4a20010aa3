"""Calls all three services without a pause until standard input ends.

Prints the number of calls by outcome, as JSON. Two of the four threads keep their connections, the
others open one for each call. No call is repeated. An outcome is "NAME STATUS", or "NAME error"
with the text of the error on standard error.
Usage: steady.py SOURCE_KEY
"""

import collections
import json
import os
import sys
import threading
import uuid

import requests

URL = os.environ["STACK_URL"]
CA = "/state/ca.pem"
key = sys.argv[1]
outcomes = collections.Counter()
lock = threading.Lock()
stop = threading.Event()


def event(client):
    event_id = str(uuid.uuid4())
    body = {
        "event_id": event_id,
        "type": "login",
        "session_id": event_id,
        "user": "steady",
        "occurred_at": "2025-01-01T00:00:00Z",
    }
    return client.post(
        f"{URL}/api/v1/ingestion/events",
        json=body,
        headers={"Authorization": f"Bearer {key}"},
        verify=CA,
        timeout=30,
    )


def keys(client):
    return client.get(f"{URL}/.well-known/jwks.json", verify=CA, timeout=30)


def report(client):
    """Without a token: reporting itself answers 401."""
    return client.post(f"{URL}/api/v1/reporting/sessions", json={}, verify=CA, timeout=30)


def call(name, function, client):
    try:
        outcome = f"{name} {function(client).status_code}"
    except requests.RequestException as error:
        outcome = f"{name} error"
        print(name, error, file=sys.stderr, flush=True)
    with lock:
        outcomes[outcome] += 1


def work(keeps_connection):
    client = requests.Session() if keeps_connection else requests
    while not stop.is_set():
        for function in (event, keys, report):
            call(function.__name__, function, client)


threads = [threading.Thread(target=work, args=(number < 2,)) for number in range(4)]
for thread in threads:
    thread.start()
print("started", flush=True)
sys.stdin.read()
stop.set()
for thread in threads:
    thread.join()
print(json.dumps(outcomes))
