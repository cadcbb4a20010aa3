"""What the benchmarks of attendance reports share."""

import stack

DAY = ("2024-06-15", "2024-06-15")
WEEK = ("2024-06-10", "2024-06-16")
MONTH = ("2024-06-01", "2024-06-30")
MEMORY_MIB = 32


def plain_copy(file: str, period: tuple[str, str]) -> float:
    """Returns the milliseconds of COPY to /dev/null, measured by psql beside the database."""
    with open(f"/benchmarks/{file}") as opened:
        statement = opened.read()
    text = f"\\o /dev/null\n\\timing on\n{statement}"
    first, last = period
    output = stack.psql("-v", f"first={first}", "-v", f"last={last}", "-f", "-", text=text)
    times = [line for line in output.splitlines() if line.startswith("Time:")]
    return sum(float(line.split()[1]) for line in times)


def download(period: tuple[str, str], options: str, *count: str) -> dict:
    """Downloads an attendance report through the VIP."""
    first, last = period
    query = f"start_date={first}&end_date={last}&{options}"
    return stack.as_client("download.py", query, *count)


def week_of_one_person(persons: int) -> dict:
    """Returns the milliseconds of requests to the service itself, without the proxy."""
    token = stack.as_client("sign_in.py")["token"]
    command = ("python3", "/clients/one_person.py", "127.0.0.1", "8080", *WEEK, str(persons))
    return stack.measured("reporting", *command, TOKEN=token)


def growth(options: str) -> tuple[float, dict]:
    """Returns by how many MiB a download of a month grows the service, and the download."""
    stack.restart("reporting")
    download(DAY, "limit=1")
    before = stack.peak_memory("reporting")
    result = download(MONTH, options)
    return stack.peak_memory("reporting") - before, result


def disk_space_gib() -> float:
    """Returns the free space for the database."""
    line = stack.inside("postgres", "df", "-k", "/var/lib/rollcall/data").splitlines()[-1]
    return int(line.split()[3]) / 2**20
