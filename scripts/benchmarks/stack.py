"""Commands in the containers of the stack that is measured."""

import json
import os
import subprocess
import time

PROJECT = "rollcall-bench"
BUILT = "localhost/rollcall-build"
AS_OWNER = "PGPASSWORD=$(cat /run/secrets/database-password) exec "


def run(*command: str, text: str | None = None) -> str:
    """Returns the standard output of a command, which must succeed."""
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def container(server: str) -> str:
    return f"{PROJECT}-{server}-1"


def inside(server: str, *command: str, text: str | None = None) -> str:
    return run("docker", "exec", "-i", container(server), *command, text=text)


def in_database(program: str, *arguments: str, text: str | None = None) -> str:
    """Runs a PostgreSQL client program as the owner, in the database's own container."""
    shell = AS_OWNER + f'{program} -h 127.0.0.1 -U rollcall "$@"'
    return inside("postgres", "sh", "-c", shell, program, *arguments, text=text)


def psql(*arguments: str, database: str = "rollcall", text: str | None = None) -> str:
    options = ("-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", database)
    return in_database("psql", *options, *arguments, text=text)


def sql_file(name: str, **variables: object) -> str:
    """Runs a SQL file of this folder with psql variables."""
    options = [part for key, value in variables.items() for part in ("-v", f"{key}={value}")]
    with open(f"/benchmarks/{name}") as file:
        return psql(*options, "-f", "-", text=file.read())


def make_sessions(persons: int, first_day: int = 0, last_day: int = 59) -> None:
    """Makes persons, and two sessions of each on the days from 17 May 2024 plus `first_day`."""
    sql_file("make_sessions.sql", persons=persons, first_day=first_day, last_day=last_day)


def client(server: str, *command: str, **environment: str) -> str:
    """Runs a client in the network of the server that it calls. The network of the host is then
    not measured."""
    options = [part for key, value in environment.items() for part in ("-e", f"{key}={value}")]
    folder = f"{os.environ['ROOT']}/scripts/benchmarks/clients:/clients:ro"
    network = f"container:{container(server)}"
    docker = ("docker", "run", "--rm", "-i", "--network", network, "-v", folder, *options)
    return run(*docker, f"{BUILT}/clients", *command)


def operator(*command: str) -> str:
    """Runs a command in a container like that of scripts/rollcall."""
    network, secrets = f"{PROJECT}_data", f"{PROJECT}_secrets-operator:/run/secrets:ro"
    docker = ("docker", "run", "--rm", "--network", network, "-v", secrets)
    user = ("-e", "ROLLCALL_DATABASE__USER=operator")
    return run(*docker, *user, f"localhost/{PROJECT}/services", *command)


def measured(server: str, *command: str, **environment: str) -> dict:
    """Runs a client and returns the JSON object in the last line of its output."""
    return json.loads(client(server, *command, **environment).splitlines()[-1])


def as_client(script: str, *arguments: str) -> dict:
    """Runs a Python client in the network of the proxy, with an API client in CLIENT."""
    command = ("python3", f"/clients/{script}", "127.0.0.1", "8443", *arguments)
    return measured("nginx", *command, CLIENT=os.environ["CLIENT"])


def empty_tables(database: str = "rollcall") -> None:
    """Removes all events and sessions, because stored rows make later ones slower."""
    tables = "events, event_ids, sessions, arrivals"
    psql("-c", f"TRUNCATE {tables}", "-c", "CHECKPOINT", database=database)


def memory(server: str) -> str:
    """Resident memory of the service."""
    return f"{status(server, 'VmRSS'):.0f} MiB"


def peak_memory(server: str) -> float:
    """Peak resident memory of the service since it started, in MiB."""
    return status(server, "VmHWM")


def status(server: str, field: str) -> float:
    """Returns a field of /proc/1/status that is a size, in MiB."""
    lines = inside(server, "cat", "/proc/1/status").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields[field].split()[0]) / 1024


def restart(server: str) -> None:
    """Restarts a service and waits until it is healthy."""
    run("docker", "restart", container(server))
    health = ("docker", "inspect", "--format", "{{.State.Health.Status}}", container(server))
    while run(*health).strip() != "healthy":
        time.sleep(0.5)


def start_freeradius(secret: str) -> None:
    """Starts FreeRADIUS with a database of its own on the same PostgreSQL server."""
    password = os.urandom(18).hex()
    owner = f"CREATE ROLE radius LOGIN PASSWORD '{password}'"
    psql("-c", owner, "-c", "CREATE DATABASE radius OWNER radius")
    image = f"{BUILT}/freeradius"
    schema = "/etc/freeradius/3.0/mods-config/sql/main/postgresql/schema.sql"
    tables = run("docker", "run", "--rm", "--entrypoint", "cat", image, schema)
    psql("-c", "SET ROLE radius", "-f", "-", database="radius", text=tables)
    names = ("--name", container("freeradius"), "--network", f"{PROJECT}_data")
    settings = ("-e", f"PASSWORD={password}", "-e", f"SECRET={secret}")
    run("docker", "run", "--detach", *names, *settings, image)
    time.sleep(2)
