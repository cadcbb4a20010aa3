"""Signs in at the console as a browser does, and loads pages, each several times.

Prints for each page the medians in ms until its first and until its last byte, and its size in
bytes as it was sent. Fails if a page lacks its text.
Usage: console.py HOST PORT PAGES, with an API client as JSON in CLIENT. PAGES is a JSON object: for
each name the path, a text, and how often the text must at least occur in the page. Port 8443 is
that of the reverse proxy.
"""

import http.client
import json
import os
import ssl
import sys
import time
import urllib.parse
from statistics import median

WARM_UP = 3
TIMES = 25

host, port, pages = *sys.argv[1:3], json.loads(sys.argv[3])
if port == "8443":
    # The certificate is not verified: it is not for this port, and this is not measured.
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=60)
else:
    connection = http.client.HTTPConnection(host, int(port), timeout=60)


def sign_in() -> str:
    """Returns the cookie of a new session."""
    client = json.loads(os.environ["CLIENT"])
    form = {"name": client["username"], "password": client["password"]}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Sec-Fetch-Site": "same-origin",
    }
    body = urllib.parse.urlencode(form)
    connection.request("POST", "/console/sign-in", body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 303:
        sys.exit(f"the sign-in at the console got {answer.status}")
    return answer.headers["Set-Cookie"].split(";")[0]


def load(path: str, encoding: str) -> tuple[float, float, bytes]:
    """Returns the milliseconds until the first byte and until the last, and the body."""
    started = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie, "Accept-Encoding": encoding})
    answer = connection.getresponse()
    first = time.perf_counter()
    body = answer.read()
    last = time.perf_counter()
    if answer.status != 200:
        sys.exit(f"{path} got {answer.status}: {body[:300]!r}")
    return 1000 * (first - started), 1000 * (last - started), body


def measured(path: str, text: str, number: int) -> dict:
    found = load(path, "identity")[2].decode().count(text)
    if found < number:
        sys.exit(f"{path} has {text!r} {found} times instead of {number} times")
    # The encodings that Chromium and Firefox accept.
    loads = [load(path, "gzip, deflate, br, zstd") for _ in range(WARM_UP + TIMES)][WARM_UP:]
    return {
        "first_byte": median(first for first, _, _ in loads),
        "last_byte": median(last for _, last, _ in loads),
        "bytes": len(loads[0][2]),
    }


cookie = sign_in()
print(json.dumps({name: measured(*page) for name, page in pages.items()}))
