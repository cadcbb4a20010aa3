"""Prints the requests to an OTLP collector: kind, service, and the protobuf in hexadecimal."""

from http.server import BaseHTTPRequestHandler, HTTPServer


class Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        service = next(
            (
                name
                for name in ("auth", "ingestion", "reporting", "console", "maintenance")
                if b"\n\x0cservice.name\x12" in body
                and name.encode() in body.split(b"service.name", 1)[1][:20]
            ),
            "?",
        )
        print(self.path.removeprefix("/v1/"), service, body.hex(), flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


# Requests are handled one after the other, so that no line breaks into another.
HTTPServer(("", 4318), Collector).serve_forever()
