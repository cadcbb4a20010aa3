"""Compares the rate of tokens through the VIP with the rate of RSA signatures of one core."""

import json
import os
from statistics import mean

import stack
from report import Report, goal


def signatures() -> float:
    """Returns the signatures per second of one core, with the key size of the stack."""
    output = stack.client("nginx", "openssl", "speed", "-seconds", "3", "rsa3072")
    line = next(line for line in output.splitlines() if line.startswith("rsa"))
    return float(line.split("bits")[1].split()[4])


def tokens(connections: int, seconds: int) -> dict:
    client = json.loads(os.environ["CLIENT"])
    wrk = ("wrk", "--threads", "1", "--connections", str(connections), "--timeout", "30s")
    script = ("--duration", f"{seconds}s", "--script", "/clients/sign_ins.lua")
    address = "https://127.0.0.1:8443/api/v1/auth/connect"
    secrets = {"NAME": client["username"], "PASSWORD": client["password"]}
    return stack.measured("nginx", *wrk, *script, address, **secrets)


def measure(report: Report, seconds: int) -> None:
    rounds = [(signatures(), tokens(32, seconds)) for _ in range(3)]
    core = mean(signed for signed, _ in rounds)
    rate = mean(result["rate"] for _, result in rounds)
    report.row("openssl speed rsa3072, one core", per_second=core)
    one = tokens(1, seconds)
    report.row(
        "tokens, 1 connection",
        per_second=one["rate"],
        ratio=one["rate"] / core,
        p99_ms=one["p99_ms"],
        errors=one["errors"],
    )
    report.row(
        "tokens, 32 connections",
        per_second=rate,
        ratio=rate / core,
        goal=goal(rate / core, minimum=0.6),
        p99_ms=max(result["p99_ms"] for _, result in rounds),
        errors=sum(result["errors"] for _, result in rounds),
    )
