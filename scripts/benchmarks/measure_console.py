"""Pages of the console about many persons, as a browser loads them."""

import json
import os

import stack
from attendance import DAY
from report import Report, goal

MAX_MS = 200
FIRST_PAGE = "a day by name"


def pages(persons: int) -> dict:
    """Returns the path of each page, and how often a text must at least occur in the page."""
    date, last = DAY[0], f"user{persons - 1}"
    day = f"/console/?date={date}"
    rows = ('<th scope="row">', min(persons, 100))
    return {
        FIRST_PAGE: (day, *rows),
        "a day by worked time": (f"{day}&sort=worked&direction=desc", *rows),
        "a day, search for one person": (f"{day}&search={last}", rows[0], 1),
        "a day of employees, with absent ones": (f"{day}&rows=employees&absent=on", *rows),
        "a day with its timeline": (f"{day}&view=timeline", *rows),
        "a day with its timeline, by first login": (f"{day}&view=timeline&sort=first", *rows),
        "a week by name": (f"{day}&range=week", *rows),
        "a month by name": (f"{day}&range=month", *rows),
        "a month of one person": (
            f"/console/person?user={last}&realm=Default&date={date}",
            "8:00 h",
            30,
        ),
    }


def load(report: Report, where: str, server: str, port: int, chosen: dict) -> None:
    """Loads pages in the network of a server."""
    command = ("python3", "/clients/console.py", "127.0.0.1", str(port), json.dumps(chosen))
    results = stack.measured(server, *command, CLIENT=os.environ["CLIENT"])
    for name, result in results.items():
        bound = goal(result["first_byte"], maximum=MAX_MS, unit="ms")
        report.row(
            f"{where}: {name}",
            first_byte_ms=result["first_byte"],
            last_byte_ms=result["last_byte"],
            bytes=result["bytes"],
            goal=bound if name == FIRST_PAGE else None,
        )


def measure(report: Report, persons: int) -> None:
    stack.make_sessions(persons)
    chosen = pages(persons)
    load(report, "at the service", "console", 8080, chosen)
    load(report, "through the VIP", "nginx", 8443, {FIRST_PAGE: chosen[FIRST_PAGE]})
    report.note("Medians of 25 loads on one connection, after 3 that were not measured.")
    report.note(
        "The service sends the first byte when the page is complete. `bytes` is the size of the "
        "compressed page."
    )
