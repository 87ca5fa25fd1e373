"""Checkpoints that were edited with all checksums right: refused in one line, by whoever reads them."""

import json

import pytest
import torch

import fastdaae as fd
from fastdaae import run_folder
from tests.cli.edited_runs import refused, train


def other_checkpoint(run, change) -> None:
    """The run's checkpoint with tensors and metadata changed by `change`, and all checksums right."""
    tensors, facts = run_folder.load_tensors(run / run_folder.CHECKPOINT)
    change(tensors, facts)
    run_folder.save_tensors(run / run_folder.CHECKPOINT, tensors, facts)


@pytest.mark.parametrize(
    ("name", "new", "words"),
    [
        ("model/encoder.1.bias", torch.zeros(16, dtype=torch.float16), "must hold parameters of one floating dtype"),
        ("model/encoder.1.bias", torch.zeros(16, dtype=torch.int64), "got torch.float32, torch.int64"),
        ("model/encoder.1.bias", torch.zeros(3), "encoder.1.bias has the shape [16], and the checkpoint has [3]"),
    ],
)
def test_a_checkpoint_of_other_parameters(run, name, new, words):
    other_checkpoint(run, lambda tensors, facts: tensors.update({name: new}))
    refused(lambda: fd.load(run), words)


@pytest.mark.parametrize(
    ("name", "new", "words"),
    [
        ("optimizer/encoder/0/exp_avg", None, "the state of the optimizer 'encoder' does not fit"),
        ("optimizer/encoder/0/exp_avg", torch.zeros(7), "the state of the optimizer 'encoder' does not fit"),
        ("optimizer/encoder/0/step", torch.zeros(0), "the state of the optimizer 'encoder' does not fit"),
        ("optimizer/encoder/0/exp_avg", torch.zeros(16, 64).int(), "the state of the optimizer 'encoder' does not fit"),
        ("optimizer/encoder/99/exp_avg", torch.zeros(3), "the state of the optimizer 'encoder' does not fit"),
        ("optimizer/encoder/x/y/z", torch.zeros(3), "the state of the optimizer 'encoder' does not fit"),
        ("noise", torch.zeros(7), "its random state is damaged"),
        ("random/torch", torch.zeros(16, dtype=torch.uint8), "its random state is damaged"),
        ("random/torch", torch.zeros(5056), "its random state is damaged"),
        ("history", torch.tensor(list(b"{\n"), dtype=torch.uint8), "its history is damaged"),
        ("history", torch.tensor(list(b"[]\n"), dtype=torch.uint8), "line 1: an object"),
    ],
)
def test_a_run_is_not_resumed_from_another_state(run, name, new, words):
    other_checkpoint(run, lambda tensors, facts: tensors.pop(name) if new is None else tensors.update({name: new}))
    refused(lambda: train(run, epochs=2), "checkpoint.safetensors", *([words] if "line 1" not in words else ["line 1"]))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("shapes", "[]", "shapes in its metadata is not an object"),
        ("shapes", "{}", "numbers of"),
        ("shapes", '{"noise": [-1, -3]}', "of shape"),
        ("facts", "[" * 100_000, "cannot be read"),
        ("shared", '{"model/x": 3}', "lacks the tensor that model/x shares"),
        ("crc32", "3", "crc32 in its metadata is not an object"),
    ],
)
def test_edited_metadata_of_a_checkpoint(run, key, value, words):
    edit_metadata(run, key, lambda old: value)
    refused(lambda: fd.load(run), str(run / run_folder.CHECKPOINT), words)


def edit_metadata(run, key, change) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    path = run / run_folder.CHECKPOINT
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    # earlier versions wrote no checksum of the metadata
    del metadata["metadata_crc32"]
    save_file(load_file(path), path, {**metadata, key: change(metadata[key])})


@pytest.mark.parametrize("step", ["Infinity", "NaN", "1.5", "-1", "true", '"3"', "null", "[]"])
def test_a_checkpoint_that_does_not_say_how_far_it_is(run, step):
    edit_metadata(run, "facts", lambda old: json.dumps(json.loads(old) | {"step": "HERE"}).replace('"HERE"', step))
    for reads in (lambda: fd.load(run), lambda: run_folder.checkpoint_state(run), lambda: train(run, epochs=2)):
        refused(reads, "does not say how far its run is (facts.step must be a whole number >= 0, got")


def test_what_a_checkpoint_holds_is_quoted_in_one_line(run):
    strange = {"model/encoder.1.bias": "a\nb\x1b[31m"}
    edit_metadata(run, "shapes", lambda old: json.dumps(json.loads(old) | strange))
    refused(lambda: fd.load(run), "of shape a\\nb\\x1b[31m; restore it")


def test_a_checkpoint_whose_tensor_lost_its_dimension(run):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    path = run / run_folder.CHECKPOINT
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file({**load_file(path), "noise": torch.tensor(1.0)}, path, metadata)
    refused(lambda: fd.load(run), str(path), "the checksum of noise differs")
