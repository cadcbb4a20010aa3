"""Stands in for the HTTP interfaces of Odoo and Zoho People, for one request.

Prints the port, then the path, the Authorization header and the content of the request as a JSON
array. Usage: hr_systems.py odoo|zoho
"""

import http.server
import json
import sys
from urllib.parse import parse_qs


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if sys.argv[1] == "odoo":
            content = json.loads(body)
            answer = {"ids": list(range(1, len(content["data"]) + 1)), "messages": []}
        else:
            content = {name: value for name, (value,) in parse_qs(body).items()}
            answer = {"response": "success"}
        print(json.dumps([self.path, self.headers["Authorization"], content]), flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        """Prints nothing."""


with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
    print(server.server_port, flush=True)
    server.handle_request()
