"""AAE, DAAE and iDAAE on Omniglot: Tables I and II, figures 3 and 4 of Creswell and Bharath 2018."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

import fastdaae as fd
from fastdaae.data import Dataset
from fastdaae.evaluation import Measure, few_way_accuracy, svm_accuracy
from fastdaae.evaluation.codes.representation import principal_components, projected
from fastdaae.experiments.context import Context
from fastdaae.experiments.recipe import Budget, Cell, Order, Recipe, across, printed

CODE, NOISE, COPIES, BATCH = 200, fd.corruptions.Gaussian(0.5), 5, 64
# section VI-C1: "6, 3 and 2 fully connected layers respectively", of decoder, encoder and discriminator
DECODER, ENCODER, DISCRIMINATOR = 6, 3, 2
KEPT = (0, 1, 5, 9)  # steps of the chain
NEW_SAMPLES = 1 << 32  # between the seed of the samples that choose a bandwidth, and of those scored with it
ENCODED = 1000  # images at a time


def adversarial(context: Context, make: Callable, **choices: Any) -> list[Measure]:
    """A model of Tables I and II, trained and measured."""
    omniglot, budget = _characters(context), context.budget
    pixels, width = omniglot.train.images[0].numel(), budget["hidden"]
    model = make(
        fd.networks.mlp([pixels, *[width] * ENCODER, CODE]),
        fd.networks.mlp([CODE, *[width] * DECODER, pixels], output="sigmoid"),
        fd.networks.mlp([CODE, *[width] * DISCRIMINATOR, 1]),
        prior=fd.priors.Normal(CODE),
        **choices,
    )
    context.train(model, omniglot, lr=budget["lr"], batch_size=BATCH, epochs=budget["epochs"])

    @torch.no_grad()
    def encoded(images: Tensor) -> Tensor:
        return torch.cat([model.encode(x.to(context.device)).cpu() for x in images.split(ENCODED)])

    reconstructed = context.evaluate(model, omniglot, ("reconstruction",))
    return [*reconstructed, *told_apart(context, omniglot, encoded), *likelihoods(context, model, omniglot)]


def components(context: Context) -> list[Measure]:
    """As many principal components as a code has numbers, in its place."""
    omniglot = _characters(context)
    fitted = principal_components(omniglot.train.images, CODE)
    return told_apart(context, omniglot, partial(projected, fitted))


def _characters(context: Context) -> Dataset:
    """The first characters of each part, or all of them."""
    return context.dataset("omniglot", size=context.budget["size"], classes=context.budget["classes"])


def told_apart(context: Context, omniglot: Dataset, coded: Callable[[Tensor], Any]) -> list[Measure]:
    """Table II: the test images' characters by an RBF SVM, and 20-way tasks of new ones by linear SVMs."""
    parts: Any = omniglot
    train, test = (coded(part.images) for part in (parts.train, parts.test))
    accuracy = svm_accuracy(train, parts.train.labels, test, parts.test.labels)
    counts = {"classes": len(parts.train.labels.unique()), "training_images": len(train), "test_images": len(test)}
    tasks, new = context.budget["tasks"], coded(parts.evaluation.images)
    of_tasks = few_way_accuracy(new, parts.evaluation.labels, tasks=tasks, seed=context.seed)
    return [
        Measure(*TEST, accuracy, unit="share", settings=counts),
        Measure(*TWENTY, *of_tasks, unit="share", settings={"tasks": tasks, "images": len(new)}),
    ]


def likelihoods(context: Context, model: Any, omniglot: Dataset) -> list[Measure]:
    """Appendix F-A: the bandwidth is the best on the testing set, which then is scored under a new set of samples.

    The evaluation set, of other characters, is scored under the first.
    """
    device, count = context.device, context.budget["samples"]
    test, evaluation = (getattr(omniglot, part).images.to(device) for part in ("test", "evaluation"))
    how = {"steps": KEPT[-1], "keep": KEPT, "precision": context.precision}
    first, second = (model.sample(count, seed=context.seed + later, **how) for later in (0, NEW_SAMPLES))
    found = []
    for step, samples, others in zip(KEPT, first, second, strict=True):
        chosen = fd.ParzenWindow().fit(samples, validation=test)
        scored = fd.ParzenWindow(chosen.bandwidth_).fit(others)
        for part, window, images in (("test", scored, test), ("evaluation", chosen, evaluation)):
            settings = {"samples": count, "bandwidth": window.bandwidth_, "images": len(images)}
            values = window.mean_log_likelihood(images)
            found.append(Measure(LIKELIHOOD, _of(step, part), *values, unit="nats", digits=1, settings=settings))
    return found


def _of(step: int, part: str) -> str:
    return f"x({step}), {part} set"


def _budget(size: int, classes: int | None, hidden: int, lr: float, epochs: int, tasks: int, **more: Any) -> Budget:
    """Images of size x size pixels of the first `classes` characters, and layers of `hidden` units."""
    settings = {"size": size, "classes": classes, "hidden": hidden, "lr": lr, "epochs": epochs, "tasks": tasks}
    return Budget({**settings, "samples": 1_000}, **more)


def _cell(name: str, title: str, make: Callable, **choices: Any) -> Cell:
    return Cell(name, title, partial(adversarial, make=make, **choices), data=("omniglot",))


RECONSTRUCTION, LIKELIHOOD = ("reconstruction MSE", "corrupted input"), "log-likelihood"
TEST, TWENTY = ("test accuracy", "SVM"), ("20-way accuracy", "linear SVM, one left out")

RECIPE = Recipe(
    name="daae-omniglot",
    title="AAE, DAAE and iDAAE on Omniglot",
    source="Creswell and Bharath 2018, Denoising Adversarial Autoencoders",
    tables="Tables I and II, figures 3 and 4",
    cells=[
        _cell("aae", "AAE", fd.AAE),
        _cell("daae", "DAAE", fd.DAAE, corruption=NOISE),
        _cell("idaae", "iDAAE, M = 5", fd.IDAAE, corruption=NOISE, copies=COPIES),
        Cell("pca", "PCA", components, data=("omniglot",)),
    ],
    budgets={
        "smoke": _budget(28, None, 32, 2e-4, 1, 1, seeds=2, stand_in=380),
        "short": _budget(28, 200, 1000, 2e-4, 20, 10),
        "paper": _budget(105, None, 1000, 1e-5, 1000, 30),
    },
    figures=[
        *printed("Table I", *RECONSTRUCTION, {"aae": 0.047, "daae": 0.029, "idaae": 0.031}),
        *printed("Table II", *TEST, {"aae": 0.1836, "daae": 0.3174, "idaae": 0.3402, "pca": 0.3102}),
        *printed("Table II", *TWENTY, {"aae": 0.7875, "daae": 0.83, "idaae": 0.7825, "pca": 0.7675}),
    ],
    orders=[
        Order(
            "reconstruction error: DAAE <= iDAAE <= AAE", across(*RECONSTRUCTION, "daae", "idaae", "aae"), lower=True
        ),
        Order("test accuracy: iDAAE >= DAAE >= PCA >= AAE", across(*TEST, "idaae", "daae", "pca", "aae")),
        Order("20-way accuracy: DAAE >= AAE >= iDAAE >= PCA", across(*TWENTY, "daae", "aae", "idaae", "pca")),
        Order(
            "likelihood of x(0), evaluation set: iDAAE >= AAE", across(LIKELIHOOD, _of(0, "evaluation"), "idaae", "aae")
        ),
        Order(
            "likelihood, evaluation set: the DAAE's x(1) >= AAE >= the DAAE's x(0)",
            across(LIKELIHOOD, _of(1, "evaluation"), "daae") + across(LIKELIHOOD, _of(0, "evaluation"), "aae", "daae"),
        ),
        Order(
            "likelihood of the DAAE, evaluation set: x(1) >= x(5)",
            across(LIKELIHOOD, _of(1, "evaluation"), "daae") + across(LIKELIHOOD, _of(5, "evaluation"), "daae"),
        ),
        Order(
            "likelihood of the DAAE, test set: x(5) >= x(1)",
            across(LIKELIHOOD, _of(5, "test"), "daae") + across(LIKELIHOOD, _of(1, "test"), "daae"),
        ),
    ],
    notes=(
        "Table I is said to be of corrupted test images. The AAE trains without noise, and here its images are not "
        "corrupted, as the paper says of those of MNIST: its task is the less challenging one.",
        "Figure 3 prints likelihoods as bars without numbers, so that orders alone can be compared.",
        "The paper does not name the drawer that tests, and has one task of 20 classes; here the twentieth drawer "
        "tests, and several tasks are averaged.",
        "The budget short has 200 characters of 28 x 28 pixels and a learning rate of 2e-4; the paper 964, 105 x 105.",
    ),
)
