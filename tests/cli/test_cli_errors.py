"""What a person sees when the command line cannot go on: one line on stderr, an exit code, and no files left behind."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.cli import console
from fastdaae.cli.work import sampling
from tests import nursery

COMMAND = [sys.executable, "-c", "from fastdaae.cli import main; main()"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "[" / "x]"
    mlp = fd.networks.mlp
    parts = mlp([64, 16, 3]), mlp([3, 16, 64], output="sigmoid"), mlp([3, 16, 1])
    model = fd.IDAAE(*parts, prior=fd.priors.Normal(3), corruption=fd.corruptions.Gaussian(0.5), copies=2)
    trainer = fd.Trainer(model, epochs=1, batch_size=256, run_dir=folder)
    trainer.fit(fd.data.load("digits"), progress=False, notes={"data": "digits", "root": None})
    return folder


def refused(done: tuple[int, str, list[str]], *words: str) -> None:
    code, out, err = done
    assert (code, out) == (2, "") and len(err) == 1 and err[0].startswith("error: "), done
    assert all(word in err[0] for word in words), err


def test_a_gpu_that_is_not_there(fastdaae, tmp_path):
    if torch.cuda.is_available():
        refused(fastdaae("train", "--out", tmp_path / "run", "--device", "cuda:99"), "device cannot be 'cuda:99'")
    else:
        refused(fastdaae("train", "--out", tmp_path / "run", "--device", "cuda"), "device cannot be 'cuda'", "'cpu'")
    refused(fastdaae("train", "--out", tmp_path / "run", "--device", "tpu"), "device must be 'auto', 'cpu', 'cuda'")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--color",), "No such option: --color; `fastdaae --help` lists what there is"),
        (("paint",), "No such command 'paint'"),
        (("train", "--epochs", "ten", "--out", "x"), "`fastdaae train --help` lists what there is"),
        (("train",), "--out"),
    ],
)
def test_wrong_command_lines(fastdaae, arguments, words):
    refused(fastdaae(*arguments), words)


def test_no_command_shows_the_help(fastdaae):
    code, out, err = fastdaae()
    assert code == 0 and "likelihood" in out and err == []


def test_paths_with_brackets_are_printed_as_they_are(fastdaae, trained, monkeypatch):
    monkeypatch.setattr(console, "_console", console.Console(markup=False, emoji=False, width=300))
    code, out, err = fastdaae("sample", trained, "--n", 3, "--steps", 1)
    assert code == 0 and f"in {trained / 'samples.npz'}" in out and f"{trained / 'samples-x1.png'}" in out
    refused(fastdaae("sample", trained / "[/b]"), f"{trained / '[/b]' / 'config.json'} does not exist")
    np.save(trained / "[bold]own.npy", fd.data.load("digits").train.images.numpy())
    code, out, _ = fastdaae("dimension", trained / "[bold]own.npy", "--k", 5)
    assert code == 0 and str(trained / "[bold]own.npy") in out


def test_folders_where_files_are_expected_and_the_reverse(fastdaae, trained, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    refused(fastdaae("train", "--out", file), "--out must be a folder", f"{file} is a file")
    refused(fastdaae("train", "--out", file / "run"), "--out must be a folder", f"{file} is a file")
    refused(fastdaae("sample", trained, "--out", tmp_path), "must be a regular file, got a folder")
    refused(fastdaae("sample", trained, "--out", file / "a.npz"), "must be a folder")
    refused(fastdaae("sample", trained, "--out", "/dev/full"), "/dev/full must be a regular file, got a device")
    refused(fastdaae("likelihood", tmp_path), f"{tmp_path} must be a regular file, got a folder")
    refused(fastdaae("sample", file), "config.json")
    assert os.listdir(tmp_path) == ["file"]


def test_a_pipe_is_not_waited_for(fastdaae, trained, tmp_path):
    for name in ("a.npy", "run/config.json", "images/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        os.mkfifo(tmp_path / name)
    refused(fastdaae("likelihood", tmp_path / "a.npy"), "must be a regular file, got a pipe")
    refused(fastdaae("sample", tmp_path / "run"), "config.json must be a regular file, got a pipe")
    for number in range(12):
        (tmp_path / "images" / f"{number}.png").symlink_to(tmp_path / "images" / "a.png")
    refused(fastdaae("dimension", tmp_path / "images"), "must be a regular file, got a pipe")
    (tmp_path / "run" / "config.json").unlink()
    (tmp_path / "run" / "config.json").write_text((trained / "config.json").read_text())
    os.mkfifo(tmp_path / "run" / run_folder.CHECKPOINT)
    refused(fastdaae("sample", tmp_path / "run"), "must be a regular file, got a pipe")


def test_a_file_that_may_not_be_read(fastdaae, trained, monkeypatch, tmp_path):
    def forbidden(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("fastdaae.reading.os.open", forbidden)
    refused(fastdaae("sample", trained), f"{trained / 'config.json'}: Permission denied")


def test_a_folder_of_images_that_may_not_be_read(monkeypatch, tmp_path):
    scandir = os.scandir

    def forbidden(path):
        if Path(path).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(PermissionError, match="locked"):
        fd.data.load(tmp_path)


def test_a_full_disk_leaves_no_partial_file(fastdaae, trained, monkeypatch, tmp_path):
    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sampling.np, "savez", full)
    code, out, err = fastdaae("sample", trained, "--n", 3, "--out", tmp_path / "a.npz")
    assert out == "drawing 3 samples, 5 chain steps\n"
    refused((code, "", err), "No space left on device")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyError("loss"), 1, "internal error: KeyError 'loss'; FASTDAAE_DEBUG=1 shows where"),
        (AssertionError(), 1, "internal error: AssertionError AssertionError; FASTDAAE_DEBUG=1 shows where"),
        (RuntimeError("two\nlines"), 1, "error: two lines"),
        (MemoryError("3 GB"), 1, "error: out of memory (3 GB); use less data or more memory"),
        (RecursionError("too deep"), 1, "error: too deep"),
        (ValueError("k \x1b[31m"), 2, "error: k \\x1b[31m"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_what_each_kind_of_error_exits_with(fastdaae, monkeypatch, error, code, line):
    def fail(*_):
        raise error

    monkeypatch.setattr("fastdaae.cli.app.run", fail)
    monkeypatch.setenv("FASTDAAE_DEBUG", "1")
    assert fastdaae("doctor")[0] == code
    monkeypatch.setenv("FASTDAAE_DEBUG", "0")
    assert fastdaae("doctor") == (code, "", [line])


def test_debug_shows_the_traceback(fastdaae, monkeypatch):
    monkeypatch.setenv("FASTDAAE_DEBUG", "1")
    code, _, err = fastdaae("dimension", "digits", "--n", "-1")
    assert code == 2 and err[0].startswith("Traceback") and err[-1].startswith("error: --n must be >= 0")


@pytest.mark.parametrize(("variable", "value"), [("FASTDAAE_BACKEND", "CPP"), ("FASTDAAE_ISA", "sse")])
def test_wrong_values_in_the_environment(variable, value):
    done = nursery.run(nursery.COMMAND_LINE, "doctor", **{variable: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {variable} must be") and done.stderr.count("\n") == 1


def test_a_full_output_is_told_in_one_line():
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, "--help"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "error: No space left on device\n")


def test_a_closed_output_is_no_traceback():
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *COMMAND, "--help"], stderr=subprocess.PIPE, text=True)
    assert "Traceback" not in done.stderr and "internal" not in done.stderr


def test_a_reader_that_leaves_early_is_no_traceback():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, "doctor"], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def interrupt(arguments: list[str], ready, folder: Path) -> subprocess.CompletedProcess:
    """Starts a command, and sends SIGINT as soon as `ready()`."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        # a test runner in the background ignores SIGINT, and its children would too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    deadline = time.monotonic() + 100
    while not ready(process) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=100)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def _maps(process: subprocess.Popen, library: str) -> bool:
    try:
        return library in Path(f"/proc/{process.pid}/maps").read_text()
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("library", ["_multiarray_umath", "libtorch_cpu"])
def test_ctrl_c_while_the_libraries_load(library, tmp_path):
    done = interrupt(["doctor"], lambda process: _maps(process, library), tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")


def test_ctrl_c_in_the_middle_of_training(tmp_path):
    checkpoint = tmp_path / "run" / run_folder.CHECKPOINT
    arguments = ["train", "--out", "run", "--epochs", "100000", "--hidden", "64"]
    process = nursery.start(nursery.COMMAND_LINE, *arguments, folder=tmp_path)
    deadline = time.monotonic() + 100
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    done = process.finished(100)
    assert done.returncode == 130
    assert done.stderr == "stopped; the same command resumes from the last checkpoint\n"
    assert not list(checkpoint.parent.glob(".*"))
    assert fd.load(checkpoint.parent).training is False
