"""Denoising autoencoders on Fashion-MNIST: the tutorial's convolutional one, and the textbook chapter's two."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import fastdaae as fd
from fastdaae.corruptions import Corruption, Gaussian
from fastdaae.evaluation import Estimate, Measure
from fastdaae.experiments.context import Context
from fastdaae.experiments.recipe import Budget, Cell, Figure, Order, Place, Recipe, across
from fastdaae.noise import Site
from fastdaae.reference import as_float

SHAPE = (28, 28)
TUTORIAL, CHAPTER = Gaussian(0.1, clip=(0, 1)), Gaussian(0.25, clip=(0, 1))
MEASURES = ("reconstruction", "linear svm", "retrieval", "clustering")
_BATCH = 1000


def denoise(
    context: Context,
    networks: Callable[[], tuple[nn.Module, nn.Module]],
    noise: Corruption,
    trained_with: Corruption | None,
    settings: str,
) -> list[Measure]:
    """A denoising autoencoder, trained by the budget's `settings`, and what it makes of test images under `noise`."""
    fashion = context.dataset("fashion-mnist")
    encoder, decoder = networks()
    model = fd.models.Autoencoder(encoder, decoder, corruption=trained_with, loss="mse")
    context.train(model, fashion, **context.budget[settings])
    found = context.evaluate(model, fashion, MEASURES, svm_images=context.budget["svm_images"])
    assert fashion.test is not None
    return [*found, *_denoised(model, fashion.test.images, noise, context.seed), *_sizes(model)]


@torch.no_grad()
def _denoised(model: Any, images: Tensor, noise: Corruption, seed: int) -> list[Measure]:
    """The mean squared error of images [N, 28, 28] under the noise, and of what the model makes of those."""
    device, errors = next(model.parameters()).device, []
    drawn = fd.Noise(seed, device=device)
    for start in range(0, len(images), _BATCH):
        x = images[start : start + _BATCH].to(device)
        noisy = fd.ops.corrupt(x, noise, drawn, row_offset=start, site=Site.EVALUATION)[0]
        errors.append(torch.stack([(one - as_float(x)).square().mean((1, 2)) for one in (model(noisy), noisy)]))
    told: dict[str, Any] = {
        "unit": "pixel²",
        "digits": 4,
        "settings": {"corruption": str(noise), "test_images": len(images)},
    }
    found = zip(("reconstructions", "noisy images"), torch.cat(errors, 1).cpu(), strict=True)
    return [Measure("denoising MSE", of, *Estimate.of(each.double().numpy()), **told) for of, each in found]


def _sizes(model: fd.models.Autoencoder) -> list[Measure]:
    """Numbers of the networks as Keras counts them, batch norm's moving mean and variance among them."""
    return [
        Measure(
            "numbers", name, sum(tensor.numel() for tensor in network.state_dict().values() if tensor.dim()), digits=0
        )
        for name, network in (("encoder", model.encoder), ("decoder", model.decoder))
    ]


def _tutorial() -> tuple[nn.Module, nn.Module]:
    return fd.networks.tutorial_encoder(SHAPE), fd.networks.tutorial_decoder(SHAPE)


def _chapter() -> tuple[nn.Module, nn.Module]:
    return fd.networks.textbook_encoder(SHAPE), fd.networks.textbook_decoder(SHAPE)


def _dense() -> tuple[nn.Module, nn.Module]:
    return fd.networks.mlp([784, 512, 64], output="relu"), fd.networks.mlp([64, 512, 784], output="sigmoid")


def _cell(name: str, title: str, networks: Callable, noise: Corruption, settings: str, denoising: bool = True) -> Cell:
    how: dict[str, Any] = {"networks": networks, "noise": noise, "settings": settings}
    how["trained_with"] = noise if denoising else None
    return Cell(name, title, partial(denoise, **how), data=("fashion-mnist",))


def _budget(epochs: int, chapter_epochs: int, lr: float, svm_images: int, **more) -> Budget:
    adam = {"name": "adam", "betas": (0.99, 0.999)}
    tutorial = {"optimizer": adam, "lr": lr, "batch_size": 64, "epochs": epochs}
    chapter = {"optimizer": "adamw", "lr": 1e-3, "batch_size": 128, "epochs": chapter_epochs}
    return Budget({"tutorial": tutorial, "chapter": chapter, "svm_images": svm_images}, **more)


LEFT, NOISY = ("denoising MSE", "reconstructions"), ("denoising MSE", "noisy images")

RECIPE = Recipe(
    name="dae-fashion",
    title="Denoising autoencoders on Fashion-MNIST",
    source="OpenGenus, Denoising Autoencoders (tutorial); textbook chapter, Denoising Autoencoders",
    tables="the tutorial's two summaries and figure 6",
    cells=[
        _cell("tutorial", "the tutorial's DAE", _tutorial, TUTORIAL, "tutorial"),
        _cell("tutorial-ae", "the same without noise", _tutorial, TUTORIAL, "tutorial", denoising=False),
        _cell("chapter", "the chapter's convolutional DAE", _chapter, CHAPTER, "chapter"),
        _cell("chapter-dense", "the chapter's DAE, 784-512-64", _dense, CHAPTER, "chapter"),
    ],
    budgets={
        "smoke": _budget(1, 1, 1e-3, 200, seeds=2, stand_in=64),
        # at 3e-6 one epoch moves no weight by more than 0.003
        "short": _budget(3, 3, 1e-3, 2_000),
        "paper": _budget(20, 20, 3e-6, 20_000),
    },
    figures=[
        Figure("tutorial", "numbers", "encoder", 93_568, "first summary"),
        Figure("tutorial", "numbers", "decoder", 92_943, "second summary"),
    ],
    orders=[
        Order(
            "noisy images are worse than what the tutorial's DAE makes of them",
            (Place("tutorial", *LEFT), Place("tutorial", *NOISY)),
            lower=True,
        ),
        Order("a DAE takes away more noise than an AE", across(*LEFT, "tutorial", "tutorial-ae"), lower=True),
        Order(
            "convolutions take away more noise than dense layers", across(*LEFT, "chapter", "chapter-dense"), lower=True
        ),
    ],
    notes=(
        "The tutorial prints no numbers but its networks' sizes, and trains on all 60,000 images; here 50,000 train.",
        "The budget short trains the tutorial's networks at a learning rate of 1e-3 instead of 3e-6, at which an epoch "
        "moves no weight by more than 0.003; the chapter gives no number of epochs and no data set.",
    ),
)
