"""What a client of the soak asks for, and which answers are right."""

from collections import namedtuple

BEYOND = (416,)
# `ranges`: those that a 206 may have. `statuses`: the other right ones, beside 200.
Asked = namedtuple("Asked", "kind method fields ranges statuses", defaults=((), ()))


def range_of(dice, size):
    """A Range field, the parts that it selects, and whether it may be answered with 416."""
    last = max(0, size - 1)
    first = dice.randint(0, last)
    end = min(last, first + dice.choice([0, 100, 5000, 200_000]))
    kind = dice.random()
    if size == 0 or kind < 0.05:
        return f"bytes={size + 3}-", (), BEYOND
    if kind < 0.2:
        return f"bytes={first}-", ((first, last),), ()
    if kind < 0.35:
        count = dice.randint(1, size + 10)
        return f"bytes=-{count}", ((max(0, size - count), last),), ()
    if kind < 0.45:
        return f"bytes={first}-{size + 1000}", ((first, last),), ()
    if kind < 0.55:
        return f"bytes=0-0,{first}-{end}", ((0, 0), (first, end), (0, end)), ()
    return f"bytes={first}-{end}", ((first, end),), ()


def choose(dice, size, tag):
    """What a job asks. `tag` fetches the current entity tag when it is needed."""
    kind = dice.random()
    if kind < 0.5:
        return Asked("whole", "GET", {})
    if kind < 0.75:
        value, ranges, statuses = range_of(dice, size)
        return Asked("beyond" if statuses == BEYOND else "part", "GET", {"Range": value}, ranges, statuses)
    if kind < 0.85:
        return Asked("head", "HEAD", {})
    name = dice.choice(["If-None-Match", "If-Match", "If-Range"])
    own = tag() if dice.random() < 0.6 else None
    fields, ranges, statuses = {name: own or '"another"'}, (), ()
    if name == "If-None-Match" and own:
        statuses = (304,)
    elif name == "If-Match":
        statuses = (412,)
    elif name == "If-Range":
        fields["Range"], ranges, statuses = range_of(dice, size)
    return Asked("beyond" if statuses == BEYOND else "condition", "GET", fields, ranges, statuses)
