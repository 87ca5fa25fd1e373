"""Text files of columns between blanks, as data sets list their images in."""

from os import PathLike
from pathlib import Path

from fastdaae.data.formats.packed import read_packed

_MOST = 1 << 27  # bytes of such a file; CelebA's longest has a fifth of that


def read_table(path: str | PathLike, columns: int | None) -> list[list[str]]:
    """The words of each line of a text file, without empty lines; `columns` words each, or any number where None.

    Raises OSError for a file that cannot be opened, ValueError, in one line with the file's name, for one that is no
    UTF-8, empty, far too long, or has another number of words in a line.
    """
    path = Path(path)
    try:
        lines = read_packed(path, _MOST).decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be a text file in UTF-8: {error}; download it again") from error
    rows = [line.split() for line in lines if line.strip()]
    if not rows:
        raise ValueError(f"{path} must have lines, got none; download it again")
    number = next((number for number, row in enumerate(rows, 1) if columns is not None and len(row) != columns), None)
    if number is not None:
        raise ValueError(
            f"{path} must have {columns} words in each line, got {len(rows[number - 1])} in line {number}; download it "
            "again"
        )
    return rows
