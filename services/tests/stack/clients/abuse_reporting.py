"""Abuses reports with some tokens, while another client asks for reports on one person.

Usage: abuse_reporting.py KIND SECONDS OTHER TOKEN...

Connects to PROXY_ADDRESS, whose certificate is that of STACK_URL. KIND is one of:
  slow     reads a large report with each token, at 40 KB/s
  minimum  reads a large report with each token: 4 MB fast, then at 17 kB/s (the minimum is
           16 KiB/s), and the rest fast
  stalled  reads 9 large reports on one HTTP/2 connection, a byte every 10 s
  names    sends user names of 60,000 letters on 8 connections
  rate     sends requests on 16 connections as fast as possible

OTHER is the token of the other client. Prints one JSON object: the number of answers by status, for
the abuse and for the other client, for each status of the abuse the value of Retry-After, and the
exceptions that ended a thread.
"""

import collections
import http.client
import json
import os
import secrets
import socket
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

kind, seconds, other, *tokens = sys.argv[1:]
host = urlsplit(os.environ["STACK_URL"])
path = "/api/v1/reporting/sessions"
end = time.monotonic() + float(seconds)
abuse, steady, retry_after = collections.Counter(), collections.Counter(), {}
errors = []
threading.excepthook = lambda thrown: errors.append(repr(thrown.exc_value))


def body(user):
    return json.dumps(
        {
            "Filters": {
                "StartDate": "2001-01-01",
                "EndDate": "2001-01-31",
                "UserName": user,
                "StartOfDay": "00:00:00",
                "RequestDate": "2001-02-01",
            }
        }
    )


def connect_tls(protocols=()):
    context = ssl.create_default_context(cafile="/state/ca.pem")
    context.set_alpn_protocols(protocols)
    name, port = os.environ["PROXY_ADDRESS"].split(":")
    plain = socket.create_connection((name, int(port)), timeout=30)
    return context.wrap_socket(plain, server_hostname=host.hostname)


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = connect_tls()


def connect():
    return Connection(host.hostname, host.port)


def ask(connection, token, user):
    connection.request(
        "POST",
        path,
        body(user),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    return connection.getresponse()


def count(answer):
    abuse[answer.status] += 1
    if answer.getheader("Retry-After"):
        retry_after[answer.status] = answer.getheader("Retry-After")


def slow(token):
    answer = ask(connect(), token, "All Users")
    count(answer)
    # A client that waits for a permit must not get the permit of a reader that stopped.
    while (time.monotonic() < end or abuse.total() < len(tokens)) and answer.read(4096):
        time.sleep(0.1)


def minimum(token):
    """Reads fast at first, so that the buffers of TCP grow."""
    answer = ask(connect(), token, "All Users")
    count(answer)
    report = answer.read(4_000_000)
    due = time.monotonic()
    while due < end:
        report += answer.read(4096)
        due += 4096 / 17_000
        time.sleep(max(0, due - time.monotonic()))
    assert len(json.loads(report + answer.read())["data"]) == 200_000


def stalled(token):
    """Opens the window of each stream by a byte every 10 s, so that no write timeout expires."""
    import h2.config
    import h2.connection
    import h2.events
    import h2.settings

    wire = connect_tls(["h2"])
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    connection.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 1})
    streams = set()
    for _ in range(9):
        stream = connection.get_next_available_stream_id()
        streams.add(stream)
        connection.send_headers(
            stream,
            [
                (":method", "POST"),
                (":path", path),
                (":scheme", "https"),
                (":authority", host.netloc),
                ("authorization", f"Bearer {token}"),
                ("content-type", "application/json"),
            ],
        )
        connection.send_data(stream, body("All Users").encode(), end_stream=True)
    wire.sendall(connection.data_to_send())
    while time.monotonic() < end:
        wire.settimeout(10)
        try:
            received = wire.recv(65536)
        except TimeoutError:
            for stream in streams:
                connection.increment_flow_control_window(1, stream)
            wire.sendall(connection.data_to_send())
            continue
        if not received:
            break
        for event in connection.receive_data(received):
            if isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                streams.discard(event.stream_id)
            if isinstance(event, h2.events.ResponseReceived):
                headers = dict(event.headers)
                abuse[int(headers[":status"])] += 1
                if "retry-after" in headers:
                    retry_after[int(headers[":status"])] = headers["retry-after"]
        wire.sendall(connection.data_to_send())


def names(token):
    connection = connect()
    for _ in range(5):
        answer = ask(connection, token, secrets.token_hex(30_000))
        answer.read()
        count(answer)


def rate(token):
    connection = connect()
    while time.monotonic() < end and not abuse[429]:
        answer = ask(connection, token, "unknown")
        answer.read()
        count(answer)


def ask_steadily(stop):
    connection = connect()
    while not stop.is_set():
        answer = ask(connection, other, "user7")
        answer.read()
        steady[answer.status] += 1
        time.sleep(0.2)


work, copies = {
    "slow": (slow, 1),
    "minimum": (minimum, 1),
    "stalled": (stalled, 1),
    "names": (names, 8),
    "rate": (rate, 16),
}[kind]
stop = threading.Event()
watch = threading.Thread(target=ask_steadily, args=(stop,))
threads = [threading.Thread(target=work, args=(token,)) for token in tokens for _ in range(copies)]
for thread in [watch, *threads]:
    thread.start()
for thread in threads:
    thread.join()
stop.set()
watch.join()
print(json.dumps({"abuse": abuse, "steady": steady, "retry_after": retry_after, "errors": errors}))
