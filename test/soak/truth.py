"""The truth about every content, and what a request for it may be answered with.

The content NAME of a run with seed S is SHAKE-256 of "S/NAME", as many bytes as it is long. The feeds
of the run compute the same by content.ts; nothing else is shared.
"""

import hashlib
import re


def content_of(seed, name, size):
    return hashlib.shake_256(f"{seed}/{name}".encode()).digest(size)


class Wrong(Exception):
    """The response ended, or is complete so far, with something that is not the content."""


class Cut(Exception):
    """The response broke off, and its client knows."""


def fields_of(response):
    return {name.lower(): value for name, value in response.getheaders()}


def body_of(response, pace):
    """Yields a body in pieces. Raises Cut unless all that the head promises arrives."""
    length = response.getheader("Content-Length")
    left = None if length is None else int(length)
    while left != 0:
        try:
            piece = response.read1(65536 if left is None else min(65536, left))
        except Exception as error:  # a reset, a broken chunk
            raise Cut(type(error).__name__) from error
        if not piece:
            break
        left = left and left - len(piece)
        pace(len(piece))
        yield piece
    if left:
        raise Cut(f"{left} bytes are missing")


def compare(response, expected, pace):
    """Compares a body, byte for byte, as it arrives."""
    at = 0
    differs = None
    for piece in body_of(response, pace):
        if differs is None and piece != expected[at : at + len(piece)]:
            differs = at
        at += len(piece)
    if differs is not None:
        raise Wrong(f"differs after byte {differs}")
    if at != len(expected):
        raise Wrong(f"{at} bytes instead of {len(expected)}")


RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)$")


def place_of(content_range, content):
    """The bytes that a part claims to be."""
    found = RANGE.match(content_range or "")
    if not found:
        raise Wrong(f"Content-Range: {content_range}")
    first, last, total = int(found[1]), int(found[2]), found[3]
    if total not in ("*", str(len(content))) or not first <= last < len(content):
        raise Wrong(f"Content-Range: {content_range} of {len(content)} bytes")
    return first, last


def compare_parts(response, content, pace):
    """Compares each part of a multipart body."""
    boundary = re.search(r'boundary="?([^";]+)', response.getheader("Content-Type"))[1]
    whole = b"".join(body_of(response, pace))
    sections = (b"\r\n" + whole).split(b"\r\n--" + boundary.encode())
    if len(sections) < 3 or not sections[-1].startswith(b"--"):
        raise Wrong("multipart without its end")
    for section in sections[1:-1]:
        head, _, body = section.partition(b"\r\n\r\n")
        claim = re.search(rb"(?i)^content-range: *(.*?)\r?$", head, re.MULTILINE)
        first, last = place_of(claim and claim[1].decode(), content)
        if body != content[first : last + 1]:
            raise Wrong(f"part {first}-{last} differs")


def judge(response, asked, content, pace):
    """Raises Wrong or Cut unless the answer is right. Returns False for a refusal."""
    status = response.status
    fields = fields_of(response)
    if status == 200 and asked.method == "HEAD":
        if fields.get("content-length", str(len(content))) != str(len(content)):
            raise Wrong(f"Content-Length {fields['content-length']} of {len(content)} bytes")
    elif status == 200:
        compare(response, content, pace)
    elif status == 206 and asked.ranges:
        if fields.get("content-type", "").startswith("multipart/byteranges"):
            compare_parts(response, content, pace)
        else:
            first, last = place_of(fields.get("content-range"), content)
            if (first, last) not in asked.ranges:
                raise Wrong(f"part {first}-{last} was not asked for")
            compare(response, content[first : last + 1], pace)
    elif status not in asked.statuses:
        if status < 400 or status in (412, 416):
            raise Wrong(f"status {status}")
        return False
    return True
