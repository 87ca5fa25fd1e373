"""`fastdaae sample`."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fastdaae import reporting, run_config, run_folder
from fastdaae.arguments import whole_in
from fastdaae.arrays import to_tensor
from fastdaae.cli.console import say, working
from fastdaae.cli.work.opening import open_model
from fastdaae.cli.work.places import require_file
from fastdaae.data import Dataset
from fastdaae.models import Autoencoder
from fastdaae.reading import require_memory
from fastdaae.reference import as_float
from fastdaae.reporting import dataset_of_run

_SHOWN = 100  # samples of a picture
_BATCH = 1000  # images that are encoded at a time


def sample(*, run, data, n, steps, out, networks, precision, device, seed, root) -> None:
    """Draw samples of a run's model, and write them as arrays and, where they are images, as pictures.

    They begin with draws of the prior, or in a model without one with the run's own images, which are written too.
    """
    path = out or run / run_folder.SAMPLES
    run_folder.refuse_own_files(path, run)
    if out is not None:
        require_file(out, "--out")
    model, config = open_model(run, networks, device)
    how = {"steps": whole_in("steps", steps, 0), "seed": seed, "precision": precision}
    if getattr(model, "prior", None) is None and not hasattr(model, "classify"):
        arrays = _from_images(model, dataset_of_run(run, config, data, root), n, **how)
    else:
        arrays = _from_prior(model, _image_shape(model, config), n, **how)

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)

    run_folder.replace_atomically(path, write)
    count, *shape = next(iter(arrays.values())).shape
    say(f"{', '.join(arrays)}: {count:,} samples each, [N, {', '.join(map(str, shape))}], in {path}")
    _draw(arrays, path)


def _from_prior(model: Any, shape: tuple[int, ...], n: int, *, steps: int, **how) -> dict[str, np.ndarray]:
    keep = (0, steps) if steps else (0,)
    _require_room(len(keep), n, shape)
    with working(f"drawing {n:,} samples, {steps} chain steps"):
        drawn = model.sample(n, steps=steps, keep=keep, **how).cpu()
    return {f"x{t}": x.reshape(n, *shape).numpy() for t, x in zip(keep, drawn, strict=True)}


def _from_images(model: Any, dataset: Dataset, n: int, *, steps: int, seed: int, precision: str):
    """{"originals", then "x0", ... of chains from their codes, or "top_down" from the top of a stack}: [N, ...] each.

    The images are the first n of the test split, or of validation or training where there is none, as a report's.
    """
    part = next(part for part in ("test", "validation", "train") if getattr(dataset, part) is not None)
    images = getattr(dataset, part).images
    images = images[: min(whole_in("n", n, 1), len(images))]
    n, shape = len(images), images.shape[1:]
    target = next(model.parameters()).device
    keep = (0, steps) if steps else (0,)
    _require_room(1 + len(keep), n, shape)
    told = f"{type(model).__name__} has no prior: samples of the first {n:,} {part} images of {dataset.name}"
    with torch.no_grad():
        codes = torch.cat([model.encode(x.to(target)) for x in images.split(_BATCH)])
    if hasattr(model, "sample_top_down") and codes.min() >= 0 and codes.max() <= 1:
        say(f"{told}, from the top of its blocks down through Bernoulli layers, which take no --steps")
        drawn = {"top_down": model.sample_top_down(codes=codes, seed=seed)[0]}
    elif codes.dim() != 2:
        say(f"{told}, only reconstructed: chains take codes that are rows, and here one is {list(codes.shape[1:])}")
        with torch.no_grad():
            drawn = {"x0": torch.cat([model.decode(z) for z in codes.split(_BATCH)])}
    else:
        say(f"{told}, by chains from their codes: x0 are reconstructions")
        chain = model.sample(n, initial=codes, steps=steps, keep=keep, seed=seed, precision=precision)
        drawn = {f"x{t}": x for t, x in zip(keep, chain, strict=True)}
    return {"originals": as_float(images).numpy(), **{k: x.cpu().reshape(n, *shape).numpy() for k, x in drawn.items()}}


def _require_room(sets: int, n: int, shape: tuple[int, ...]) -> None:
    require_memory(sets * n * math.prod(shape) * 4, f"drawing {n:,} samples of {math.prod(shape):,} pixels")


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
