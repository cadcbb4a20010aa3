"""The result of a benchmark: rows, printed while they are measured, then written as files."""

import json
import os
import pathlib
from datetime import UTC, datetime

PREAMBLE = """Clients, proxy, services and database share the cores of one machine. Read ratios, not
absolute figures. Rows that are compared with each other were measured alternately."""


class Report:
    """Rows with named values. A column appears in the table if any row has it."""

    def __init__(self, kind: str, title: str) -> None:
        self.kind, self.title = kind, title
        self.rows: list[dict] = []
        self.notes: list[str] = []

    def row(self, what: str, **values: object) -> None:
        """Adds a row. Values that are None are left out."""
        row = {"what": what, **{key: value for key, value in values.items() if value is not None}}
        self.rows.append(row)
        print("  ".join(f"{key}: {text(value)}" for key, value in row.items()), flush=True)

    def note(self, sentence: str) -> None:
        """Adds a sentence below the table."""
        self.notes.append(sentence)
        print(sentence, flush=True)

    def write(self) -> None:
        """Writes the JSON file and the Markdown file."""
        facts = {"measured": datetime.now(UTC).date().isoformat(), **machine()}
        content = {"title": self.title, **facts, "rows": self.rows, "notes": self.notes}
        json_file = pathlib.Path("/json") / f"{self.kind}.json"
        json_file.write_text(json.dumps(content, indent=2) + "\n")
        folder = pathlib.Path("/benchmarks/results")
        folder.mkdir(exist_ok=True)
        (folder / f"{self.kind}.md").write_text(self.markdown(facts))

    def markdown(self, facts: dict) -> str:
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        lines = [f"# {self.title}", "", f"Written by `scripts/bench {self.kind}`. {PREAMBLE}", ""]
        lines += [f"- {name}: {value}" for name, value in facts.items()]
        lines += [
            "",
            line(column.replace("_", " ") for column in columns),
            line("---" for _ in columns),
        ]
        lines += [line(text(row.get(column, "")) for column in columns) for row in self.rows]
        lines += [""] + [f"- {note}" for note in self.notes]
        return "\n".join(lines).rstrip() + "\n"


def line(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def text(value: object) -> str:
    """Formats large numbers without and small ones with two decimals."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> dict:
    """Describes the machine and the code that was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"commit": os.environ["COMMIT"], "cores": os.cpu_count(), "memory": f"{memory:.0f} GiB"}


def goal(
    value: float, minimum: float | None = None, maximum: float | None = None, unit: str = "x"
) -> str:
    """States whether a value, by default a ratio, meets its goal: `at least 3 x: met`."""
    met = value >= minimum if minimum is not None else value <= maximum
    bound = f"at least {minimum:g}" if minimum is not None else f"at most {maximum:g}"
    return f"{bound} {unit}: {'met' if met else 'MISSED'}"
