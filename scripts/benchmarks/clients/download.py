"""Downloads one attendance report with curl. Prints milliseconds, bytes and lines as JSON.

The milliseconds do not include the handshake of TLS, because a client keeps its connection. With
`count` the lines are counted, which takes time too. Else they are 0.
Usage: download.py HOST PORT QUERY [count], with the API client as JSON in CLIENT
"""

import json
import os
import subprocess
import sys

from https_client import Client

host, port, query = sys.argv[1:4]
client = Client(host, port, credentials=os.environ["CLIENT"])
client.sign_in()
command = [
    *("curl", "--silent", "--show-error", "--fail", "--insecure", "--http1.1"),
    *("--header", f"Authorization: Bearer {client.token}"),
    *("--output", "/dev/stderr" if "count" in sys.argv else "/dev/null"),
    *("--write-out", "%{time_pretransfer} %{time_total} %{size_download}"),
    f"https://{host}:{port}/api/v2/attendance?{query}",
]
curl = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
lines, end = 0, b""
while block := curl.stderr.read(1 << 20):
    lines, end = lines + block.count(b"\n"), block[-300:]
times = curl.stdout.read().split()
if curl.wait() != 0:
    sys.exit(f"curl ended with {curl.returncode}: {end.decode(errors='replace')}")
connected, total, size = (float(number) for number in times)
milliseconds = 1000 * (total - connected)
print(json.dumps({"milliseconds": milliseconds, "bytes": int(size), "lines": lines}))
