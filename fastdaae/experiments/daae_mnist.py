"""AAE, DAAE and iDAAE on MNIST: Tables III to VI and figures 12 and 13 of Creswell and Bharath 2018."""

from collections.abc import Callable
from functools import partial

import fastdaae as fd
from fastdaae.evaluation import Measure
from fastdaae.evaluation.measure import REAL
from fastdaae.experiments.context import Context
from fastdaae.experiments.recipe import Budget, Cell, Figure, Order, Place, Recipe

SIGMA, HIDDEN, CODE = 0.5, 1000, 10
LR, BATCH = 2e-4, 64
KEPT = (0, 1, 5, 9)  # steps of the chain

RECONSTRUCTION, LIKELIHOOD, ACCURACY = "reconstruction MSE", "log-likelihood", "test accuracy"
INPUT, CODES, COMPONENTS = "corrupted input", "SVM on codes", "SVM on PCA"


def adversarial(context: Context, make: Callable, prior=None, initial=None, **choices) -> list[Measure]:
    """One model of Table III, trained and measured; its chain starts from `initial`, by default the prior."""
    mnist, budget = context.dataset("mnist"), context.budget
    prior = fd.priors.Normal(CODE) if prior is None else prior
    pixels, wide = mnist.train.images[0].numel(), [budget["hidden"]] * 2
    model = make(
        fd.networks.mlp([pixels, *wide, prior.dim]),
        fd.networks.mlp([prior.dim, *wide, pixels], output="sigmoid"),
        fd.networks.mlp([prior.dim, *wide, 1]),
        prior=prior,
        **choices,
    )
    model = context.train(model, mnist, lr=LR, batch_size=BATCH, epochs=budget["epochs"])
    how = {"samples": budget["samples"], "steps": KEPT, "initial": initial, "svm_images": budget["svm_images"]}
    return context.evaluate(model, mnist, ("reconstruction", "log-likelihood", "classification"), **how)


NOISE = fd.corruptions.Gaussian(SIGMA)
RING = {"prior": fd.priors.RingMixture(), "initial": fd.priors.Normal(2)}
MODELS = {
    "aae": ("AAE", partial(adversarial, make=fd.AAE)),
    "daae": ("DAAE", partial(adversarial, make=fd.DAAE, corruption=NOISE)),
    "daae-ring": ("DAAE, ring prior", partial(adversarial, make=fd.DAAE, corruption=NOISE, **RING)),
    "idaae-5": ("iDAAE, M = 5", partial(adversarial, make=fd.IDAAE, corruption=NOISE, copies=5)),
    "idaae-25": ("iDAAE, M = 25", partial(adversarial, make=fd.IDAAE, corruption=NOISE, copies=25)),
}

PRINTED = {
    (RECONSTRUCTION, INPUT, "Table IV"): (0.017, 0.023, 0.043, 0.022, 0.026),
    (LIKELIHOOD, "x(0)", "Table V"): (529, 529, 9, 532, 508),
    (LIKELIHOOD, "x(5)", "Table V"): (None, 444, 205, None, None),
    (ACCURACY, CODES, "Table VI"): (0.9519, 0.9528, 0.7381, 0.9648, 0.9624),
    (ACCURACY, COMPONENTS, "Table VI"): (0.9473, None, None, None, None),
}


def _at(measure: str, of: str, *cells: str) -> tuple[Place, ...]:
    return tuple(Place(cell, measure, of) for cell in cells)


RECIPE = Recipe(
    name="daae-mnist",
    title="AAE, DAAE and iDAAE on MNIST",
    source="Creswell and Bharath 2018, Denoising Adversarial Autoencoders",
    tables="Tables III-VI, figures 12 and 13",
    cells=[Cell(name, title, run, ("mnist",)) for name, (title, run) in MODELS.items()],
    budgets={
        "smoke": Budget({"hidden": 32, "epochs": 1, "samples": 100, "svm_images": 200}, seeds=2, stand_in=256),
        "short": Budget({"hidden": HIDDEN, "epochs": 1, "samples": 10_000, "svm_images": 10_000}),
        "paper": Budget({"hidden": HIDDEN, "epochs": 100, "samples": 10_000, "svm_images": 50_000}),
    },
    figures=[
        Figure(cell, measure, of, value, table, 0.001 if measure == RECONSTRUCTION else None)
        for (measure, of, table), values in PRINTED.items()
        for cell, value in zip(MODELS, values, strict=True)
        if value is not None
    ],
    orders=[
        Order("AAE reconstructs best, then iDAAE", _at(RECONSTRUCTION, INPUT, "aae", "idaae-5", "idaae-25"), True),
        Order("iDAAE M = 5 >= DAAE, first samples", _at(LIKELIHOOD, "x(0)", "idaae-5", "daae")),
        Order(
            "the DAAE's chain does not improve its samples",
            (*_at(LIKELIHOOD, "x(0)", "daae"), *_at(LIKELIHOOD, "x(5)", "daae")),
        ),
        Order(
            "the ring's chain improves what starts from N(0, I)",
            (*_at(LIKELIHOOD, "x(5)", "daae-ring"), *_at(LIKELIHOOD, "x(0)", "daae-ring")),
        ),
        Order("real images >= iDAAE M = 5", (Place("idaae-5", LIKELIHOOD, REAL), *_at(LIKELIHOOD, "x(0)", "idaae-5"))),
        Order("iDAAE >= DAAE >= AAE, accuracy", _at(ACCURACY, CODES, "idaae-5", "daae", "aae")),
        Order("codes >= PCA", (*_at(ACCURACY, CODES, "idaae-5"), *_at(ACCURACY, COMPONENTS, "aae"))),
    ],
    notes=(
        "The paper's likelihoods are not on the scale of these: 10,000 real images score about 241 nats; compare orders "
        "and differences, and the row of the real images.",
        "The paper corrupts no input of the AAE, whose reconstruction is easier for it.",
    ),
)
