"""Where the sets' files are looked for, and that docs/data.md tells of every set, its place and its checksums."""

import re

import pytest

from fastdaae import data
from fastdaae.data import places
from tests import tools

DOCS = (tools.ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def rows(name: str) -> list[str]:
    return [line for line in DOCS.splitlines() if line.startswith("|") and f"`{name}`" in line.split("|")[1]]


@pytest.mark.parametrize("name", data.names())
def test_every_set_is_in_the_docs_with_its_shape(name):
    described = rows(name)[0].split("|")
    shape = list(data.stand_in(name, 40).train.images.shape[1:])
    assert described[2].strip().startswith(str(shape)), described


@pytest.mark.parametrize("name", places.SOURCES)
def test_every_source_is_in_the_docs_with_its_checksums(name):
    source, told = places.SOURCES[name], rows(name)[-1]
    assert source.published in told
    assert dict(re.findall(r"`([\w.-]+)` ([0-9a-f]{32})", told)) == source.checksums


@pytest.mark.parametrize(
    ("name", "root", "expected"),
    [
        ("mnist", "/data", ["/data/mnist", "/data"]),
        ("mnist", "/data/mnist", ["/data/mnist/mnist", "/data/mnist"]),
        ("fashion-mnist", "/data/MNIST", ["/data/MNIST/fashion-mnist"]),
        ("cifar-10", "/omniglot", [f"/omniglot/{folder}" for folder in places.SOURCES["cifar-10"].folders]),
        ("patches", None, []),
    ],
)  # fmt: skip
def test_folders_called_after_another_set_are_not_searched(monkeypatch, name, root, expected):
    monkeypatch.delenv("FASTDAAE_DATA", raising=False)
    assert [str(folder) for folder in places.folders(name, root)] == expected
    monkeypatch.setenv("FASTDAAE_DATA", root or "")
    assert [str(folder) for folder in places.folders(name, None)] == expected
