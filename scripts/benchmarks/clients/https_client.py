"""An HTTPS client of the VIP that keeps its connection."""

import http.client
import json
import ssl
import time
from types import SimpleNamespace


class Client:
    """Calls the VIP with a source key, or as an API client whose token is renewed every minute."""

    def __init__(self, host: str, port: str, key: str = "", credentials: str = "") -> None:
        # The certificate is not verified: it is not for this port, and this is not measured.
        context = ssl._create_unverified_context()
        self.connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=120)
        self.token, self.renew_at = key, float("inf")
        if credentials:
            self.credentials, self.renew_at = json.loads(credentials), 0.0

    def post(self, path: str, body: bytes, **headers: str) -> SimpleNamespace:
        """Returns status, body and the milliseconds until the body was read."""
        started = time.perf_counter()
        self.connection.request("POST", path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        milliseconds = 1000 * (time.perf_counter() - started)
        return SimpleNamespace(status=answer.status, body=content, milliseconds=milliseconds)

    def call(self, path: str, content: bytes | dict, kind: str = "json") -> SimpleNamespace:
        if time.monotonic() > self.renew_at:
            self.sign_in()
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": f"application/{kind}"}
        return self.post(path, body, **headers)

    def sign_in(self) -> None:
        names = {name: self.credentials[name] for name in ("username", "password")}
        body = json.dumps(names).encode()
        answer = self.post("/api/v1/auth/connect", body, **{"Content-Type": "application/json"})
        self.token = json.loads(answer.body)["token"]
        self.renew_at = time.monotonic() + 60

    def report(self, first: str, last: str, user: str) -> SimpleNamespace:
        filters = {"StartDate": first, "EndDate": last, "UserName": user}
        filters |= {"StartOfDay": "00:00:00", "RequestDate": "2024-07-01"}
        return self.call("/api/v1/reporting/sessions", {"Filters": filters})


def p99(values: list[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]
