"""Measures single events and reports of one person, first alone and then beside one client that asks for four month reports
in a loop. Prints a line for each: name, 99th percentile alone and beside the reports in ms, errors; then the month reports.

Everything runs in a process of its own, so that reading a large report delays no measurement within the interpreter.
Usage: isolation.py HOST PORT SECONDS PERSONS, with KEY, STEADY and GREEDY (user name:password) in the environment
"""
import http.client
import json
import multiprocessing
import os
import random
import ssl
import sys
import time
import uuid
from datetime import datetime, timezone

host, port, seconds, persons = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
PAUSE = 0.025


class Client:
    """An API client; its token is renewed before it ends."""

    def __init__(self, credentials=None):
        self.credentials, self.token, self.renew = credentials, os.environ["KEY"], float("inf") if credentials is None else 0
        self.connection = http.client.HTTPSConnection(host, port, context=ssl._create_unverified_context(), timeout=120)

    def post(self, path, body, headers):
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **headers})
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def call(self, path, body):
        if time.monotonic() > self.renew:
            name, password = self.credentials.split(":", 1)
            _, text = self.post("/api/v1/auth/connect", {"username": name, "password": password}, {})
            self.token, self.renew = json.loads(text)["token"], time.monotonic() + 60
        started = time.perf_counter()
        status, text = self.post(path, body, {"Authorization": f"Bearer {self.token}"})
        return status, len(text), 1000 * (time.perf_counter() - started)


def report(client, user):
    return client.call("/api/v1/reporting/sessions", {"Filters": {"StartDate": "2024-06-01", "EndDate": "2024-06-30", "UserName": user,
                                                                  "StartOfDay": "00:00:00", "RequestDate": "2024-07-01"}})


def event(client):
    name = uuid.uuid4().hex
    return client.call("/api/v1/ingestion/events", {"event_id": name, "type": "login", "session_id": name, "user": f"user{random.randrange(persons)}",
                                                    "occurred_at": datetime.now(timezone.utc).isoformat()})


def events(end, results):
    repeat(end, results, "event", Client(), event)


def one_person(end, results):
    repeat(end, results, "one-person report", Client(os.environ["STEADY"]), lambda client: report(client, f"user{random.randrange(persons)}"))


def month(end, results):
    repeat(end, results, "month report", Client(os.environ["GREEDY"]), lambda client: report(client, "All Users"))


def repeat(end, results, name, client, call):
    calls = []
    call(client)  # connects, signs in
    while time.monotonic() < end:
        status, size, milliseconds = call(client)
        calls.append((status, size, milliseconds))
        time.sleep(1 if status == 429 else PAUSE)
    results.put((name, calls))


def run(*works):
    results, end = multiprocessing.Queue(), time.monotonic() + seconds
    processes = [multiprocessing.Process(target=work, args=(end, results)) for work in works]
    for process in processes:
        process.start()
    calls = {}
    for _ in processes:
        name, some = results.get()
        calls.setdefault(name, []).extend(some)
    for process in processes:
        process.join()
    return calls


def p99(calls):
    milliseconds = sorted(milliseconds for _, _, milliseconds in calls)
    return milliseconds[len(milliseconds) * 99 // 100]


alone = run(events, one_person)
beside = run(events, one_person, month, month, month, month)
for name in ("event", "one-person report"):
    errors = sum(status != 200 for status, _, _ in alone[name] + beside[name])
    print(f"{name}\t{p99(alone[name]):.1f}\t{p99(beside[name]):.1f}\t{errors}")
months = [(size, milliseconds) for status, size, milliseconds in beside["month report"] if status == 200]
refused = len(beside["month report"]) - len(months)
middle = sorted(milliseconds for _, milliseconds in months)[len(months) // 2] if months else float("nan")
print(f"month reports\t{len(months)}\t{middle:.0f}\t{refused}\t{max((size for size, _ in months), default=0)}")
