"""A run's folder: its files, written whole or not at all, locked while it trains, and read without trusting them."""

from fastdaae.run_folder.atomic import read_json, replace_atomically, write_json, write_text
from fastdaae.run_folder.errors import DamagedFile, NotWritten, RunFolderBusy
from fastdaae.run_folder.identity import RunState, checkpoint_state, load_run, new_run_id
from fastdaae.run_folder.lock import training_lock
from fastdaae.run_folder.names import (
    CHECKPOINT,
    CONFIG,
    EVALUATION,
    LOCK,
    METRICS,
    SAMPLES,
    refuse_own_files,
)
from fastdaae.run_folder.parameters import model_tensors, put_parameters
from fastdaae.run_folder.tensors import load_tensors, read_facts, read_tensor, save_tensors

__all__ = [
    "CHECKPOINT",
    "CONFIG",
    "EVALUATION",
    "LOCK",
    "METRICS",
    "SAMPLES",
    "DamagedFile",
    "NotWritten",
    "RunFolderBusy",
    "RunState",
    "checkpoint_state",
    "load_run",
    "load_tensors",
    "model_tensors",
    "new_run_id",
    "put_parameters",
    "read_facts",
    "read_json",
    "read_tensor",
    "refuse_own_files",
    "replace_atomically",
    "save_tensors",
    "training_lock",
    "write_json",
    "write_text",
]
