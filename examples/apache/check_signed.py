# Asks pulp-streamer whether a URL is signed. mod_wsgi calls it (docs/how-to/apache.md): copy to
# /usr/local/lib/pulp-streamer/check_signed.py.
import http.client


def allow_access(environ, host):
    streamer = http.client.HTTPConnection("127.0.0.1", 8752, timeout=5)
    try:
        streamer.request("GET", "/auth", headers={
            "X-Original-URI": environ["REQUEST_URI"],
            "X-Forwarded-For": environ["REMOTE_ADDR"],
        })
        return streamer.getresponse().status == 204
    except (OSError, http.client.HTTPException):
        return False
    finally:
        streamer.close()
