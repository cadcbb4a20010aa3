"""Sends datagrams of 20 bytes at a steady rate from an unknown address. Prints their number.

Usage: flood.py HOST PORT DATAGRAMS_PER_SECOND SECONDS
"""

import contextlib
import socket
import sys
import time

host, port, rate, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.connect((host, port))
started = time.monotonic()
sent = 0
while (elapsed := time.monotonic() - started) < seconds:
    while sent < rate * elapsed:
        # A datagram counts as sent even when the receiver does not listen.
        with contextlib.suppress(OSError):
            server.send(bytes(20))
        sent += 1
    time.sleep(0.005)
print(sent)
