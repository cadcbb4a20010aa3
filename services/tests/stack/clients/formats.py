"""Compares the rows of each download with those of the JSON pages, by independent readers.

Usage: formats.py TOKEN QUERY... Prints the number of rows of each query.
"""

import csv
import io
import json
import os
import sys
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pyarrow
import pyarrow.parquet
import requests

os.environ["REQUESTS_CA_BUNDLE"] = "/state/ca.pem"
URL = f"{os.environ['STACK_URL']}/api/v2/attendance"
HEADERS = {"Authorization": f"Bearer {sys.argv[1]}"}
TIMES = ("first_login", "last_logout")
FLAGS = ("corrected", "continues_from_previous_day", "continues_to_next_day")
TEXTS = ("user", "realm", "employee_id", "end_reason", "status")


def get(query, **headers):
    answer = requests.get(f"{URL}?{query}", headers={**HEADERS, **headers}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def pages(query):
    """Returns the rows of all pages of 7 rows."""
    rows, cursor = [], ""
    while cursor is not None:
        page = get(f"{query}&limit=7" + (cursor and f"&cursor={cursor}")).json()
        rows, cursor = rows + page["data"], page["next"]
    return rows


def from_csv(answer, separator=","):
    """Parses fields strictly, by the type of their column."""
    lines = list(csv.reader(io.StringIO(answer, newline=""), delimiter=separator, strict=True))
    kinds = {"true": True, "false": False}

    def value(name, text):
        if text == "":
            return None
        if name in FLAGS:
            return kinds[text]
        return text if name in (*TEXTS, *TIMES, "date") else int(text)

    return [
        {name: value(name, text) for name, text in zip(lines[0], line, strict=True)}
        for line in lines[1:]
    ]


def local(row):
    """Returns a row of JSON with values as a spreadsheet has them: local times without offset."""
    times = {
        name: row[name] and datetime.fromisoformat(row[name]).replace(tzinfo=None) for name in TIMES
    }
    return {**dated(row), **times}


def dated(row):
    return {**row, "date": date.fromisoformat(row["date"])} if "date" in row else row


def instants(row):
    times = {
        name: row[name] and datetime.fromisoformat(row[name]).astimezone(UTC) for name in TIMES
    }
    return {**dated(row), **times}


def harmless(row):
    """Returns a row with an apostrophe before the user, if a spreadsheet would execute the name."""
    return {**row, "user": "'" + row["user"]} if row["user"][0] in "=+-@" else row


def from_xlsx(content):
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    head, *lines = sheet.iter_rows()
    assert sheet.freeze_panes == "A2", sheet.freeze_panes
    names = [cell.value for cell in head]
    rows = []
    for line in lines:
        row = {name: cell.value for name, cell in zip(names, line, strict=True)}
        for name, cell in zip(names, line, strict=True):
            if name in (*TIMES, "date") and cell.value is not None:
                assert cell.is_date, (name, cell.number_format)
                # openpyxl reads every date as a datetime. Its own rounding is up to 1 ms.
                row[name] = (cell.value + timedelta(milliseconds=500)).replace(microsecond=0)
        if "date" in row:
            assert row["date"].time().isoformat() == "00:00:00", row
            row["date"] = row["date"].date()
        rows.append(row)
    return rows


def from_parquet(content):
    # A thread of pyarrow that still holds the buffer when Python exits aborts the process.
    options = {"use_threads": False, "pre_buffer": False}
    table = pyarrow.parquet.read_table(io.BytesIO(content), **options)
    for field in table.schema:
        if field.name == "date":
            expected = pyarrow.date32()
        elif field.name in TIMES:
            expected = pyarrow.timestamp("us", tz="UTC")
        elif field.name in FLAGS:
            expected = pyarrow.bool_()
        else:
            expected = pyarrow.string() if field.name in TEXTS else pyarrow.int64()
        assert field.type == expected, field
    return table.to_pylist()


def equal(name, rows, expected):
    assert [list(row) for row in rows] == [list(row) for row in expected], (name, rows[:1])
    different = [pair for pair in zip(rows, expected, strict=True) if pair[0] != pair[1]]
    assert not different, (name, different[0])


def compare(query):
    rows = pages(query)
    equal("csv", from_csv(get(f"{query}&format=csv").content.decode()), rows)
    marked = get(f"{query}&format=csv&bom=true&separator=;").content.decode()
    assert marked.startswith("\ufeff"), marked[:20]
    equal("csv for Excel", from_csv(marked[1:], ";"), [harmless(row) for row in rows])
    lines = get(query, Accept="application/x-ndjson").text.splitlines()
    equal("ndjson", [json.loads(line) for line in lines[:-1]], rows)
    assert json.loads(lines[-1]) == {"rows": len(rows)}, lines[-1]
    xlsx = get(f"{query}&format=xlsx").content
    equal("xlsx", from_xlsx(xlsx), [local(row) for row in rows])
    parquet = get(f"{query}&format=parquet").content
    equal("parquet", from_parquet(parquet), [instants(row) for row in rows])
    return len(rows)


print(*(compare(query) for query in sys.argv[2:]))
