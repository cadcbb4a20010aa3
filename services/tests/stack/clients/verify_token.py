"""Verifies a token with PyJWT and the JWKS, and prints its client and scope.

Usage: verify_token.py TOKEN
"""

import os
import ssl
import sys

import jwt

url = os.environ["STACK_URL"]
keys = jwt.PyJWKClient(
    f"{url}/.well-known/jwks.json", ssl_context=ssl.create_default_context(cafile="/state/ca.pem")
)
token = sys.argv[1]
claims = jwt.decode(
    token,
    keys.get_signing_key_from_jwt(token).key,
    algorithms=["RS256"],
    audience="rollcall",
    issuer=url,
    options={"require": ["iss", "sub", "aud", "iat", "nbf", "exp", "jti"]},
)
assert claims["exp"] - claims["iat"] == 120, claims
print(claims["sub"], claims["scope"])
