"""Sends RADIUS Starts of sessions that nobody had, 128 outstanding: answers a second, unanswered, 99th percentile in ms.

All packets are made before the clock starts, and all answers checked after it has stopped. (radclient walks its whole list for each answer, and measures itself.)
Usage: accounting.py HOST PORT SECRET REQUESTS
"""
import hashlib
import socket
import struct
import sys
import time
import uuid

host, port, secret, requests = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), int(sys.argv[4])
OUTSTANDING, PATIENCE, TRIES = 128, 2.0, 5
run = uuid.uuid4().hex[:12]


def attribute(kind, value):
    return bytes([kind, len(value) + 2]) + value


def body(number):
    return b"".join([
        attribute(1, b"user%d" % (number % 5000)), attribute(4, bytes([192, 0, 2, 1])), attribute(8, bytes([10, 8, 0, 2])),
        attribute(31, b"203.0.113.5"), attribute(32, b"bench"), attribute(40, struct.pack("!I", 1)),
        attribute(44, b"%s%08d" % (run.encode(), number)), attribute(55, struct.pack("!I", int(time.time())))])


def packet(identifier, attributes):
    head = struct.pack("!BBH", 4, identifier, 20 + len(attributes))
    return head + hashlib.md5(head + bytes(16) + attributes + secret).digest() + attributes


# A request has the identifier of its place among those outstanding: each place has its own line of requests.
lines = [[packet(place, body(number)) for number in range(place, requests, OUTSTANDING)] for place in range(OUTSTANDING)]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.connect((host, port))
server.settimeout(0.1)
sent, tries, seconds, answered, unanswered = [0.0] * OUTSTANDING, [0] * OUTSTANDING, [], [], 0
waiting = set()


def send(place):
    if lines[place]:
        waiting.add(place)
        tries[place], sent[place] = 1, time.perf_counter()
        server.send(lines[place][-1])
    else:
        waiting.discard(place)


def send_again(now):
    global unanswered
    for place in [place for place in waiting if now - sent[place] > PATIENCE * tries[place]]:
        if tries[place] == TRIES:
            unanswered += 1
            lines[place].pop()
            send(place)
        else:
            tries[place] += 1
            server.send(lines[place][-1])


def is_answer(request, answer):
    """By its authenticator (RFC 2866 section 3): a late answer to an earlier request of the same place is none."""
    return hashlib.md5(answer[:4] + request[4:20] + answer[20:] + secret).digest() == answer[4:20]


started = looked = time.perf_counter()
for place in range(OUTSTANDING):
    send(place)
while waiting:
    try:
        answer = server.recv(4096)
    except TimeoutError:
        answer = None
    now = time.perf_counter()
    if answer and answer[1] in waiting:
        place = answer[1]
        seconds.append(now - sent[place])
        answered.append((lines[place].pop(), answer))
        send(place)
    if now - looked > 0.1:
        looked = now
        send_again(now)
elapsed = time.perf_counter() - started
# Not while the clock runs: it would be the client that is measured.
wrong = sum(not is_answer(request, answer) for request, answer in answered)
print(f"{len(seconds) / elapsed:.0f} {unanswered + wrong} {1000 * sorted(seconds)[len(seconds) * 99 // 100]:.1f}")
