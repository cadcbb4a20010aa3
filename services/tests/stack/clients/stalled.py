"""Sends bodies of 16 MiB without a key, and stalls before the last 100 bytes.

Then sends a byte every 4 seconds until standard input ends, and prints how each upload ended.
Usage: stalled.py COUNT
"""

import os
import socket
import ssl
import sys
import threading

host, port = os.environ["STACK_URL"].removeprefix("https://").split(":")
context = ssl.create_default_context(cafile="/state/ca.pem")
stop = threading.Event()
HEAD = (
    "POST /api/v1/ingestion/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer unknown\r\n"
    "Content-Type: application/x-ndjson\r\nContent-Length: 16777216\r\n\r\n"
)


def upload():
    try:
        with (
            socket.create_connection((host, int(port))) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.sendall(HEAD.encode())
            for _ in range(256):
                connection.sendall(b"x" * 65536 if _ < 255 else b"x" * 65436)
            while not stop.wait(4):
                connection.sendall(b"x")
        print("stalled until the end")
    except OSError as error:
        print("ended by the other side:", error)


threads = [threading.Thread(target=upload) for _ in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
sys.stdin.read()
stop.set()
for thread in threads:
    thread.join()
