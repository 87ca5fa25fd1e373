"""What is fuzzed: for each kind of file, whole examples of it, the ways to damage them, and all that reads it."""

import gzip
import io
import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple
from unittest import mock

import numpy as np
import torch
from PIL import Image

import fastdaae as fd
from fastdaae import run_config, run_folder
from fastdaae.cli.work.sample_files import read_samples
from fastdaae.data.files import load_arrays
from fastdaae.data.folders import load_folder
from fastdaae.data.formats.arrays import array_names
from fastdaae.data.formats.idx import read_idx
from fastdaae.evaluation import evaluate, read_evaluation, telling, write_evaluation
from fastdaae.reporting import tables
from fastdaae.reporting.drawing import measured, training
from fastdaae.reporting.figures.looks import WIDE
from fastdaae.training.checkpoint import read_history, read_metrics
from tests.fuzz import command_lines, mutations
from tests.fuzz.set_kinds import set_kinds

Mutation = Callable[[Random, bytes], bytes]
IMAGES = np.random.default_rng(0).integers(0, 256, (24, 6, 6), dtype=np.uint8)


class Kind(NamedTuple):
    """A kind of input: `examples` of whole ones, `mutations` of them, and `read`, which writes and reads one."""

    examples: list[bytes]
    mutations: list[Mutation]
    read: Callable[[Path, bytes], None]


def all_kinds(folder: Path) -> dict[str, Kind]:
    """{name: kind}; `folder` gets the run that their examples come from."""
    run = _example_run(folder)
    example = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    json_edits = [mutations.of_json] * 5 + [mutations.of_bytes]
    in_run = lambda name, read: lambda place, content: read(_copy(run, place, name, content))  # noqa: E731
    checkpoint = [mutations.with_sorted_header(example[run_folder.CHECKPOINT])]
    on_checkpoints = [mutations.of_safetensors, _other_tensors, mutations.of_bytes]
    return {
        "config": Kind([example[run_folder.CONFIG]], json_edits, in_run(run_folder.CONFIG, _load_and_sample)),
        "metrics": Kind(
            [example[run_folder.METRICS]],
            [mutations.of_json_lines] * 5 + [mutations.of_bytes],
            in_run(run_folder.METRICS, _tell_history),
        ),
        "evaluation": Kind(
            [example[run_folder.EVALUATION]], json_edits, in_run(run_folder.EVALUATION, _tell_evaluation)
        ),
        "checkpoint": Kind(checkpoint, on_checkpoints, in_run(run_folder.CHECKPOINT, _load_and_sample)),
        "history": Kind(checkpoint, on_checkpoints, in_run(run_folder.CHECKPOINT, _tell_history)),
        "resume": Kind(checkpoint, on_checkpoints, in_run(run_folder.CHECKPOINT, _resume)),
        "npy": Kind([_npy(IMAGES), _npy(IMAGES / 255)], [mutations.of_npy, mutations.of_bytes], _read_arrays("a.npy")),
        "npz": Kind(_npz_examples(), [mutations.of_npz], _read_arrays("a.npz")),
        "idx": Kind([_idx(IMAGES), gzip.compress(_idx(IMAGES))], [mutations.of_bytes, _packed], _read_idx),
        "png": Kind(_pictures("PNG"), [mutations.of_bytes], _read_pictures),
        "other pictures": Kind(_pictures("JPEG", "BMP", "WEBP"), [mutations.of_bytes], _read_pictures),
        **{
            name: Kind(examples, [mutations.of_bytes, _packed], read)
            for name, (examples, read) in set_kinds(folder).items()
        },
        "command line": Kind([b""], [command_lines.make], command_lines.run(run)),
    }


def _model():
    mlp = fd.networks.mlp
    parts = mlp([64, 8, 3]), mlp([3, 8, 64], output="sigmoid"), mlp([3, 8, 1])
    return fd.IDAAE(*parts, prior=fd.priors.Normal(3), corruption=fd.corruptions.Gaussian(0.5, clip=(0, 1)), copies=2)


def _train(run: Path, epochs: int) -> None:
    trainer = fd.Trainer(_model(), epochs=epochs, batch_size=600, run_dir=run)
    trainer.fit(fd.data.load("digits"), progress=False, notes={"data": "digits", "root": None})


def _example_run(folder: Path) -> Path:
    torch.manual_seed(0)
    run = folder / "run"
    # inputs that were saved fit the example run of another process
    with mock.patch.object(run_folder, "new_run_id", lambda: "0" * 32):
        _train(run, epochs=2)
    digits = fd.data.load("digits")
    few = digits._replace(train=fd.data.Split(digits.train.images[:60], digits.train.labels[:60]))
    measures = evaluate(fd.load(run), few, samples=60, steps=1, k=4)
    write_evaluation(run, measures, model="IDAAE", data="digits", seed=0, checkpoint={"epoch": 2, "step": 4})
    np.save(run / "x.npy", few.train.images.numpy())
    np.savez(run / run_folder.SAMPLES, x0=fd.load(run).sample(60).numpy())
    return run


def _copy(run: Path, place: Path, name: str, content: bytes) -> Path:
    """A copy of the run in which one file has another content."""
    copy = place / "run"
    shutil.copytree(run, copy)
    (copy / name).write_bytes(content)
    return copy


def _load_and_sample(run: Path) -> None:
    config = run_config.read_config(run, "fuzzing")
    run_config.read_data_notes(run, config)
    fd.load(run).sample(2, steps=1)
    tables.setting_pairs(config, [])


def _tell_history(run: Path) -> None:
    for history in (read_history(run), read_metrics(run)):
        run_config.require_losses(history, run)
        tables.summary("IDAAE", "digits", history, None, "nats")
        tables.setting_pairs({}, history)
        if history:
            training.losses(_model(), history, "nats")[1](WIDE).savefig(io.BytesIO())


def _tell_evaluation(run: Path) -> None:
    measures = read_evaluation(run).measures
    telling.rows(measures)
    tables.summary("IDAAE", "digits", [], measures, "nats")
    for drawn in measured.draw_measures(measures):
        if drawn.figure is not None:
            drawn.figure.savefig(io.BytesIO())


def _resume(run: Path) -> None:
    _train(run, epochs=3)


def _other_tensors(rng: Random, content: bytes) -> bytes:
    """A checkpoint whose checksums are right, and whose tensors are others: dropped, reshaped, of another type, NaN."""
    from safetensors.torch import load, save

    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    tensors = dict(sorted(load(content).items()))  # safetensors gives another order each time
    shapes, facts = json.loads(metadata["shapes"]), json.loads(metadata["facts"])
    metadata = {"shared": metadata["shared"]}
    for _ in range(rng.choice((1, 1, 3))):
        name, kind = rng.choice(sorted(tensors)), rng.randrange(5)
        tensor = tensors.pop(name)
        if kind == 1:
            tensors[name], shapes[name] = tensor[: rng.randrange(3)], None
            shapes[name] = list(tensors[name].shape)
        elif kind == 2:
            tensors[name] = tensor.to(rng.choice((torch.float64, torch.float16, torch.int64, torch.uint8)))
        elif kind == 3:
            tensors[name] = torch.full_like(tensor, rng.choice((0, 1, 200)))
        elif kind == 4:
            tensors[rng.choice((name + "/x", "model/x", "optimizer/encoder/x/y", "optimizer/a", ""))] = tensor
            shapes = {key: shapes.get(key, [tensor.numel()]) for key in tensors}
    sums = {name: zlib.crc32(tensor.numpy().tobytes()) if tensor.numel() else 0 for name, tensor in tensors.items()}
    metadata |= {"facts": json.dumps(facts), "shapes": json.dumps(shapes), "crc32": json.dumps(sums)}
    if rng.random() < 0.2:
        key = rng.choice(sorted(metadata))
        metadata[key] = mutations.of_json(rng, metadata[key].encode()).decode()
    # earlier versions wrote no checksum of the metadata
    return mutations.with_sorted_header(save(tensors, metadata))


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz_examples() -> list[bytes]:
    labels = np.arange(24) % 3
    made = []
    for arrays in ({"x": IMAGES, "y": labels}, {"train_images": IMAGES, "train_labels": labels, "test_images": IMAGES}):
        for save in (np.savez, np.savez_compressed):
            file = io.BytesIO()
            save(file, **arrays)
            made.append(file.getvalue())
    return made


def _read_arrays(name: str) -> Callable[[Path, bytes], None]:
    def read(place: Path, content: bytes) -> None:
        path = place / name
        path.write_bytes(content)
        try:
            load_arrays(path)
        finally:
            read_samples(path, (array_names(path) or [None])[0])

    return read


def _idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def _packed(rng: Random, content: bytes) -> bytes:
    """A damaged idx file in a whole gzip stream."""
    plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return gzip.compress(mutations.of_bytes(rng, plain), mtime=0) + rng.choice((b"", b"x", b"\0" * 9))


def _read_idx(place: Path, content: bytes) -> None:
    (place / "a").write_bytes(content)
    read_idx(place / "a")
    read_idx(place / "a", 3)


def _pictures(*formats: str) -> list[bytes]:
    made = []
    for kind in formats:
        for array in (IMAGES[0], np.stack([IMAGES[0]] * 3, -1)):
            file = io.BytesIO()
            Image.fromarray(array).save(file, kind)
            made.append(file.getvalue())
    return made


def _read_pictures(place: Path, content: bytes) -> None:
    for number in range(10):
        (place / f"{number}.png").write_bytes(content)
    load_folder(place)
