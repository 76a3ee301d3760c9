"""Reads INI files with Python's configparser. Input and output are one JSON object per line.

Input: {"text": …, "dialect": "safe" | "lenient"}. Output: {section: {key: value}}, with null
for a value that cannot be interpolated.
"""
import configparser
import json
import re
import sys

KEY = re.compile(r"%\([^)]*\)s")


class Lenient(configparser.Interpolation):
    """configparser.LegacyInterpolation, removed in Python 3.13: a value with "%(" is a % format."""

    def before_get(self, parser, section, option, value, defaults):
        for _ in range(configparser.MAX_INTERPOLATION_DEPTH):
            if "%(" not in value:
                break
            value = KEY.sub(lambda found: found.group().lower(), value) % defaults
        if "%(" in value:
            raise configparser.InterpolationDepthError(option, section, value)
        return value


DIALECTS = {
    "safe": configparser.BasicInterpolation,
    "lenient": getattr(configparser, "LegacyInterpolation", Lenient),
}


def value_of(parser, section, key):
    try:
        return parser.get(section, key)
    except (configparser.InterpolationError, KeyError, ValueError, TypeError):
        return None


def read(text, dialect):
    # Python 2 accepts repeated sections and keys.
    parser = configparser.ConfigParser(strict=False, interpolation=DIALECTS[dialect]())
    parser.read_string(text)
    # In Pulp's own files only a section's own keys count: Pulp sets its defaults in each.
    keys = (lambda name: parser._sections[name]) if dialect == "safe" else parser.options
    return {name: {key: value_of(parser, name, key) for key in keys(name)} for name in parser.sections()}


for line in sys.stdin:
    print(json.dumps(read(**json.loads(line))), flush=True)
