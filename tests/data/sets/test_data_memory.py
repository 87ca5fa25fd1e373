"""Sets that are larger than the free memory are refused before they are read."""

import pytest

from fastdaae import data
from tests.data.sets.test_data_photographs import celeba, cub
from tests.data.small_sets import refuses
from tests.data.test_data_named import write_mnist

CASES = {
    "mnist-rot": (write_mnist, "needs 47.0 MB"),  # the idx files already
    "omniglot": (lambda root: None, "reading omniglot needs 120.9 MB"),
    "sprites": (lambda root: (root / "lpc_parts.zip").write_bytes(b""), "laying the sprites together needs 860.0 MB"),
    "cifar-10": (lambda root: None, "reading cifar-10 needs 368.8 MB"),
    "celeba": (celeba, "reading 7 photographs of "),
    "cub-200": (cub, "reading 3 photographs of "),
    "patches": (lambda root: None, "50,000 patches needs 86.4 MB"),
}


@pytest.mark.parametrize("name", CASES)
def test_sets_are_weighed_first(tmp_path, monkeypatch, name):
    write, told = CASES[name]
    write(tmp_path)
    monkeypatch.setattr("fastdaae.reading.available_memory", lambda: 70_000)
    refuses(lambda: data.load(name, tmp_path), told)
    refuses(
        lambda: data.load(name, tmp_path), "and this machine has 70,000 bytes of memory free; use less data or more"
    )
