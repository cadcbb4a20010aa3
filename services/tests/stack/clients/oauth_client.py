"""Calls each OAuth endpoint with Authlib. Usage: oauth_client.py CLIENT_ID CLIENT_SECRET"""

import os
import sys

import requests
from authlib.integrations.requests_client import OAuth2Session

client_id, client_secret = sys.argv[1:]
url = os.environ["STACK_URL"]
os.environ["REQUESTS_CA_BUNDLE"] = "/state/ca.pem"
metadata = requests.get(f"{url}/.well-known/oauth-authorization-server", timeout=10).json()
assert metadata["issuer"] == url, metadata
filters = {
    "StartDate": "2025-01-01",
    "EndDate": "2025-01-01",
    "UserName": "All Users",
    "StartOfDay": "00:00:00",
    "RequestDate": "2025-01-01",
}

for method in ("client_secret_basic", "client_secret_post"):
    session = OAuth2Session(
        client_id, client_secret, scope="reporting:read", token_endpoint_auth_method=method
    )
    token = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    assert token["scope"] == "reporting:read" and token["expires_in"] == 120, token
    assert (
        session.post(f"{url}/api/v1/reporting/sessions", json={"Filters": filters}).status_code
        == 200
    )
    print(method.removeprefix("client_secret_"), end=" ")

answer = session.introspect_token(
    metadata["introspection_endpoint"], token=token["access_token"]
).json()
assert answer["active"] and answer["client_id"] == client_id, answer
print("introspected", end=" ")

assert (
    session.revoke_token(metadata["revocation_endpoint"], token=token["access_token"]).status_code
    == 200
)
assert (
    session.post(f"{url}/api/v1/reporting/sessions", json={"Filters": filters}).status_code == 401
)
print("revoked")
