"""Codes of one and two numbers of images on a line, a flower at rising brightness: figure 8 of Jow's report."""

import math
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import fastdaae as fd
from fastdaae.corruptions import Corruption, Gaussian
from fastdaae.evaluation import Measure
from fastdaae.experiments.context import Context
from fastdaae.experiments.recipe import Budget, Cell, Order, Recipe, across
from fastdaae.reference import as_float

DATA, PIXELS = "flower", 64 * 64
NOISE = Gaussian(0.4)
HOW: dict[str, Any] = {"optimizer": {"name": "adam", "weight_decay": 1e-7}, "batch_size": 128}
PATH = 200  # codes on the straight path through all codes

mlp = fd.networks.mlp


def stacked(context: Context, code: int, corruption: Corruption | None) -> list[Measure]:
    """The report's stack of two blocks, sigmoid everywhere, down to codes of one or two numbers."""
    flower, hidden = context.dataset(DATA), context.budget["hidden"]
    how: dict[str, Any] = {"corruption": corruption, "loss": "mse"}
    blocks = [
        fd.models.Autoencoder(mlp([inputs, size], output="sigmoid"), mlp([size, inputs], output="sigmoid"), **how)
        for inputs, size in ((PIXELS, hidden), (hidden, code))
    ]
    model = fd.models.StackedAutoencoder(blocks)
    context.pretrain(model, flower, epochs=context.budget["epochs"], lr=2e-3, **HOW)
    return measured(context, model)


def variational(context: Context, code: int) -> list[Measure]:
    """A VAE of the same sizes, whose codes are held to a prior: what the report supposes to be missing."""
    flower, hidden = context.dataset(DATA), context.budget["hidden"]
    decoder = mlp([code, hidden, PIXELS], output="sigmoid")
    model = fd.models.VAE(mlp([PIXELS, hidden, 2 * code]), decoder, loss="mse", deviation=0.1)
    context.train(model, flower, epochs=context.budget["epochs"], lr=1e-3, **HOW)
    return measured(context, model)


def measured(context: Context, model: fd.models.Autoencoder) -> list[Measure]:
    """How well test images are rebuilt, and how much of the line of brightnesses is in the codes and behind them."""
    flower = context.dataset(DATA)
    found, line = context.evaluate(model, flower, ("reconstruction",)), flower.train.images
    images = (flower.test or flower.train).images.to(next(model.parameters()).device)
    with torch.no_grad():
        codes = model.encode(images)
        along, path = straight_path(codes)
        decoded = brightness(model.decode(path), line)
    true = brightness(images, line)
    settings = {"test_images": len(images), "numbers_an_image": codes.shape[1]}
    rank = rank_correlation(along, true)
    order = Measure("rank correlation", "codes and brightness", rank, digits=3, settings=settings)
    # of the path's ends and of its middle alike
    curve = {"place": np.linspace(0, 1, PATH).tolist(), "brightness": decoded.tolist()}
    covered = (decoded.max() - decoded.min()) / (true.max() - true.min())
    settings = {"codes": PATH, "numbers_an_image": codes.shape[1]}
    how: dict[str, Any] = {"unit": "share", "digits": 1, "settings": settings, "curve": curve}
    return [*found, order, Measure("brightness covered", "path through the codes", float(covered), **how)]


def straight_path(codes: Tensor) -> tuple[NDArray[np.float64], Tensor]:
    """Codes [N, Z] along their first principal axis, [N], and codes [PATH, Z] on it from the first to the last."""
    centre = codes.mean(0)
    _, _, axes = torch.linalg.svd((codes - centre).double(), full_matrices=False)
    axis = axes[0].to(codes.dtype)
    along = (codes - centre) @ axis
    places = torch.linspace(float(along.min()), float(along.max()), PATH, dtype=codes.dtype, device=codes.device)
    return along.double().cpu().numpy(), centre + places[:, None] * axis


def brightness(images: Tensor, line: Tensor) -> NDArray[np.float64]:
    """The brightness of images [N, ...], [N], of which the last of the `line` has 1: the best multiple of that."""
    full = as_float(line[-1]).flatten().double()
    return (as_float(images).flatten(1).double().cpu() @ full / full.square().sum()).numpy()


def rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The magnitude of Spearman's rank correlation, in 0..1: a path has no direction. 0 where all codes are one."""
    from scipy import stats

    if np.ptp(one) == 0:
        return 0.0
    found = abs(float(stats.spearmanr(one, other).statistic))
    return found if math.isfinite(found) else 0.0


ORDERED, COVERED = ("rank correlation", "codes and brightness"), ("brightness covered", "path through the codes")

RECIPE = Recipe(
    name="manifold",
    title="A toy manifold: a flower at rising brightness",
    source="Jow, Experiments with Stacked Denoising Autoencoders",
    tables="section 5.2, figure 8",
    cells=[
        Cell("sdae-1", "SDAE, 1-D code", partial(stacked, code=1, corruption=NOISE), (DATA,)),
        Cell("sdae-2", "SDAE, 2-D code", partial(stacked, code=2, corruption=NOISE), (DATA,)),
        Cell("sae-1", "SAE, 1-D code", partial(stacked, code=1, corruption=None), (DATA,)),
        Cell("vae-1", "VAE, 1-D code", partial(variational, code=1), (DATA,)),
    ],
    budgets={
        "smoke": Budget({"hidden": 8, "epochs": 2}, seeds=2, stand_in=64),
        "short": Budget({"hidden": 300, "epochs": 20}),
        "paper": Budget({"hidden": 1000, "epochs": 50}),
    },
    orders=[
        Order("the path through 2-D codes covers at least as much as 1-D", across(*COVERED, "sdae-2", "sdae-1")),
        Order("codes held to a prior cover at least as much", across(*COVERED, "vae-1", "sdae-1")),
    ],
    notes=(
        "The report shows pictures and no numbers: almost no variation from 1-D codes, some from 2-D codes.",
        "The dandelion is a drawing of 64 x 64 pixels; the report's is a photograph of 128 x 128.",
        "The path is the straight line through the codes' mean along their first principal axis, between the outermost "
        "test images; its brightness is that of the best multiple of the flower.",
    ),
)
