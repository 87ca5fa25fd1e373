"""The commands as on a machine with a GPU: all that computes is there, and only results come back."""

import json

import numpy as np
import pytest

import fastdaae as fd
from tests import nursery

ON_A_GPU = """
import json, sys
from torch import nn
from fastdaae.cli import app
from fastdaae.cli.work import dimensions, evaluating, likelihoods, opening
from fastdaae.reporting import of_run
from tests import pretended_cuda

for part in (dimensions, evaluating, likelihoods, opening, of_run):
    part.choose_device = lambda name: pretended_cuda.CUDA
to = nn.Module.to
nn.Module.to = lambda self, *to_what, **how: (
    pretended_cuda.move(self) if pretended_cuda.CUDA in to_what else to(self, *to_what, **how)
)
with pretended_cuda.pretended() as fetched:
    app.run(sys.argv[1:])
print(json.dumps(fetched))
"""
IMAGES, TEST = 200, 250


@pytest.mark.parametrize(
    ("line", "most"),
    [
        # the numbers of a likelihood for each bandwidth and image, of a dimension for each point
        (("likelihood", "FILE"), 10 * TEST),
        (("compare", "FILE", "FILE"), 10 * TEST),
        (("dimension", "digits", "--n", IMAGES, "--k", 5), IMAGES),
        # the samples, to be written
        (("sample", "RUN", "--n", 20, "--steps", 2), 2 * 20 * 64),
        # the codes, for scikit-learn
        (("evaluate", "RUN", "--data", "digits", "--samples", 100, "--k", 5, "--steps", 1), 1297 * 3),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_only_results_leave_the_gpu(line, most, run, tmp_path):
    file = tmp_path / "samples.npy"
    np.save(file, fd.data.load("digits").train.images[:IMAGES].numpy())
    words = [str(part).replace("RUN", str(run)).replace("FILE", str(file)) for part in line]
    done = nursery.run(ON_A_GPU, *words, FASTDAAE_BACKEND="reference")
    assert done.returncode == 0, done.stderr
    fetched = json.loads(done.stdout.splitlines()[-1])
    assert fetched and max(int(np.prod(shape)) for shape in fetched) <= most, fetched


def test_a_report_is_drawn_of_a_model_on_the_gpu(run):
    done = nursery.run(ON_A_GPU, "report", run, "--data", "digits", FASTDAAE_BACKEND="reference")
    assert done.returncode == 0 and (run / "report" / "report.html").exists(), done.stderr
    assert json.loads(done.stdout.splitlines()[-1])
