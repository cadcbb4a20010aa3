"""Sends events on many connections, retransmits each until it is acknowledged, and keeps a ledger.

Usage: ledger.py KEY SECONDS CONNECTIONS REALM
Prints a JSON object:
    acknowledged    number of events that were acknowledged
    accepted        number of events that were acknowledged as new
    accepted_twice  event IDs of batches with more accepted events than they have
    rejected        number of rejections
    retransmitted   number of requests that were sent again
    rows            rows that a report on these events must have
"""

import http.client
import json
import os
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

key, seconds, connections, realm = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
host = urlsplit(os.environ["STACK_URL"])
context = ssl.create_default_context(cafile="/state/ca.pem")
end = time.monotonic() + seconds
lock = threading.Lock()
ledger = {
    "acknowledged": 0,
    "accepted": 0,
    "accepted_twice": [],
    "rejected": 0,
    "retransmitted": 0,
    "users": {},
}


def events_of(thread, number):
    """Returns the events of a request: one session or a few, each a login, most with a logout."""
    batch = []
    for part in range(1 if number % 3 else 7):
        session = f"{thread}-{number}-{part}"
        minute = (number * 7 + part) % 1440
        user = f"user{(number + part) % 50}"
        time_of_day = f"{minute // 60:02}:{minute % 60:02}"
        event = {
            "event_id": f"{session}-in",
            "type": "login",
            "session_id": session,
            "user": user,
            "realm": realm,
            "occurred_at": f"2025-03-10T{time_of_day}:00Z",
        }
        batch.append(event)
        if (number + part) % 4:
            logout = {"event_id": f"{session}-out", "type": "logout"}
            batch.append({**event, **logout, "occurred_at": f"2025-03-11T{time_of_day}:30Z"})
    return batch


def send(connection, body):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/ingestion/events", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    return json.loads(text) if answer.status == 200 else None


def acknowledge(batch, results):
    with lock:
        accepted = sum(result["accepted"] for result in results)
        ledger["acknowledged"] += len(batch)
        ledger["accepted"] += accepted
        ledger["retransmitted"] += len(results) - 1
        ledger["rejected"] += sum(len(result["rejected"]) for result in results)
        if accepted > len(batch):
            ledger["accepted_twice"].append(batch[0]["event_id"])
        for event in batch:
            fact = (event["type"], event["session_id"], event["occurred_at"])
            ledger["users"].setdefault(event["user"], []).append(fact)


def work(thread):
    connection = None
    number = 0
    while time.monotonic() < end:
        number += 1
        batch = events_of(thread, number)
        results = []
        while True:
            try:
                if connection is None:
                    connection = http.client.HTTPSConnection(
                        host.hostname, host.port, timeout=30, context=context
                    )
                result = send(connection, json.dumps(batch))
            except (OSError, http.client.HTTPException):
                connection, result = None, None
            if result is None:
                with lock:
                    ledger["retransmitted"] += 1
                time.sleep(0.05)
                continue
            results.append(result)
            # Send every fifth request again after its acknowledgement, like a gateway that lost it.
            if number % 5 or len(results) == 2:
                break
        acknowledge(batch, results)


def shown(at):
    return at.replace("T", " ").rstrip("Z")


def rows():
    """Yields the report rows. Each session of 2025 has ended, at its logout or by timeout."""
    for user in sorted(ledger["users"]):
        facts = ledger["users"][user]
        logins = {session: at for kind, session, at in facts if kind == "login"}
        ends = {**logins, **{session: at for kind, session, at in facts if kind == "logout"}}
        yield {
            "UserID": user,
            "Realm": realm,
            "FirstLoginDateTime": shown(min(logins.values())),
            "LastLogoutDateTime": shown(max(ends.values())),
        }


threads = [threading.Thread(target=work, args=(thread,)) for thread in range(connections)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ledger["rows"] = list(rows())
del ledger["users"]
print(json.dumps(ledger))
