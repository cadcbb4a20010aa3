"""Asks a service without the proxy for a week of one person, 300 times. Prints the median and the
99th percentile in ms as JSON.

Usage: one_person.py HOST PORT FIRST LAST PERSONS, with a token in TOKEN
"""

import http.client
import json
import os
import random
import sys
import time
from statistics import median

from https_client import p99

host, port, first, last, persons = *sys.argv[1:5], int(sys.argv[5])
connection = http.client.HTTPConnection(host, int(port), timeout=30)
headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
times = []
for _ in range(300):
    # The rate limit allows 50 requests per second.
    time.sleep(0.025)
    query = f"start_date={first}&end_date={last}&user=user{random.randrange(persons)}"
    started = time.perf_counter()
    connection.request("GET", f"/api/v2/attendance?{query}", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    times.append(1000 * (time.perf_counter() - started))
    if answer.status != 200 or len(json.loads(body)["data"]) != 7:
        sys.exit(f"{answer.status}: {body[:300]!r}")
print(json.dumps({"median": median(times), "p99": p99(times)}))
