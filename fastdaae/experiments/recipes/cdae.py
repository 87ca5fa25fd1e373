"""Convolutional autoencoders with and without noise, fine-tuned: Tables 4 and 5 of Jow's report."""

from functools import partial
from typing import Any, NamedTuple

import fastdaae as fd
from fastdaae import networks
from fastdaae.corruptions import Gaussian
from fastdaae.evaluation import Measure
from fastdaae.experiments.context import Context
from fastdaae.experiments.recipe import Budget, Cell, Figure, Order, Recipe, across, printed
from fastdaae.models import Autoencoder, Classifier, StackedAutoencoder

SIGMA, BATCH = 0.4, 128
OPTIMIZER = {"name": "adam", "weight_decay": 1e-7}
MNIST, NOISY, BOTH, CIFAR, CUB = "mnist", "mnist-bg-rand", "mnist-bg-rand-rot", "cifar-10", "cub-200"


class Block(NamedTuple):
    """A block of a stack: the shape of what it takes, its filters, their kernel, and what its decoder ends in."""

    shape: tuple[int, ...]
    filters: tuple[int, ...]
    kernel: int
    output: str | None

    def build(self, sigma: float | None) -> Autoencoder:
        """The block, which reconstructs its own input, from x + N(0, sigma^2)."""
        pooled_once = self.output == "sigmoid"
        encoder = networks.cae_block_encoder if pooled_once else networks.cae_encoder
        decoder = networks.cae_block_decoder if pooled_once else networks.cae_decoder
        given = self.shape, self.filters, self.kernel
        parts = encoder(*given), decoder(*given, output=self.output)
        said = None if pooled_once else "linear"
        corruption = None if sigma is None else Gaussian(sigma)
        return Autoencoder(*parts, corruption=corruption, loss="mse", decoder_output=said)


class Form(NamedTuple):
    """A stack of the report's code: what pretrains it, its blocks, its head, both learning rates, epochs' key."""

    data: str
    blocks: tuple[Block, ...]
    head: tuple[int, ...]
    lr: float
    classifier_lr: float
    epochs: str


DIGITS = Form(
    MNIST,
    (Block((28, 28), (8, 16), 7, "sigmoid"), Block((16, 14, 14), (16, 16), 5, "sigmoid")),
    head=(784, 1000, 10),
    lr=5e-3,
    classifier_lr=1e-3,
    epochs="digits",
)
OBJECTS = Form(
    CIFAR,
    (Block((3, 32, 32), (8, 16, 32), 3, None),),
    head=(512, 1000, 10),
    lr=5e-4,
    classifier_lr=1e-3,
    epochs="colours",
)
BIRDS = Form(
    CUB,
    (Block((3, 128, 128), (8, 16, 32), 5, None), Block((32, 16, 16), (64, 128, 256), 5, "relu")),
    head=(1024, 2000, 1000, 200),
    lr=2e-4,
    classifier_lr=5e-4,
    epochs="colours",
)


def fine_tuned(context: Context, form: Form, data: str, name: str, sigma: float | None) -> list[Measure]:
    """A stack, pretrained once for all cells of a seed, then a classifier on its codes, the encoder trained too."""
    how: dict[str, Any] = {"optimizer": OPTIMIZER, "batch_size": BATCH}
    pretrain_epochs, epochs = context.budget[form.epochs]
    stack = StackedAutoencoder([block.build(sigma) for block in form.blocks])
    own, shared = context.dataset(form.data), f"{name}-{form.data}"
    context.pretrain(stack, own, shared=shared, lr=form.lr, epochs=pretrain_epochs, **how)
    found = context.evaluate(stack, own, ("reconstruction",)) if data == form.data else []
    model = Classifier(stack, fd.networks.mlp(form.head))
    context.train(model, context.dataset(data), lr=form.classifier_lr, epochs=epochs, **how)
    return [*found, *context.evaluate(model, context.dataset(data), ("accuracy",))]


ACCURACY = ("test accuracy", "classifier")
NAMES = {MNIST: "mnist", NOISY: "bg-rand", BOTH: "bg-rand-rot", CUB: "cub", CIFAR: "cifar"}
PRINTED = {  # of the CAE and the CDAE
    MNIST: ("Table 4", 0.9925, 0.9930),
    NOISY: ("Table 4", 0.9764, 0.9807),
    BOTH: ("Table 4", 0.9271, 0.9483),
    CIFAR: ("Table 5", 0.6395, 0.6504),
    CUB: ("Table 5", 0.2193, 0.2381),
}


def _cells(data: str) -> list[Cell]:
    form, name = {CIFAR: OBJECTS, CUB: BIRDS}.get(data, DIGITS), NAMES[data]
    needs, row = tuple(dict.fromkeys((form.data, data))), partial(fine_tuned, form=form, data=data)
    return [
        Cell(f"cae-{name}", f"{name}: CAE", partial(row, name="cae", sigma=None), needs),
        Cell(f"cdae-{name}", f"{name}: CDAE", partial(row, name="cdae", sigma=SIGMA), needs),
    ]


def _figures(data: str) -> list[Figure]:
    table, plain, denoising = PRINTED[data]
    return printed(table, *ACCURACY, {f"cae-{NAMES[data]}": plain, f"cdae-{NAMES[data]}": denoising})


RECIPE = Recipe(
    name="cdae",
    title="Convolutional autoencoders with and without noise",
    source="Jow, Experiments with Stacked Denoising Autoencoders",
    tables="Tables 4 and 5",
    cells=[cell for data in PRINTED for cell in _cells(data)],
    budgets={
        # epochs of each block, and of the classifier
        "smoke": Budget({"digits": (1, 1), "colours": (1, 1)}, seeds=2, stand_in=40),
        "short": Budget({"digits": (1, 1), "colours": (5, 5)}),
        "paper": Budget({"digits": (50, 50), "colours": (100, 100)}),
    },
    figures=[figure for data in PRINTED for figure in _figures(data)],
    orders=[
        Order(f"accuracy on {name}: CDAE >= CAE", across(*ACCURACY, f"cdae-{name}", f"cae-{name}"))
        for name in NAMES.values()
    ],
    optional=(CIFAR, CUB),
    notes=(
        "The report prints no architecture: the blocks are those of its public code, pretrained on plain MNIST for all "
        "its variants, on CIFAR-10 and on CUB themselves; classifiers are trained on each, the encoder too.",
        "In the code the MNIST decoders begin with a transposed convolution; those of colour images upsample, as the "
        "report prefers.",
    ),
)
