"""Prints a token as JSON. Usage: sign_in.py HOST PORT, with the API client as JSON in CLIENT"""

import json
import os
import sys

from https_client import Client

client = Client(*sys.argv[1:], credentials=os.environ["CLIENT"])
client.sign_in()
print(json.dumps({"token": client.token}))
