"""`fastdaae sample`."""

import math
from pathlib import Path

import numpy as np

from fastdaae import reporting, run_config, run_folder
from fastdaae.arrays import to_tensor
from fastdaae.cli.console import say, working
from fastdaae.cli.work.opening import open_model
from fastdaae.cli.work.places import require_file
from fastdaae.models import Autoencoder
from fastdaae.reading import require_memory

_SHOWN = 100  # samples of a picture


def sample(*, run, n, steps, out, networks, precision, device, seed) -> None:
    """Draw samples of a run's model, and write them as arrays and, where they are images, as pictures."""
    path = out or run / run_folder.SAMPLES
    run_folder.refuse_own_files(path, run)
    if out is not None:
        require_file(out, "--out")
    model, config = open_model(run, networks, device)
    shape = _image_shape(model, config)
    keep = (0, steps) if steps else (0,)
    require_memory(len(keep) * n * math.prod(shape) * 4, f"drawing {n:,} samples of {math.prod(shape):,} pixels")
    with working(f"drawing {n:,} samples, {steps} chain steps"):
        drawn = model.sample(n, steps=steps, keep=keep, seed=seed, precision=precision).cpu()
    arrays = {f"x{t}": x.reshape(n, *shape).numpy() for t, x in zip(keep, drawn, strict=True)}

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)

    run_folder.replace_atomically(path, write)
    say(f"{', '.join(arrays)}: {n:,} samples each, [N, {', '.join(map(str, shape))}], in {path}")
    _draw(arrays, path)


def _image_shape(model: Autoencoder, config: dict) -> tuple[int, ...]:
    """The shape of a run's images; that of what its decoder makes, for runs of earlier versions that note none."""
    noted = getattr(model, "image_shape", None) or run_config.image_shape(config)
    return tuple(model.sample(1)[0].shape) if noted is None else noted


def _draw(arrays: dict[str, np.ndarray], path: Path) -> None:
    shape = next(iter(arrays.values())).shape[1:]
    if not _is_picture(shape):
        say(f"no picture: rows of {list(shape)} are no images [H, W] or [3, H, W]")
        return
    for name, x in arrays.items():
        picture = path.with_name(f"{path.stem}-{name}.png")
        reporting.image_grid(to_tensor(x[:_SHOWN]), picture)
        say(f"the first {min(len(x), _SHOWN)} of {name} in {picture}")


def _is_picture(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and shape[0] in (1, 3))
