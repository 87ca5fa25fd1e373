"""Commands on runs: train, sample, evaluate, report, and the demo that does all of them."""

import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from typer import Argument, Option

import fastdaae as fd
from fastdaae import reporting, run_config, run_folder
from fastdaae.arrays import to_tensor
from fastdaae.cli.console import say, show, working
from fastdaae.cli.places import require_file, require_folder
from fastdaae.cli.tables import evaluation_table
from fastdaae.evaluation import evaluate as evaluate_model
from fastdaae.evaluation import read_evaluation, write_evaluation
from fastdaae.models.config import parameters_of
from fastdaae.models.names import find, names
from fastdaae.reading import require_memory
from fastdaae.reporting import staleness
from fastdaae.training.checkpoint import read_history

RunFolder = Annotated[Path, Argument(help="The folder of a run, as written by `fastdaae train --out`.")]
Root = Annotated[Path | None, Option(help="Where data sets lie (default: the environment's FASTDAAE_DATA).")]
Seed = Annotated[int, Option(help="Seed of all random numbers.")]
PRIORS = ("normal", "ring")
_TRAINING_BYTES = 16  # of a parameter, its gradient and Adam's two means


def _build(kind: str, pixels: int, hidden: list[int], code: int, prior: str, sigma: float, choices: dict):
    """A model of fully connected networks; of all that there is to choose it takes what its constructor asks for."""
    known = {name.lower(): name for name in names("model")}
    if kind not in known:
        raise ValueError(f"--model must be one of {', '.join(known)}, got {kind!r}")
    if prior not in PRIORS:
        raise ValueError(f"--prior must be one of {', '.join(PRIORS)}, got {prior!r}")
    distribution = fd.priors.RingMixture() if prior == "ring" else fd.priors.Normal(code)
    code = distribution.dim
    make = find("model", known[kind])
    taken = parameters_of(make)
    sizes = {
        "encoder": [pixels, *hidden, code],
        "decoder": [code, *reversed(hidden), pixels],
        "discriminator": [code, *hidden, 1],
    }
    sizes = {name: layers for name, layers in sizes.items() if name in taken}
    numbers = sum(rows * columns for layers in sizes.values() for rows, columns in pairwise(layers))
    require_memory(_TRAINING_BYTES * numbers, f"training networks with hidden layers {hidden} and a code of {code}")
    arguments = {"prior": distribution, "corruption": fd.corruptions.Gaussian(sigma), **choices}
    networks = {
        name: fd.networks.mlp(layers, output="sigmoid" if name == "decoder" else None) for name, layers in sizes.items()
    }
    return make(**networks, **{name: value for name, value in arguments.items() if name in taken})


def _hidden(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ValueError(f"--hidden must be layer sizes such as 1000,1000, got {text!r}") from None


def train(
    out: Annotated[Path, Option(help="The run's folder; an interrupted run there is resumed.")],
    data: Annotated[str, Option(help="A data set's name, an .npy or .npz file, or a folder of images.")] = "digits",
    model: Annotated[str, Option(help="autoencoder (which denoises), aae, daae or idaae.")] = "idaae",
    copies: Annotated[int, Option(help="M, the Monte-Carlo copies of an idaae.")] = 5,
    epochs: Annotated[int, Option(help="Passes over the training images.")] = 100,
    sigma: Annotated[float, Option(help="Deviation of the Gaussian corruption, in [0, 1] pixels.")] = 0.5,
    prior: Annotated[str, Option(help="normal, or ring (ten 2-D Gaussians).")] = "normal",
    code: Annotated[int, Option(help="Dimensions of the code under the normal prior.")] = 10,
    hidden: Annotated[str, Option(help="Sizes of the hidden layers.")] = "1000,1000",
    batch_size: Annotated[int, Option(help="Images a step.")] = 64,
    lr: Annotated[float, Option(help="Learning rate.")] = 2e-4,
    optimizer: Annotated[str, Option(help="adam, adamw, rmsprop or sgd.")] = "adam",
    schedule: Annotated[str, Option(help="constant, linear or cosine.")] = "constant",
    form: Annotated[str, Option(help="paper, or released (the authors' code).")] = "paper",
    precision: Annotated[str, Option(help="fp32 or bf16.")] = "fp32",
    device: Annotated[str, Option(help="auto, cpu or cuda.")] = "auto",
    seed: Seed = 0,
    root: Root = None,
) -> None:
    """Train a model on a data set; the paper's MNIST settings by default."""
    require_folder(out, "--out")
    dataset = fd.data.load(data, root=root)
    torch.manual_seed(seed)
    pixels = dataset.train.images[0].numel()
    network = _build(model, pixels, _hidden(hidden), code, prior, sigma, {"copies": copies, "form": form})
    trainer = fd.Trainer(
        network,
        optimizer=optimizer,
        lr=lr,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        device=device,
        precision=precision,
        run_dir=out,
        schedule=schedule,
    )
    started = time.perf_counter()
    history = trainer.fit(dataset, notes=_where(data, root))
    last = history[-1]
    numbers = {**last["losses"], **{f"validation {name}": value for name, value in last.get("validation", {}).items()}}
    say(*(part for name, value in numbers.items() for part in (f"{name} ", (f"{value:.6f}", "bold"), "  ")))
    say(f"{last['epoch']} epochs in {out} ({time.perf_counter() - started:.1f} s for this call)")


def _where(data: str, root: Path | None) -> dict:
    """Where the data set lies, so that a later command finds it from another folder and without this environment."""
    place = root or os.environ.get("FASTDAAE_DATA")
    named = data in fd.data.names()
    return {"data": data if named else str(Path(data).resolve()), "root": str(Path(place).resolve()) if place else None}


def _open(run: Path, root: Path | None):
    """A run's (model, dataset, configuration)."""
    config = run_config.read_config(run, "this command")
    data, recorded = run_config.read_data_notes(run, config)
    model = fd.load(run)
    return model, fd.data.load(data, root=root or (None if os.environ.get("FASTDAAE_DATA") else recorded)), config


def sample(
    run: RunFolder,
    n: Annotated[int, Option(help="How many samples.")] = 10_000,
    steps: Annotated[int, Option(help="Steps of the decode-corrupt-encode chain.")] = 5,
    out: Annotated[Path | None, Option(help="The .npz file to write (default: samples.npz in the run).")] = None,
    seed: Seed = 0,
) -> None:
    """Draw x(0) and x(steps) from a trained model, as an .npz file and a picture of the first hundred."""
    path = out or run / run_folder.SAMPLES
    run_folder.refuse_own_files(path, run)
    if out is not None:
        require_file(out, "--out")
    model = fd.load(run)
    keep = (0, steps) if steps else (0,)
    pixels = model.encoder.config["sizes"][0]
    require_memory(len(keep) * n * pixels * 4, f"drawing {n:,} samples of {pixels} pixels")
    with working(f"drawing {n:,} samples, {steps} chain steps"):
        drawn = model.sample(n, steps=steps, keep=keep, seed=seed)
    arrays = {f"x{t}": x.numpy() for t, x in zip(keep, drawn, strict=True)}

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays)

    run_folder.replace_atomically(path, write)
    say(f"{', '.join(arrays)}: {n:,} samples each of {arrays['x0'].shape[1]} pixels in {path}")
    for name, x in arrays.items():
        picture = path.with_name(f"{path.stem}-{name}.png")
        reporting.image_grid(to_tensor(x[:100]), picture)
        say(f"the first {min(n, 100)} of {name} in {picture}")


def evaluate(
    run: RunFolder,
    samples: Annotated[int, Option(help="Samples for likelihood and dimension.")] = 10_000,
    steps: Annotated[int, Option(help="Chain steps of the second sample set.")] = 5,
    k: Annotated[int, Option(help="Neighbours for the intrinsic dimension.")] = 100,
    seed: Seed = 0,
    root: Root = None,
) -> None:
    """Measure a trained model: reconstruction, likelihood, classification, dimension, beside the real data."""
    checkpoint = run_folder.checkpoint_state(run)._asdict()
    model, dataset, _ = _open(run, root)
    with working("evaluating") as tell:
        measures = evaluate_model(
            model,
            dataset,
            samples=samples,
            steps=steps,
            k=k,
            seed=seed,
            report=lambda stage: tell(f"evaluating: {stage}"),
        )
    facts = {"model": type(model).__name__, "data": dataset.name, "seed": seed, "checkpoint": checkpoint}
    write_evaluation(run, measures, **facts)
    show(evaluation_table(measures, f"{facts['model']} on {facts['data']}"))
    say(f"numbers in {run / run_folder.EVALUATION}")


def report(run: RunFolder, root: Root = None, seed: Seed = 0) -> None:
    """Write a run's report: one self-contained HTML page and its figures as PNG."""
    model, dataset, config = _open(run, root)
    evaluation, history = read_evaluation(run), read_history(run)
    run_config.require_losses(history, run)
    measures, measured_at = (None, None) if evaluation is None else (evaluation.measures, evaluation.checkpoint)
    checkpoint = run_folder.checkpoint_state(run)._asdict()
    with working("drawing the report"):
        page = reporting.build(
            model,
            dataset,
            history,
            measures,
            run / "report",
            seed=seed,
            config=config,
            checkpoint=checkpoint,
            measured_at=measured_at,
        )
    stale = staleness.outdated(measured_at, checkpoint)
    if stale:
        say((stale, "yellow"))
    say(f"report in {page}")


def demo(
    out: Annotated[Path, Option(help="The demo's folder.")] = Path("runs/demo"),
    epochs: Annotated[int, Option(help="Passes over the 1,297 training digits.")] = 150,
    seed: Seed = 0,
) -> None:
    """Train an iDAAE on scikit-learn's digits, sample it, measure it and write its report; needs no data and no GPU."""
    started = time.perf_counter()
    train(out, data="digits", epochs=epochs, hidden="500,500", code=8, sigma=0.3, lr=1e-3, seed=seed)
    sample(out, n=1_000, seed=seed)
    evaluate(out, samples=1_000, k=50, seed=seed)
    report(out, seed=seed)
    say(f"done in {time.perf_counter() - started:.0f} s")
