"""The clients of the soak: a separate process, which shares no code with what it tests.

Usage: client.py SEED CLIENTS

Reads a job a line (JSON: number, class, url, content, size), asks for it in a way that the seed and
the number decide, and again if it got no whole answer, as package managers do. Writes a line a
request: class of content, what was asked, outcome, bytes. An outcome is

  right     complete, and every byte equals the truth
  wrong     complete for all that its client can see, and not the truth
  cut       broken off, in its head or body, and its client knows
  refused   an error, or no connection
  left      the client left
  hang      nothing came for a minute
"""

import http.client
import json
import random
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

from asked import choose
from truth import Cut, Wrong, content_of, judge

TRIES = 8
HANGS = 60
class Left(Exception):
    pass


def manner(dice, size):
    """How a client reads: a function of the bytes that arrived."""
    kind, place, arrived = dice.random(), dice.randint(0, size), 0
    pause = dice.random() / 3

    def pace(count):
        nonlocal arrived
        before, arrived = arrived, arrived + count
        if before <= place < arrived:
            if kind < 0.05:
                raise Left()
            if kind < 0.12:
                time.sleep(pause)

    return pace


def request(url, asked, content, pace):
    """Sends one request. Returns its status, outcome, bytes of the body, and a note."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=HANGS)
    status = bytes_read = 0

    def counted(count):
        nonlocal bytes_read
        bytes_read += count
        pace(count)

    try:
        connection.request(asked.method, place.path, headers=asked.fields)
        response = connection.getresponse()
        status = response.status
        right = judge(response, asked, content, counted)
        return status, "right" if right else "refused", bytes_read, response.getheader("Proxy-Status", "")
    except (Wrong, Cut, Left) as found:
        hung = isinstance(found.__cause__, socket.timeout)
        return status, "hang" if hung else type(found).__name__.lower(), bytes_read, str(found)
    except socket.timeout:
        return status, "hang", bytes_read, ""
    except (OSError, http.client.HTTPException) as error:
        outcome = "refused" if isinstance(error, ConnectionRefusedError) else "cut"
        return status, outcome, bytes_read, type(error).__name__
    finally:
        connection.close()


def tag_at(url):
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=HANGS)
    try:
        connection.request("HEAD", place.path)
        return connection.getresponse().getheader("ETag")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def play(seed, job, say):
    dice = random.Random(f"{seed}/{job['number']}")
    content = content_of(seed, job["content"], job["size"])
    asked = choose(dice, job["size"], lambda: tag_at(job["url"]))
    pace = manner(dice, job["size"])
    for turn in range(1, TRIES + 1):
        began = time.monotonic()
        status, outcome, count, note = request(job["url"], asked, content, pace)
        over = outcome not in ("cut", "refused") or turn == TRIES
        say({"number": job["number"], "class": job["class"], "asked": asked.kind, "try": turn, "status": status,
             "outcome": outcome, "bytes": count, "began": began * 1000, "ended": time.monotonic() * 1000,
             "fields": asked.fields, "note": note, "over": over})
        if over:
            return
        time.sleep(0.2 * turn)


def main():
    seed, clients = sys.argv[1], int(sys.argv[2])
    reading, writing = threading.Lock(), threading.Lock()

    def say(line):
        text = json.dumps(line)
        with writing:
            print(text, flush=True)

    def client():
        while True:
            with reading:
                line = sys.stdin.readline()
            if not line:
                return
            play(seed, json.loads(line), say)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
