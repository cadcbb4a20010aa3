"""Sends events on many connections, repeats each until it is acknowledged, and keeps a ledger.

Usage: ledger.py KEY SECONDS CONNECTIONS REALM

Prints one JSON object: the number of acknowledged events, of events acknowledged as new more than
once, of rejections, and of failed requests that were repeated, and the rows that a report of these
events must have.
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
    "doubled": [],
    "rejected": 0,
    "repeated": 0,
    "users": {},
}


def events_of(thread, number):
    """A request's events: a login and sometimes its logout, one or a small batch."""
    batch = []
    for part in range(1 if number % 3 else 7):
        session = f"{thread}-{number}-{part}"
        minute = (number * 7 + part) % 1440
        user = f"user{(number + part) % 50}"
        event = {
            "event_id": f"{session}-in",
            "type": "login",
            "session_id": session,
            "user": user,
            "realm": realm,
            "occurred_at": f"2025-03-10T{minute // 60:02}:{minute % 60:02}:00Z",
        }
        batch.append(event)
        if (number + part) % 4:
            batch.append(
                {
                    **event,
                    "event_id": f"{session}-out",
                    "type": "logout",
                    "occurred_at": f"2025-03-11T{minute // 60:02}:{minute % 60:02}:30Z",
                }
            )
    return batch


def send(connection, body):
    connection.request(
        "POST",
        "/api/v1/ingestion/events",
        body,
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    text = answer.read()
    return json.loads(text) if answer.status == 200 else None


def acknowledge(batch, receipts):
    with lock:
        accepted = sum(receipt["accepted"] for receipt in receipts)
        ledger["acknowledged"] += len(batch)
        ledger["accepted"] += accepted
        ledger["repeated"] += len(receipts) - 1
        ledger["rejected"] += sum(len(receipt["rejected"]) for receipt in receipts)
        if accepted > len(batch):
            ledger["doubled"].append(batch[0]["event_id"])
        for event in batch:
            ledger["users"].setdefault(event["user"], []).append(
                (event["type"], event["session_id"], event["occurred_at"])
            )


def work(thread):
    connection = None
    number = 0
    while time.monotonic() < end:
        number += 1
        batch = events_of(thread, number)
        receipts = []
        while True:
            try:
                if connection is None:
                    connection = http.client.HTTPSConnection(
                        host.hostname, host.port, timeout=30, context=context
                    )
                receipt = send(connection, json.dumps(batch))
            except (OSError, http.client.HTTPException):
                connection, receipt = None, None
            if receipt is None:
                with lock:
                    ledger["repeated"] += 1
                time.sleep(0.05)
                continue
            receipts.append(receipt)
            # Now and then an acknowledged one again, as a gateway that lost the answer would.
            if number % 5 or len(receipts) == 2:
                break
        acknowledge(batch, receipts)


def shown(at):
    return at.replace("T", " ").rstrip("Z")


def rows():
    """Returns the first login and last logout of each user.

    Sessions of 2025 without a logout are closed by timeout, at their last activity.
    """
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
