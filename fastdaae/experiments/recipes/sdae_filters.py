"""One-layer autoencoders and what noise makes of their filters: figures 1 to 3 of Jow's report."""

from functools import partial

import fastdaae as fd
from fastdaae.corruptions import Corruption, Gaussian, Masking, SaltAndPepper
from fastdaae.evaluation import Measure
from fastdaae.experiments.context import Context
from fastdaae.experiments.recipe import Budget, Cell, Order, Recipe, across

PATCHES, MNIST = "patches", "mnist"
UNITS, BATCH = 120, 128
MEASURES = ("reconstruction", "filters")


def one_layer(
    context: Context, data: str, corruption: Corruption | None, lr: float, pepper: float | None = None
) -> list[Measure]:
    """An autoencoder with one hidden layer of sigmoid units, trained and measured.

    `pepper` is the share of salt and pepper, as dark and as bright as the data become.
    """
    dataset, budget = context.dataset(data), context.budget
    images = dataset.train.images
    if pepper is not None:
        corruption = SaltAndPepper(pepper, low=float(images.min()), high=float(images.max()))
    pixels = images[0].numel()
    # whitened patches are no probabilities
    output = None if data == PATCHES else "sigmoid"
    model = fd.models.Autoencoder(
        fd.networks.mlp([pixels, UNITS], output="sigmoid"),
        fd.networks.mlp([UNITS, pixels], output=output),
        corruption=corruption,
        loss="mse",
        decoder_output="linear" if output is None else None,
    )
    decay = 0.0 if data == PATCHES else 1e-7
    epochs = budget[MNIST if data == MNIST else "none" if corruption is None else type(corruption).__name__]
    optimizer = {"name": "adam", "weight_decay": decay}
    context.train(model, dataset, optimizer=optimizer, lr=lr, batch_size=BATCH, epochs=epochs)
    return context.evaluate(model, dataset, MEASURES)


def _cell(
    name: str, title: str, data: str, corruption: Corruption | None, lr: float, pepper: float | None = None
) -> Cell:
    return Cell(name, title, partial(one_layer, data=data, corruption=corruption, lr=lr, pepper=pepper), (data,))


# shares of filters that beat all shuffles of their own pixels, in one or in all three; none is left out where it fails
KINDS = {
    "Gabor-like": ("localised, oriented, bandpass filters", "first layer"),
    "oriented": ("oriented filters", "first layer"),
    "localised": ("localised filters", "first layer"),
}
NOISES = {"Gaussian": "patches-gaussian", "salt and pepper": "patches-salt", "masking": "patches-masking"}
STROKES_AND_BLOTS = ("oriented", "localised")


def _order(of: str, kind: str, noise: str, noisy: str, plain: str) -> Order:
    return Order(f"filters on {of}, {kind}: {noise} noise >= none", across(*KINDS[kind], noisy, plain))


def _epochs(dense: int, pepper: int, masking: int, mnist: int) -> dict[str, int]:
    """The epochs of each cell: on patches by corruption, and on MNIST."""
    return {"none": dense, "Gaussian": dense, "SaltAndPepper": pepper, "Masking": masking, MNIST: mnist}


RECIPE = Recipe(
    name="sdae-filters",
    title="Filters of one-layer autoencoders on natural patches and MNIST",
    source="Jow, Experiments with Stacked Denoising Autoencoders",
    tables="figures 1-3",
    cells=[
        _cell("patches-ae", "patches: no noise", PATCHES, None, 0.01),
        _cell("patches-gaussian", "patches: Gaussian 0.4", PATCHES, Gaussian(0.4), 0.01),
        _cell("patches-salt", "patches: salt and pepper 25 %", PATCHES, None, 6e-3, pepper=0.25),
        _cell("patches-masking", "patches: masking 65 %", PATCHES, Masking(0.65), 4e-3),
        _cell("mnist-ae", "MNIST: no noise", MNIST, None, 0.01),
        _cell("mnist-gaussian", "MNIST: Gaussian 0.4", MNIST, Gaussian(0.4), 0.01),
    ],
    budgets={
        "smoke": Budget(_epochs(dense=1, pepper=1, masking=1, mnist=1), seeds=2, stand_in=256),
        "short": Budget(_epochs(dense=50, pepper=50, masking=150, mnist=50)),
        # as many patches as 100 epochs of 2,510,010, 100 of 70,560 and 500 of 70,560
        "paper": Budget(_epochs(dense=5020, pepper=141, masking=706, mnist=100)),
    },
    orders=[
        *(_order("patches", kind, noise, cell, "patches-ae") for noise, cell in NOISES.items() for kind in KINDS),
        *(_order("MNIST", kind, "Gaussian", "mnist-gaussian", "mnist-ae") for kind in STROKES_AND_BLOTS),
    ],
    notes=(
        "The report shows filters and prints no number. It claims Gabor-like filters on patches with Gaussian noise "
        "and low structure without, on MNIST detectors of strokes and blots; of salt and pepper and of masking it "
        "shows filters without a word. Concentration and orientation are of a filter's spectrum, extent of its energy, "
        "each beside the same filters with their pixels shuffled; Gabor-like are those that beat all their shuffles in "
        "all three.",
        "Without Olshausen and Field's images the patches are those of two photographs, whitened in the same way.",
        "Patches have the variance of about 0.1 that Olshausen and Field's images were scaled to, which the report's "
        "code takes as they are: a deviation of 0.32, so that noise of 0.4 is greater than the signal.",
        "An epoch of the report's code has every patch of ten images, 2,510,010 (every sixth row and column, 70,560, "
        "for salt and pepper and masking); here it has 50,000, and the budget paper has as many epochs as see as many "
        "patches.",
        "Salt and pepper are the least and the greatest value of the training patches, as in the report's code.",
        "Each cell's run has its filters as a figure in its report.",
    ),
)
