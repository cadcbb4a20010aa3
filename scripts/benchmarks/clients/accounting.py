"""Sends RADIUS accounting for new sessions, with 128 requests in flight.

Prints rate, errors and the 99th percentile in ms as JSON.

All packets are made before the clock starts, and all answers are checked after it has stopped.
(radclient searches its whole list for each answer, so it would measure itself.)
Usage: accounting.py HOST PORT SECRET REQUESTS INTERIMS, with INTERIMS updates after each Start
"""

import hashlib
import json
import socket
import struct
import sys
import time
import uuid

IN_FLIGHT, PATIENCE_SECONDS, TRIES = 128, 2.0, 5
START, INTERIM = 1, 3
host, port, requests, interims = sys.argv[1], int(sys.argv[2]), int(sys.argv[4]), int(sys.argv[5])
secret = sys.argv[3].encode()
run = uuid.uuid4().hex[:12]
began = int(time.time()) - 3600


def attribute(kind: int, value: bytes) -> bytes:
    return bytes([kind, len(value) + 2]) + value


def number(value: int) -> bytes:
    return struct.pack("!I", value)


def body(slot: int, index: int) -> bytes:
    session, update = divmod(index, interims + 1)
    return b"".join([
        attribute(1, b"user%d" % ((session * IN_FLIGHT + slot) % 5000)),
        attribute(4, bytes([192, 0, 2, 1])),
        attribute(8, bytes([10, 8, 0, 2])),
        attribute(31, b"203.0.113.5"),
        attribute(32, b"bench"),
        attribute(40, number(INTERIM if update else START)),
        attribute(44, b"%s-%d-%d" % (run.encode(), slot, session)),
        attribute(46, number(60 * update)),
        attribute(55, number(began + 60 * update)),
    ])  # fmt: skip


def packet(identifier: int, attributes: bytes) -> bytes:
    head = struct.pack("!BBH", 4, identifier, 20 + len(attributes))
    return head + hashlib.md5(head + bytes(16) + attributes + secret).digest() + attributes


def is_authentic(request: bytes, answer: bytes) -> bool:
    """Checks the Response Authenticator (RFC 2866, section 3), which excludes a late answer to an
    earlier request with the same identifier."""
    signed = answer[:4] + request[4:20] + answer[20:] + secret
    return hashlib.md5(signed).digest() == answer[4:20]


class Slot:
    """One of the requests in flight. Its packets have the same identifier and are sent in turn."""

    def __init__(self, identifier: int) -> None:
        count = len(range(identifier, requests, IN_FLIGHT))
        self.packets = [packet(identifier, body(identifier, n)) for n in reversed(range(count))]
        self.tries, self.sent_at, self.answers, self.unanswered = 0, 0.0, [], 0

    def send(self, server: socket.socket) -> None:
        if self.packets:
            self.tries, self.sent_at = self.tries + 1, time.perf_counter()
            server.send(self.packets[-1])

    def answer(self, server: socket.socket, answer: bytes) -> None:
        seconds = time.perf_counter() - self.sent_at
        self.answers.append((self.packets.pop(), answer, seconds))
        self.tries = 0
        self.send(server)

    def retransmit(self, server: socket.socket) -> None:
        if not self.packets or time.perf_counter() - self.sent_at < PATIENCE_SECONDS:
            return
        if self.tries == TRIES:
            self.unanswered += 1
            self.packets.pop()
            self.tries = 0
        self.send(server)


def exchange(slots: list[Slot]) -> float:
    """Sends all packets and returns the seconds that this took."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.connect((host, port))
    server.settimeout(0.1)
    started = checked = time.perf_counter()
    for slot in slots:
        slot.send(server)
    left = sum(len(slot.packets) for slot in slots)
    while left:
        try:
            answer = server.recv(4096)
            if slots[answer[1]].packets:
                slots[answer[1]].answer(server, answer)
                left -= 1
        except TimeoutError:
            pass
        if time.perf_counter() - checked > 0.1:
            checked = time.perf_counter()
            for slot in slots:
                slot.retransmit(server)
            left = sum(len(slot.packets) for slot in slots)
    return time.perf_counter() - started


slots = [Slot(identifier) for identifier in range(IN_FLIGHT)]
elapsed = exchange(slots)
answers = [answer for slot in slots for answer in slot.answers]
wrong = sum(not is_authentic(request, answer) for request, answer, _ in answers)
seconds = sorted(seconds for _, _, seconds in answers)
errors = wrong + sum(slot.unanswered for slot in slots)
p99_ms = 1000 * seconds[len(seconds) * 99 // 100]
print(json.dumps({"rate": len(answers) / elapsed, "errors": errors, "p99_ms": p99_ms}))
