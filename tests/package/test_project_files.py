"""CITATION.cff, CHANGELOG.md and CONTRIBUTING.md: well-formed, of this version, and about files that exist."""

import re

import pytest

import fastdaae as fd
from tests import tools


def read(name: str) -> str:
    return (tools.ROOT / name).read_text(encoding="utf-8")


def scalar(text: str) -> str:
    """A plain or quoted value as YAML reads it; raises ValueError where it would read something else."""
    quoted = re.fullmatch(r'"([^"\\]*)"', text)
    if not quoted and (re.search(r": | #|^[\"'&*!|>%@`\[\]{},#?]", text) or text.endswith(":")):
        raise ValueError(f"{text!r} must be quoted")
    return quoted[1] if quoted else text


def block_yaml(lines: list[tuple[int, str]], depth: int = 0) -> dict | list | str:
    """Block mappings and lists of scalars, all that a citation needs; takes its (indentation, text) lines."""
    if lines[0][1].startswith("- "):
        items = []
        while lines and lines[0][0] == depth and lines[0][1].startswith("- "):
            lines[0] = (depth + 2, lines[0][1][2:])
            items.append(block_yaml(lines, depth + 2))
        return items
    if not re.match(r"[a-z-]+:( |$)", lines[0][1]):
        return scalar(lines.pop(0)[1])
    found: dict = {}
    while lines and lines[0][0] == depth:
        key, _, value = lines.pop(0)[1].partition(":")
        assert re.fullmatch(r"[a-z-]+", key) and key not in found, key
        found[key] = scalar(value.strip()) if value.strip() else block_yaml(lines, lines[0][0])
    return found


def test_the_citation_is_valid():
    lines = [
        (len(line) - len(line.lstrip()), line.strip()) for line in read("CITATION.cff").splitlines() if line.strip()
    ]
    found = block_yaml(lines)
    assert not lines and found["cff-version"] == "1.2.0" and found["version"] == fd.__version__
    assert {"message", "title", "authors", "license", "references"} <= found.keys() and found["type"] == "software"
    assert len(found["references"]) >= 5
    for reference in found["references"]:
        assert reference["type"] in ("article", "conference-paper", "generic") and reference["title"], reference
        assert re.fullmatch(r"(19|20)\d\d", reference["year"])
        assert all({"family-names", "given-names"} == author.keys() for author in reference["authors"])
    cited = {author["family-names"] for reference in found["references"] for author in reference["authors"]}
    assert {"Creswell", "Makhzani", "Vincent", "Levina", "Facco"} <= cited


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CHANGELOG.md"])
def test_files_and_commands_that_are_named_exist(name):
    text = read(name)
    named = {part for part in re.findall(r"`([\w./-]+)`", text) if "/" in part or part.endswith((".py", ".md", ".cff"))}
    missing = [part for part in named if not (tools.ROOT / part).exists()]
    assert named and not missing
    targets = set(re.findall(r"^([\w-]+):", read("Makefile"), flags=re.M))
    commands = {word for line in re.findall(r"^make (.*?)(?: +#.*)?$", text, flags=re.M) for word in line.split()}
    assert commands <= targets


def test_each_way_to_contribute_has_five_steps():
    sections = re.split(r"^## ", read("CONTRIBUTING.md"), flags=re.M)
    steps = {section.splitlines()[0]: re.findall(r"^(\d)\. ", section, flags=re.M) for section in sections[1:]}
    for title in ("An operator", "A model", "A data set"):
        assert steps[title] == list("12345"), title


def test_the_changelog_has_this_version():
    headings = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", read("CHANGELOG.md"), flags=re.M)
    assert headings[0] == "Unreleased" and headings[1] == fd.__version__
    kinds = set(re.findall(r"^### (\w+)$", read("CHANGELOG.md"), flags=re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
