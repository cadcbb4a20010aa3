"""Asks for one report on all users. Prints milliseconds, bytes and rows as JSON.

Usage: reports.py HOST PORT FIRST LAST, with the API client as JSON in CLIENT
"""

import json
import os
import sys

from https_client import Client

host, port, first, last = sys.argv[1:]
client = Client(host, port, credentials=os.environ["CLIENT"])
client.sign_in()
answer = client.report(first, last, "All Users")
if answer.status != 200:
    sys.exit(f"{answer.status}: {answer.body[:300]!r}")
rows = len(json.loads(answer.body)["data"])
print(json.dumps({"milliseconds": answer.milliseconds, "bytes": len(answer.body), "rows": rows}))
