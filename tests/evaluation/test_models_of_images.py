"""What models do with images: curves over corruption, principal components beside them, confusions, the command."""

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

import fastdaae as fd
from fastdaae import evaluation
from fastdaae.cli.app import app
from fastdaae.evaluation.codes.representation import principal_components
from fastdaae.evaluation.models.robustness import STRENGTHS
from fastdaae.noise import Site


class Identity(nn.Module):
    """Gives back what it is given, and has it as its codes."""

    def __init__(self):
        super().__init__()
        self.anything = nn.Parameter(torch.zeros(1))

    def encode(self, x):
        return (x / 255 if x.dtype == torch.uint8 else x).flatten(1)

    def reconstruct(self, x, noise=None, *, row_offset=0):
        return x


class Nearest(Identity):
    """Classifies by which of two images is nearer: black, or the left half white."""

    def classify(self, x):
        x = self.encode(x)
        return torch.stack([-x.square().sum(1), -(x - halves([1])[0].flatten() / 255).square().sum(1)], 1)


def halves(labels) -> torch.Tensor:
    images = torch.zeros(len(labels), 6, 6, dtype=torch.uint8)
    images[np.flatnonzero(labels), :, :3] = 255
    return images


def test_the_identity_s_error_is_the_noise_s_variance_and_nothing_depends_on_batches(monkeypatch):
    images, noise = halves([0, 1] * 600), fd.Noise(2)
    for sigma in (0.0, 0.2, 1.0):
        errors = evaluation.reconstruction_errors(Identity(), images, sigma, noise)
        mean, error = evaluation.Estimate.of(errors)
        assert errors.shape == (1200,) and abs(mean - sigma**2) <= 4 * error
    whole = evaluation.reconstruction_errors(Identity(), images[:50], 0.5, noise)
    x_tilde = fd.ops.corrupt(images[:50] / 255, fd.corruptions.Gaussian(0.5), noise, site=Site.EVALUATION)[0]
    np.testing.assert_allclose(whole, (x_tilde - images[:50] / 255).square().flatten(1).double().mean(1), rtol=1e-5)
    # an image has its own noise, the same beside whatever others
    np.testing.assert_array_equal(evaluation.reconstruction_errors(Identity(), images[:20], 0.5, noise), whole[:20])
    with pytest.raises(ValueError, match="images must not be empty"):
        evaluation.reconstruction_errors(Identity(), images[:0], 0.5, noise)


def test_the_mean_over_strengths_is_the_area_under_the_curve():
    # s^2 of every image, whose integral over 0..1 the trapezoids miss by their own rule alone
    sigma = np.linspace(0, 1, 101)
    found, means, errors = evaluation.over_strengths(np.tile(sigma[:, None] ** 2, (1, 3)), sigma)
    assert found.mean == pytest.approx(1 / 3, abs=2e-5) and found.standard_error == pytest.approx(0)
    np.testing.assert_allclose(means, sigma**2)
    np.testing.assert_allclose(errors, 0, atol=1e-12)
    # the error is over images with their whole curves: strengths are no more independent images
    noise = np.random.default_rng(0).standard_normal(400)
    assert evaluation.over_strengths(np.tile(noise, (6, 1)), STRENGTHS)[0] == pytest.approx(
        tuple(evaluation.Estimate.of(noise))
    )


@pytest.mark.parametrize("make", [Identity, Nearest])
def test_accuracy_falls_with_corruption_from_all_right(make):
    labels = torch.arange(300) % 2
    split = fd.data.Split(halves(labels), labels)
    measures = evaluation.evaluate(make(), fd.data.Dataset(split, None, split, "halves"), measures=["robustness"])
    found = {measure.name: measure for measure in measures if "PCA" not in measure.of}
    accuracy = found["test accuracy over sigma"]
    assert list(accuracy.curve) == ["sigma", "accuracy", "standard_error"]
    assert tuple(accuracy.curve["sigma"]) == STRENGTHS and accuracy.curve["accuracy"][0] == 1.0
    assert accuracy.curve["accuracy"][-1] < 1.0
    assert accuracy.value == pytest.approx(np.trapezoid(accuracy.curve["accuracy"], STRENGTHS))
    assert ("reconstruction MSE over sigma" in found) == (make is Identity)
    if make is Identity:
        np.testing.assert_allclose(
            found["reconstruction MSE over sigma"].curve["mse"], np.square(STRENGTHS), rtol=0.05, atol=1e-12
        )


def test_principal_components_reconstruct_what_they_span_and_no_linear_code_does_better():
    rng = np.random.default_rng(0)
    plane = torch.from_numpy(rng.standard_normal((90, 3)) @ rng.standard_normal((3, 25))).reshape(90, 5, 5)
    errors = [evaluation.pca_reconstruction_error(principal_components(plane, size), plane).mean for size in (1, 2, 3)]
    spectrum = np.linalg.svd((plane - plane.mean(0)).flatten(1).numpy(), compute_uv=False) ** 2 / plane.numel()
    np.testing.assert_allclose(errors, [spectrum[size:].sum() for size in (1, 2, 3)], atol=1e-12)
    noise, corruption = fd.Noise(0), fd.corruptions.Gaussian(0.1)
    noisy = evaluation.pca_reconstruction_error(principal_components(plane, 3), plane, noise, corruption)
    # of the noise, what lies in the three directions stays
    assert noisy.mean == pytest.approx(0.01 * 3 / 25, rel=0.25)
    with pytest.raises(ValueError, match="images must not be empty"):
        evaluation.pca_reconstruction_error(principal_components(plane, 3), plane[:0])


def test_confusions_count_each_pair_once():
    truth, images = torch.tensor([0, 0, 1, 1, 3]), halves([0, 1, 1, 1, 0])
    counts = evaluation.confusion(Nearest(), images, truth)
    assert counts.tolist() == [[1, 1, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    for message, given in (("got 0 for 0", (images[:0], truth[:0])), ("got 3 for 5", (images, truth[:3]))):
        with pytest.raises(ValueError, match=f"labels must be one for each of at least one image, {message}"):
            evaluation.confusion(Nearest(), *given)


def test_the_command_measures_what_is_named(tmp_path):
    torch.manual_seed(0)
    model = fd.models.Autoencoder(fd.networks.mlp([64, 5]), fd.networks.mlp([5, 64], output="sigmoid"))
    fd.Trainer(model, epochs=1, run_dir=tmp_path / "run").fit(fd.data.load("digits"))
    command = ["evaluate", str(tmp_path / "run"), "--data", "digits", "--measures"]
    done = CliRunner().invoke(app, [*command, "filters, clustering"])
    assert done.exit_code == 0, done.output
    names = {measure.name for measure in evaluation.read_evaluation(tmp_path / "run").measures}
    assert {"filter concentration", "clustering accuracy"} <= names and "log-likelihood" not in names
    done = CliRunner().invoke(app, [*command, "likelihood"])
    assert done.exit_code != 0 and "measures must be names out of" in str(done.exception)
