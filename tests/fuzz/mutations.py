"""Ways to damage a file: its bytes, the structure of its JSON, the headers and members of its archive."""

import copy
import io
import json
import zipfile
from random import Random

_INTERESTING = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"PK",
)
_DEEP = "[" * 100_000
_HUGE = 10**400
_VALUES = (
    *(None, True, False, 0, 1, -1, 2, 7, 0.5, -0.0, 1e308, -1e308, 1e-320, 10**9, 10**15, 2**63, -(2**63), _HUGE),
    *(float("nan"), float("inf"), float("-inf"), "", "x", "é\ud800", "[/b]", "x" * 3000, "a\nb\x1b[31m", "1"),
    *(
        [],
        {},
        [[]],
        [1],
        [0, 1],
        [None],
        ["a", 3.5],
        {"name": "Normal"},
        {"name": None},
        {"": 0},
        [[[[{}]]]],
        {"reason": "it diverged"},
    ),
)


def of_bytes(rng: Random, content: bytes) -> bytes:
    """One to four of: flip, overwrite, insert, delete, repeat, truncate; half of them among the first 200 bytes."""
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(min(len(content), rng.choice((200, len(content)))) or 1) if content else 0
        kind = rng.randrange(6)
        if kind == 0 and content:
            content[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            content[at : at + rng.choice((1, 4))] = rng.choice(_INTERESTING)
        elif kind == 2:
            content[at:at] = rng.choice((rng.randbytes(rng.randrange(1, 9)), rng.choice(_INTERESTING)))
        elif kind == 3:
            del content[at : at + rng.choice((1, 2, 4, 100))]
        elif kind == 4:
            content[at:at] = content[at : at + rng.randrange(1, 64)] * rng.choice((1, 2, 50))
        else:
            del content[rng.randrange(len(content) + 1) :]
    return bytes(content)


def of_json(rng: Random, content: bytes) -> bytes:
    """A JSON text with keys dropped, renamed or added, and values exchanged for those of other types and sizes."""
    value = json.loads(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = _edit(rng, value)
    text = json.dumps(value).replace('"<deep>"', _DEEP)
    return text.encode()


def of_json_lines(rng: Random, content: bytes) -> bytes:
    """Lines of JSON, of which some are edited, dropped, repeated or no JSON."""
    lines = content.splitlines()
    for _ in range(rng.choice((1, 2))):
        at, kind = rng.randrange(len(lines)), rng.randrange(5)
        if kind == 0:
            lines.insert(at, rng.choice((b"", b"null", b"5", b"{", b"\xff", _DEEP.encode(), lines[at])))
        elif kind == 1 and len(lines) > 1:
            del lines[at]
        else:
            lines[at] = of_json(rng, lines[at]) if lines[at][:1] == b"{" and _is_json(lines[at]) else b"{}"
    return b"\n".join(lines) + rng.choice((b"", b"\n"))


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _places(value, parent=None, key=None) -> list[tuple]:
    """(container, key) of every item inside a JSON value."""
    found = [] if parent is None else [(parent, key)]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for inner, item in items:
        found += _places(item, value, inner)
    return found


def _edit(rng: Random, value):
    places = _places(value)
    if not places or rng.random() < 0.02:
        return copy.deepcopy(rng.choice(_VALUES))
    container, key = rng.choice(places)
    kind = rng.randrange(8)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[rng.choice((key.upper(), "", key + "_", "name"))] = container.pop(key)
    elif kind == 2:
        other, other_key = rng.choice(places)
        container[key] = copy.deepcopy(other[other_key])
    elif kind == 3 and isinstance(container, list):
        container.extend(container[: rng.randrange(3)])
    elif kind == 4 and isinstance(container[key], int | float):
        container[key] = rng.choice((container[key] + 1, -container[key], container[key] * 1000, str(container[key])))
    elif kind == 5 and rng.random() < 0.1:
        container[key] = "<deep>"
    else:
        container[key] = copy.deepcopy(rng.choice(_VALUES))
    return value


def of_npy(rng: Random, content: bytes) -> bytes:
    """An .npy file whose header announces another shape, type, order, version or length."""
    start = 10 if content[6] == 1 else 12
    length = int.from_bytes(content[8:start], "little")
    text, data = content[start : start + length].decode("latin1"), content[start + length :]
    old, new = rng.choice(
        (
            ("(", f"({rng.choice((0, -1, 1, 10**6, 10**12, 10**30, True, None, '1.5', ''))}, "),
            (
                "'descr': '",
                f"'descr': '{rng.choice(('|O', '<f8', '>c16', '|V0', '|S0', '<U9', '|b1', 'M8[s]', '|V99', ''))}",
            ),
            ("'descr': ", f"'descr': {rng.choice(('[]', '1', 'None', chr(40) * 150, '-' * 9000))} #"),
            ("False", rng.choice(("True", "1", "0", "None", "{}"))),
            ("'shape'", rng.choice(("'shapes'", "b'shape'", "['shape']", "'descr'"))),
            ("}", rng.choice(("", "} # more", "}}", ", 'x': 1}", "\x00"))),
        )
    )
    text = text.replace(old, new, 1)
    version = rng.choice((content[6], content[6], 1, 2, 3, 9))
    announced = rng.choice((len(text), len(text), len(text), 0, 65535, 2**32 - 1))
    width = 2 if version == 1 else 4
    size = (announced % (1 << 8 * width)).to_bytes(width, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + text.encode("latin1") + data


def of_npz(rng: Random, content: bytes) -> bytes:
    """An archive of which a member is damaged, renamed, repeated or added; or the archive's own bytes."""
    if rng.random() < 0.4:
        return of_bytes(rng, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    at = rng.randrange(len(members))
    name, data = members[at]
    kind = rng.randrange(6)
    if kind <= 2:
        members[at] = (name, (of_npy if kind else of_bytes)(rng, data))
    elif kind == 3:
        members[at] = (rng.choice(("", "x", "../x.npy", "labels.npy", "a" * 300 + ".npy", name + "/")), data)
    elif kind == 4:
        members.append(rng.choice(members))
    else:
        members = rng.choice(([], members[:1], [*members, ("images.npy", b"")], [*members, ("y.npy", data)]))
    made = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members:
            archive.writestr(name or "x", data)
    return made.getvalue()


def of_safetensors(rng: Random, content: bytes) -> bytes:
    """A safetensors file with an edited header, or edited JSON in the header's metadata."""
    length = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    metadata = header["__metadata__"]
    if rng.random() < 0.6:
        key = rng.choice(list(metadata))
        metadata[key] = of_json(rng, metadata[key].encode()).decode()
        text = json.dumps(header).encode()
    else:
        text = of_json(rng, json.dumps(header).encode())
    announced = rng.choice((len(text),) * 4 + (0, 2**40, 2**63, len(text) + 8))
    return announced.to_bytes(8, "little") + text + data


def with_sorted_header(content: bytes) -> bytes:
    """The same safetensors file with its header in order, which safetensors writes in another one each time."""
    length = int.from_bytes(content[:8], "little")
    text = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]
