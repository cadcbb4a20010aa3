"""Sends RADIUS Starts, repeats each until it is answered, and prints the number of answers.

Usage: radius_ledger.py PORT SECRET SECONDS NAS
"""

import contextlib
import hashlib
import select
import socket
import struct
import sys
import time

port, secret, seconds, nas = (
    int(sys.argv[1]),
    sys.argv[2].encode(),
    float(sys.argv[3]),
    sys.argv[4].encode(),
)
OUTSTANDING = 16
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.connect(("127.0.0.1", port))


def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


def packet(identifier, number):
    attributes = b"".join(
        [
            attribute(1, b"asha"),
            attribute(32, nas),
            attribute(40, struct.pack("!I", 1)),
            attribute(44, b"%d" % number),
            attribute(55, struct.pack("!I", 1735725600 + number)),
        ]
    )
    head = struct.pack("!BBH", 4, identifier, 20 + len(attributes))
    return head + hashlib.md5(head + bytes(16) + attributes + secret).digest() + attributes


def authentic(answer, request):
    return answer[4:20] == hashlib.md5(answer[:4] + request[4:20] + answer[20:] + secret).digest()


end = time.monotonic() + seconds
sent = answered = repeated = 0
waiting = {}
while time.monotonic() < end or waiting:
    now = time.monotonic()
    for identifier in range(OUTSTANDING):
        if identifier not in waiting and now < end:
            waiting[identifier] = [packet(identifier, sent), 0]
            sent += 1
        if identifier in waiting and now - waiting[identifier][1] > 1:
            repeated += waiting[identifier][1] > 0
            waiting[identifier][1] = now
            # The packet is sent again when the VIP is unreachable for a moment.
            with contextlib.suppress(OSError):
                server.send(waiting[identifier][0])
    if select.select([server], [], [], 0.05)[0]:
        try:
            answer = server.recv(4096)
        except OSError:
            continue
        if answer[1] in waiting and authentic(answer, waiting[answer[1]][0]):
            del waiting[answer[1]]
            answered += 1
    if now > end + 60:
        break
print(f"{answered} {sent} {repeated}")
