"""Where a command may write, asked before it computes."""

from pathlib import Path

from fastdaae.reading import require_regular


def require_folder(path: Path, option: str) -> None:
    """Raises ValueError unless a folder is at `path` or can be made there."""
    nearest = _nearest(path)
    if not nearest.is_dir():
        raise ValueError(f"{option} must be a folder, got {path}, where {nearest} is a file; choose another")


def require_file(path: Path, option: str) -> None:
    """Raises ValueError unless a file can be written at `path`: a new one, or in the place of a regular one."""
    if path.exists():
        require_regular(path.stat().st_mode, f"{option} {path}")
    require_folder(path.parent, f"{option}'s folder")


def _nearest(path: Path) -> Path:
    """The path itself, or the first folder above it, that exists."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists() or place.is_symlink())
