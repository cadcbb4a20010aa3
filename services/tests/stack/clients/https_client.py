"""Posts one event at a time over HTTPS and repeats none. Prints how many were acknowledged, and
how often each other outcome occurred.

Usage: https_client.py KEY SECONDS
"""

import collections
import http.client
import json
import os
import ssl
import sys
import time
from urllib.parse import urlsplit

key, seconds = sys.argv[1], float(sys.argv[2])
host = urlsplit(os.environ["STACK_URL"])
context = ssl.create_default_context(cafile="/state/ca.pem")
outcomes = collections.Counter()
headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
end = time.monotonic() + seconds
number = 0
while time.monotonic() < end:
    # A connection for each hundred events: the handshake is tried too.
    if number % 100 == 0:
        connection = http.client.HTTPSConnection(
            host.hostname, host.port, timeout=10, context=context
        )
    number += 1
    name = f"steady-{number}"
    event = {
        "event_id": name,
        "type": "login",
        "session_id": name,
        "user": "asha",
        "occurred_at": "2025-01-01T10:00:00Z",
    }
    try:
        connection.request("POST", "/api/v1/ingestion/events", json.dumps(event), headers)
        answer = connection.getresponse()
        answer.read()
        outcomes[str(answer.status)] += 1
    except (OSError, http.client.HTTPException) as error:
        outcomes[type(error).__name__] += 1
        connection.close()
acknowledged = outcomes.pop("200", 0)
print(acknowledged, dict(outcomes))
