"""A visitor of the console with a browser.

The argument of each script is a JSON object that describes what the test has recorded.
"""

import json
import os
import sys
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

URL = os.environ["STACK_URL"]
SEED = json.loads(sys.argv[1])


@contextmanager
def browser():
    with sync_playwright() as playwright:
        # The sandbox of Chromium needs a right that a container lacks.
        chromium = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


class Visitor:
    """A visitor with cookies of their own. `faults` has what the browser complains about."""

    def __init__(self, browser, **options):
        # Other tests check the certificate.
        options = {"base_url": URL, "ignore_https_errors": True, "locale": "en-US", **options}
        self.page = browser.new_context(**options).new_page()
        self.page.set_default_timeout(30_000)
        self.faults = []
        self.page.on("console", self._read)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", self._follow)

    def _read(self, message):
        # Chromium writes violations of the Content-Security-Policy here. It also complains about a
        # page with an error status, which the caller of `open` expects.
        is_own_status = message.location["url"] == self.page.url and "status of" in message.text
        if message.type in ("error", "warning") and not is_own_status:
            self.faults.append(f"{message.type}: {message.text}")

    def _dismiss(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _follow(self, request):
        if not request.url.startswith((f"{URL}/", "data:", "blob:")):
            self.faults.append(f"request to {request.url}")

    def open(self, path, status=200):
        answer = self.page.goto(path)
        assert answer.status == status, (path, answer.status)

    def sign_in(self, client):
        name, password = SEED[client]
        self.open("/console/sign-in")
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.page.click(".stacked button")
        self.page.wait_for_url("**/console/")
        return self
