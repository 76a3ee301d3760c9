"""Plays Pulp 2's web server, in Apache with mod_wsgi: redirects clients to signed URLs of the streamer, and accepts those URLs.

Written from the facts about the format, independently of the streamer's code. `web.json` in the same folder has the numbers of the key
(hexadecimal), the folder of published links, and the URL of the site.
"""

import base64
import hashlib
import json
import os
import time
import urllib.parse

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "web.json")) as file:
    SITE = json.load(file)
N, E, P, Q, DP, DQ, QI = (int(SITE["key"][name], 16) for name in ("n", "e", "p", "q", "dp", "dq", "qi"))
SIZE = (N.bit_length() + 7) // 8
WRAPPINGS = ["304d300906052b0e03021a05000440", "3021300906052b0e03021a05000414"]


def padded(policy, wrapping):
    payload = bytes.fromhex(wrapping) + hashlib.sha256(policy.encode()).hexdigest().encode()
    return b"\0\1" + b"\xff" * (SIZE - len(payload) - 3) + b"\0" + payload


def signed(number):
    """RSASP1 (RFC 8017 section 5.2.1) by the remainders, which is four times as fast."""
    of_p, of_q = pow(number, DP, P), pow(number, DQ, Q)
    return of_q + Q * ((of_p - of_q) * QI % P)


def query_of(resource, client):
    said = {"resource": resource, "expiration": int(time.time()) + 90, "extensions": {"remote_ip": client}}
    policy = base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
    number = signed(int.from_bytes(padded(policy, WRAPPINGS[0]), "big"))
    return "policy=%s;signature=%s" % (policy, base64.urlsafe_b64encode(number.to_bytes(SIZE, "big")).decode())


def application(environ, start_response):
    """A published name is a link to the storage path of the unit's file. Sites sign that path raw or percent-encoded."""
    name = environ["PATH_INFO"].encode("latin-1").decode()
    path = os.readlink(SITE["published"] + name)
    if environ["SCRIPT_NAME"] == "/pulp/raw":
        resource = "/streamer/" + path
        url = urllib.parse.quote(resource, safe="/~:;$&()+,!*@'=")
    else:
        resource = url = urllib.parse.quote("/streamer" + path, safe="/")
    location = "%s%s?%s" % (SITE["url"], url, query_of(resource, environ["REMOTE_ADDR"]))
    start_response("302 Found", [("Location", location), ("Content-Length", "0")])
    return []


def allow_access(environ, host):
    path, _, query = environ["REQUEST_URI"].partition("?")
    parameters = dict(part.partition("=")[::2] for part in query.split(";"))
    try:
        number = int.from_bytes(base64.urlsafe_b64decode(parameters["signature"]), "big")
        found = pow(number, E, N).to_bytes(SIZE, "big")
        said = json.loads(base64.urlsafe_b64decode(parameters["policy"]))
    except (KeyError, ValueError):
        return False
    return (
        found in [padded(parameters["policy"], wrapping) for wrapping in WRAPPINGS]
        and said["expiration"] > time.time()
        and urllib.parse.unquote(path) in (said["resource"], urllib.parse.unquote(said["resource"]))
        and said["extensions"] == {"remote_ip": environ["REMOTE_ADDR"]}
    )
