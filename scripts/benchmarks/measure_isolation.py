"""Single events and reports on one person, alone and beside four month reports in a loop."""

import os

import stack
from report import Report


def measure(report: Report, persons: int) -> None:
    stack.make_sessions(persons)
    names = ("SOURCE", "CLIENT", "OTHER_CLIENT")
    result = stack.measured(
        "nginx",
        "python3",
        "/clients/isolation.py",
        "127.0.0.1",
        "8443",
        "30",
        str(persons),
        **{name: os.environ[name] for name in names},
    )
    for name, values in result["small"].items():
        report.row(
            name,
            p99_ms_alone=values["alone"],
            p99_ms_beside=values["beside"],
            ratio=values["beside"] / values["alone"],
            errors=values["errors"],
        )
    months = result["months"]
    report.note(
        f"Month reports meanwhile: {months['answered']} with up to {months['bytes']:,} bytes, "
        f"median {months['median_ms']:.0f} ms; {months['refused']} refused."
    )
