"""The commands on runs, as they are typed: train, sample, evaluate, report, and the demo that does all of them."""

from pathlib import Path
from typing import Annotated

from typer import Context, Option

from fastdaae.cli.done_by import done_by
from fastdaae.cli.option_files import take_options
from fastdaae.cli.options import Bandwidths, Device, Networks, Precision, Root, RunData, RunFolder, Seed


@done_by("training")
def train(
    out: Annotated[Path, Option(help="The run's folder; an interrupted run there is resumed.")],
    config: Annotated[
        str | None,
        Option(
            metavar="<run.toml or recipe/cell>",
            is_eager=True,
            callback=take_options,
            help="Where to start from: a file of these options (lr = 1e-3), or a cell of a recipe as `fastdaae "
            "reproduce` trains it (daae-mnist/idaae-5). What is typed wins.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        Option(
            help="A data set's name, an .npy or .npz file, or a folder of images (default: digits, or --pretrained's)."
        ),
    ] = None,
    model: Annotated[
        str | None,
        Option(
            help="autoencoder (which denoises), aae, daae, idaae, vae, noise-transformer, stacked (trained layer by "
            "layer), or classifier (default: idaae, or with --pretrained classifier)."
        ),
    ] = None,
    pretrained: Annotated[
        Path | None, Option(help="The run whose encoder a classifier is fine-tuned from, on the data's labels.")
    ] = None,
    architecture: Annotated[
        str, Option(help="mlp (fully connected), or convolutional: cae, tutorial, dcgan, textbook.")
    ] = "mlp",
    networks: Annotated[
        str | None,
        Option(
            metavar="<file.py:make>",
            help="Your own networks: the function is called with image_shape and code, those of them that it takes, "
            "and returns a dictionary of modules: encoder, decoder, discriminator.",
        ),
    ] = None,
    decoder_output: Annotated[
        str | None,
        Option(help="Of an own decoder that does not end in nn.Sigmoid: logits, probabilities or linear."),
    ] = None,
    loss: Annotated[str, Option(help="bce (images in [0, 1]) or mse.")] = "bce",
    corruption: Annotated[
        str | None,
        Option(
            help="gaussian:0.5, clipped:0.5 (the same, clipped to [0, 1]), masking:0.3, salt-and-pepper:0.25, "
            "patches:8x8,2, shuffling:4 or none (default: gaussian:0.5, for models that need none: none)."
        ),
    ] = None,
    sigma: Annotated[float | None, Option(help="The same as --corruption gaussian:SIGMA, in [0, 1] pixels.")] = None,
    copies: Annotated[int, Option(help="M, the Monte-Carlo copies of an idaae.")] = 5,
    beta: Annotated[float, Option(help="The weight of a vae's KL divergence.")] = 1.0,
    warm_up: Annotated[int | None, Option(help="Steps in which that weight rises from 0 (default: none).")] = None,
    weight: Annotated[
        float | None,
        Option(help="Lambda of a noise-transformer, which needs it: the reward of noise, in units of the loss."),
    ] = None,
    floor: Annotated[float, Option(help="The least deviation of a noise-transformer's noise.")] = 0.4,
    epochs: Annotated[int, Option(help="Passes over the training images (of a stacked model's each block).")] = 100,
    prior: Annotated[str, Option(help="normal, or ring (ten 2-D Gaussians).")] = "normal",
    code: Annotated[int, Option(help="Dimensions of the code under the normal prior.")] = 10,
    hidden: Annotated[
        str | None,
        Option(
            help="Sizes of the hidden layers, of a stacked model its blocks' codes (default: 1000,1000; a classifier's "
            "head: 1000)."
        ),
    ] = None,
    batch_size: Annotated[int, Option(help="Images a step.")] = 64,
    lr: Annotated[float, Option(help="Learning rate.")] = 2e-4,
    optimizer: Annotated[str, Option(help="adam, adamw, rmsprop or sgd.")] = "adam",
    schedule: Annotated[str, Option(help="constant, linear or cosine.")] = "constant",
    form: Annotated[str, Option(help="paper, or released (the authors' code).")] = "paper",
    adversarial_loss: Annotated[
        str | None, Option(help="Of the encoder: saturating (the paper's) or non_saturating (default: the form's).")
    ] = None,
    precision: Precision = "fp32",
    device: Device = "auto",
    seed: Seed = 0,
    root: Root = None,
    context: Context = None,
) -> None:
    """Train a model on a data set; the paper's MNIST settings by default."""


@done_by("sampling")
def sample(
    run: RunFolder,
    data: RunData = None,
    n: Annotated[int, Option(help="How many samples.")] = 10_000,
    steps: Annotated[int, Option(help="Steps of the decode-corrupt-encode chain.")] = 5,
    out: Annotated[Path | None, Option(help="The .npz file to write (default: samples.npz in the run).")] = None,
    networks: Networks = None,
    precision: Precision = "fp32",
    device: Device = "auto",
    seed: Seed = 0,
    root: Root = None,
) -> None:
    """Draw x(0) and x(steps) from a trained model, as an .npz file and a picture of the first hundred.

    A model without a prior begins with its data set's test images, which are kept beside as "originals"; a stack draws
    from its top down.
    """


@done_by("evaluating")
def evaluate(
    run: RunFolder,
    data: RunData = None,
    measures: Annotated[
        str | None,
        Option(help="What to measure, by name, as in retrieval,clustering (default: what is usual for the model)."),
    ] = None,
    samples: Annotated[int, Option(help="Samples for likelihood and dimension.")] = 10_000,
    steps: Annotated[int, Option(help="Chain steps of the second sample set.")] = 5,
    k: Annotated[int, Option(help="Neighbours for the intrinsic dimension.")] = 100,
    seeds: Annotated[int, Option(help="Draws of samples, each from a seed of its own, for the spread.")] = 1,
    bandwidths: Bandwidths = None,
    networks: Networks = None,
    precision: Precision = "fp32",
    device: Device = "auto",
    seed: Seed = 0,
    root: Root = None,
) -> None:
    """Measure a trained model: reconstruction, likelihood, classification, dimension, beside the real data."""


@done_by("evaluating")
def report(
    run: RunFolder,
    data: RunData = None,
    networks: Networks = None,
    device: Device = "auto",
    seed: Seed = 0,
    root: Root = None,
) -> None:
    """Write a run's report: one self-contained HTML page, and its figures beside it."""


@done_by("training")
def demo(
    out: Annotated[Path, Option(help="The demo's folder.")] = Path("runs/demo"),
    epochs: Annotated[int, Option(help="Passes over the 1,297 training digits.")] = 150,
    seed: Seed = 0,
    context: Context = None,
) -> None:
    """Train an iDAAE on scikit-learn's digits, sample it, measure it and write its report; needs no data and no GPU."""
