"""The data sets of a recipe, read once; or generated ones in their place."""

import os
from pathlib import Path
from typing import Any

from fastdaae import data
from fastdaae.data import Dataset


class Sets:
    """Data sets by name: those in the folder `root`, or stand-ins of `stand_in` training images."""

    def __init__(self, root: Path | None, stand_in: int | None):
        self._root, self._stand_in = root, stand_in
        self._read: dict[tuple[str, tuple], Dataset] = {}

    def load(self, name: str, **options: Any) -> Dataset:
        """The data set of a name; `options` are those of its loader, and generated sets have none."""
        key = name, () if self._stand_in is not None else tuple(sorted(options.items()))
        if key not in self._read:
            self._read[key] = self._made(name, options)
        return self._read[key]

    def _made(self, name: str, options: dict[str, Any]) -> Dataset:
        if self._stand_in is not None:
            return data.stand_in(name, images=self._stand_in)
        return data.load(name, root=self._root, **options)

    def missing(self, names: tuple[str, ...]) -> dict[str, str]:
        """Why those of the names that cannot be read cannot."""
        found = {}
        for name in names:
            try:
                self.load(name)
            except (OSError, ValueError) as error:
                found[name] = str(error)
        return found

    def notes_of(self, dataset: Any) -> dict[str, Any]:
        """What a later command finds a data set by; nothing for a generated one, and for one that was not read here."""
        named = [key for key, known in self._read.items() if known is dataset]
        if self._stand_in is not None or not named:
            return {}
        root, (name, options) = self._root or os.environ.get("FASTDAAE_DATA"), named[0]
        chosen = {"data_options": dict(options)} if options else {}
        return {"data": name, "root": str(Path(root).resolve()) if root else None, **chosen}
