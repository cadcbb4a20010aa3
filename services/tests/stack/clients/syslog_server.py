"""Prints each syslog message that arrives at this UDP port of loopback."""

import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
print("listening")
while True:
    print(server.recv(65536).decode().rstrip("\n"))
