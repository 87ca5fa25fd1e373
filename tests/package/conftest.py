"""A small run, trained once for all tests that edit its files."""

import pytest

from tests.package.edited_runs import train


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    return train(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(original, tmp_path):
    """A copy of the run's folder."""
    for file in original.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path
