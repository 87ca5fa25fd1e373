"""AAE, DAAE and iDAAE on MNIST: Tables III to VI and figures 12 and 13 of Creswell and Bharath 2018."""

from collections.abc import Callable
from functools import partial

import fastdaae as fd
from fastdaae.evaluation import Measure
from fastdaae.experiments.context import Context
from fastdaae.experiments.recipe import Budget, Cell, Order, Recipe, across, printed

NOISE = fd.corruptions.Gaussian(0.5)
CODE, RING = fd.priors.Normal(10), fd.priors.RingMixture()
LR, BATCH = 2e-4, 64
KEPT = (0, 1, 5, 9)  # steps of the chain
MEASURES = ("reconstruction", "log-likelihood", "classification")


def adversarial(context: Context, make: Callable, prior=CODE, initial=None, **choices) -> list[Measure]:
    """A model of Table III, trained and measured; its chain starts from `initial`, by default the prior."""
    mnist, budget = context.dataset("mnist"), context.budget
    hidden = [budget["hidden"]] * 2
    model = make(
        fd.networks.mlp([784, *hidden, prior.dim]),
        fd.networks.mlp([prior.dim, *hidden, 784], output="sigmoid"),
        fd.networks.mlp([prior.dim, *hidden, 1]),
        prior=prior,
        **choices,
    )
    context.train(model, mnist, lr=LR, batch_size=BATCH, epochs=budget["epochs"])
    how = {"samples": budget["samples"], "steps": KEPT, "initial": initial, "svm_images": budget["svm_images"]}
    return context.evaluate(model, mnist, MEASURES, **how)


def _cell(name: str, title: str, make: Callable, **choices) -> Cell:
    return Cell(name, title, partial(adversarial, make=make, **choices), data=("mnist",))


RECONSTRUCTION = ("reconstruction MSE", "corrupted input")
FIRST, FIFTH = ("log-likelihood", "x(0)"), ("log-likelihood", "x(5)")
ON_CODES, ON_COMPONENTS = ("test accuracy", "SVM on codes"), ("test accuracy", "SVM on PCA")

RECIPE = Recipe(
    name="daae-mnist",
    title="AAE, DAAE and iDAAE on MNIST",
    source="Creswell and Bharath 2018, Denoising Adversarial Autoencoders",
    tables="Tables III-VI, figures 12 and 13",
    cells=[
        _cell("aae", "AAE", fd.AAE),
        _cell("daae", "DAAE", fd.DAAE, corruption=NOISE),
        # section E-D: the ring's chain starts from N(0, I)
        _cell("daae-ring", "DAAE, ring prior", fd.DAAE, corruption=NOISE, prior=RING, initial=fd.priors.Normal(2)),
        _cell("idaae-5", "iDAAE, M = 5", fd.IDAAE, corruption=NOISE, copies=5),
        _cell("idaae-25", "iDAAE, M = 25", fd.IDAAE, corruption=NOISE, copies=25),
    ],
    budgets={
        "smoke": Budget({"hidden": 32, "epochs": 1, "samples": 100, "svm_images": 200}, seeds=2, stand_in=256),
        "short": Budget({"hidden": 1000, "epochs": 2, "samples": 10_000, "svm_images": 10_000}),
        "paper": Budget({"hidden": 1000, "epochs": 100, "samples": 10_000, "svm_images": 50_000}),
    },
    figures=[
        *printed(
            "Table IV",
            *RECONSTRUCTION,
            {"aae": 0.017, "daae": 0.023, "daae-ring": 0.043, "idaae-5": 0.022, "idaae-25": 0.026},
            standard_error=0.001,
        ),
        *printed("Table V", *FIRST, {"aae": 529, "daae": 529, "daae-ring": 9, "idaae-5": 532, "idaae-25": 508}),
        *printed("Table V", *FIFTH, {"daae": 444, "daae-ring": 205}),
        *printed(
            "Table VI",
            *ON_CODES,
            {"aae": 0.9519, "daae": 0.9528, "daae-ring": 0.7381, "idaae-5": 0.9648, "idaae-25": 0.9624},
        ),
        *printed("Table VI", *ON_COMPONENTS, {"aae": 0.9473}),
    ],
    orders=[
        Order(
            "reconstruction error: AAE <= iDAAE M = 5 <= DAAE <= DAAE ring",
            across(*RECONSTRUCTION, "aae", "idaae-5", "daae", "daae-ring"),
            lower=True,
        ),
        Order("reconstruction error: M = 5 <= M = 25", across(*RECONSTRUCTION, "idaae-5", "idaae-25"), lower=True),
        Order("likelihood of x(0): iDAAE M = 5 >= AAE >= DAAE", across(*FIRST, "idaae-5", "aae", "daae")),
        Order("likelihood of the DAAE: x(0) >= x(5)", across(*FIRST, "daae") + across(*FIFTH, "daae")),
        Order("likelihood of the ring: x(5) >= x(0)", across(*FIFTH, "daae-ring") + across(*FIRST, "daae-ring")),
        Order("accuracy: iDAAE M = 5 >= DAAE >= AAE", across(*ON_CODES, "idaae-5", "daae", "aae")),
        Order("accuracy: AAE >= PCA", across(*ON_CODES, "aae") + across(*ON_COMPONENTS, "aae")),
    ],
    notes=(
        "The paper's likelihoods are on another scale: 10,000 real images score about 241 nats. Compare orders and "
        "differences, with the row of the real images.",
        "Table IV is of test images corrupted with the noise of training. The AAE has none: in the paper, as here, its "
        "images are not corrupted before they are encoded, and its task is the less challenging one.",
    ),
)
