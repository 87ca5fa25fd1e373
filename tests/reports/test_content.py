"""What the figures show: each number and each picture is that of the model."""

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae.reporting.drawing import (
    classes,
    codes,
    filters,
    inference,
    latent,
    reconstructions,
    robustness,
    sigma,
    stacks,
)
from fastdaae.reporting.figures import pictures
from fastdaae.reporting.figures.looks import WIDE
from tests.reports.family import MODELS, classifier, digits, model, subject, vae


def cells(block, columns: int) -> np.ndarray:
    """The grey values [rows, columns] in the middle of a block's pictures."""
    rows = round(block.pictures.shape[0] * columns / block.pictures.shape[1])
    height, width = (
        (size + pictures.GUTTER) / n for size, n in zip(block.pictures.shape[:2], (rows, columns), strict=True)
    )
    y, x = (((np.arange(n) + 0.5) * step).astype(int) for n, step in ((rows, height), (columns, width)))
    return block.pictures[np.ix_(y, x)][..., 0]


def test_deeper_filters_are_sums_of_those_below():
    of = model("stack")
    first, second = filters.filters_of(of, (8, 8))
    weights = [one.encoder[1].weight for one in of.blocks]
    assert torch.equal(first.weights.flatten(1), weights[0]) and first.weights.shape == (20, 8, 8)
    assert torch.allclose(second.weights.flatten(1), weights[1] @ weights[0]) and second.block == 2
    on_vae = fd.models.StackedAutoencoder(
        [vae(5), fd.models.Autoencoder(*(fd.networks.mlp([5, 5]) for _ in "ab"), loss="mse", decoder_output="linear")]
    )
    encoder = on_vae.blocks[0].encoder
    means = (encoder[-1].weight @ encoder[1].weight)[:5]
    assert torch.allclose(
        filters.filters_of(on_vae, (8, 8))[1].weights.flatten(1), on_vae.blocks[1].encoder[1].weight @ means
    )


@pytest.mark.parametrize(
    ("name", "shape"), [("convolutional", (4, 1, 3, 3)), ("classifier", (20, 8, 8)), ("VAE", (12, 8, 8))]
)
def test_the_first_layer_is_found(name, shape):
    of = model(name)
    assert filters.filters_of(getattr(of, "autoencoder", of), (8, 8))[0].weights.shape == shape
    assert filters.filters_of(torch.nn.Sequential(), (8, 8)) == []


def test_filters_are_grey_at_zero_and_reach_their_own_largest():
    drawn = filters.pictures_of(torch.tensor([[[0.0, 2.0], [-4.0, 1.0]], [[0.0, 0.5], [0.0, 0.0]]]))
    assert drawn.tolist() == [[[0.5, 0.75], [0.0, 0.625]], [[0.5, 1.0], [0.5, 0.5]]]


def test_a_latent_grid_has_the_quantiles_of_the_prior_as_a_plot_has_them(monkeypatch):
    of, given = model("DVAE"), []
    monkeypatch.setattr(type(of), "decode", lambda self, z: given.append(z) or torch.zeros(len(z), 64))
    latent.grid(subject(of))
    (z,) = given
    plane = z.reshape(11, 11, 2)
    assert (plane[0, :, 0].diff() > 0).all() and (plane[:, 0, 1].diff() < 0).all()
    assert torch.equal(plane[0, :, 0], plane[7, :, 0]) and torch.equal(plane[:, 0, 1], plane[:, 5, 1])
    normal = torch.special.ndtri(torch.linspace(0.05, 0.95, 11))
    assert torch.allclose(plane[0, :, 0], normal, atol=0.06) and torch.allclose(
        plane[:, 0, 1].flip(0), normal, atol=0.06
    )


def test_other_codes_stay_at_one_draw_and_codes_without_a_prior_at_their_own_quantiles(monkeypatch):
    of, given = model("VAE"), []
    monkeypatch.setattr(type(of), "decode", lambda self, z: given.append(z) or torch.zeros(len(z), 64))
    latent.grid(subject(of))
    assert (given[0][:, 2:] == given[0][0, 2:]).all() and given[0].shape == (121, 4)
    line = subject(model("manifold"))
    monkeypatch.setattr(type(line.model), "decode", lambda self, z: given.append(z) or torch.zeros(len(z), 64))
    with inference(line.model):
        latent.grid(line)
        own = line.model.encode(line.split.images)
    assert torch.allclose(given[1][:, 0], torch.quantile(own, torch.linspace(0.05, 0.95, 20)), atol=1e-6)


@pytest.mark.parametrize(("name", "spherical"), [("VAE", True), ("autoencoder", False)])
def test_paths_lead_from_image_to_image(name, spherical, monkeypatch):
    of = subject(model(name))
    decode, given = type(of.model).decode, []
    monkeypatch.setattr(type(of.model), "decode", lambda self, z: given.append(z) or decode(self, z))
    with inference(of.model):
        caption, gallery = latent.interpolation(of)
        z = of.model.encode(of.split.images[:12])
    assert torch.allclose(given[0], z[:6], atol=1e-5) and torch.allclose(given[-1], z[6:], atol=1e-5)
    assert ("spherical" in caption) == spherical and gallery.blocks[0].columns[0] == "a"
    if not spherical:
        assert torch.allclose(given[2], 0.6 * z[:6] + 0.4 * z[6:], atol=1e-5)


def test_arcs_keep_the_length_of_their_ends():
    of, given = subject(model("VAE")), []
    ends = torch.nn.functional.normalize(torch.randn(12, 4, generator=torch.Generator().manual_seed(0)), dim=1) * 2
    of.model.encode = lambda x: ends
    of.model.decode = lambda z: given.append(z) or torch.zeros(len(z), 64)
    latent.interpolation(of)
    assert torch.allclose(torch.stack(given).norm(dim=2), torch.tensor(2.0), atol=1e-5)


def test_histograms_have_draws_of_the_posterior(monkeypatch):
    of, seen = subject(model("DVAE")), {}
    monkeypatch.setattr(codes, "code_histograms", lambda some, *_: seen.update(some))
    with inference(of.model):
        codes.histograms(of)[1](None)
        posterior = of.model.posterior(of.corrupted(of.split.images))
    assert list(seen) == ["prior", "clean", "posterior"] and len(seen["prior"]) == 10_000
    noise = (torch.from_numpy(seen["posterior"]) - posterior.mean) / (0.5 * posterior.log_variance).exp()
    assert abs(float(noise.mean())) < 0.3 and 0.7 < float(noise.std()) < 1.3


def test_rising_corruption_is_that_of_the_model():
    with inference(of := model("convolutional")):
        caption, gallery = robustness.pictures(subject(of))
    assert [name.split("\n")[0] for name in gallery.blocks[0].rows] == [
        f"drop = {drop:g}" for drop in (0, 0.25, 0.5, 0.75, 0.9)
    ]
    assert gallery.blocks[0].rows[2].endswith("(training)") and "Masking corruption" in caption
    kept = cells(gallery.blocks[0], 6)
    assert (kept[0] >= kept[-1]).all() and gallery.blocks[0].title == "corrupted input"


@pytest.mark.parametrize(
    "corruption", [fd.corruptions.Patches(3, 2), fd.corruptions.Shuffling(4)], ids=["patches", "tiles"]
)
def test_corruptions_of_regions_rise_too(corruption):
    of = MODELS["autoencoder"](corruption=corruption)
    with inference(of):
        rows = robustness.pictures(subject(of))[1].blocks[0].rows
        strength = reconstructions.strength_of(corruption).split(",")[0]
    assert sum("(training)" in row for row in rows) == 1 and f"{strength}\n(training)" in rows


def test_samples_from_the_top_stand_beside_their_images():
    of = subject(model("stack"), seed=3)
    with inference(of.model):
        _, gallery = stacks.top_down(of)
        samples = of.model.sample_top_down(of.split.images[:10], 9, seed=3)
    expected = torch.cat([of.split.images[:10].float()[None] / 255, samples.reshape(9, 10, 8, 8)])[:, :, 4, 4].T
    assert np.allclose(cells(gallery.blocks[0], 10), expected * 255, atol=1)


def test_least_and_greatest_sigma_are_told():
    of = subject(model("noise transformer"))
    values = of.model.sigma(of.split.images).detach()
    with inference(of.model):
        least, greatest = sigma.extremes(of)[1].blocks
        figure = sigma.sigmas(of)[1](WIDE)
    ranked, half = values.sort().values, len(values) // 2  # fewer than a hundred: no image is at both ends
    assert half < 50 and least.title == f"least σ: {ranked[0]:.3f} to {ranked[half - 1]:.3f}"
    assert greatest.title == f"greatest σ: {ranked[-half]:.3f} to {ranked[-1]:.3f}"
    first = of.split.images[int(values.argmin())].float()[4, 4]
    assert cells(least, 10)[0, 0] == pytest.approx(float(first), abs=1)
    assert [text.get_text().split("\n")[0] for text in figure.axes[0].texts] == [
        f"mean {values.mean():.3f}",
        "floor 0.400",
    ]


def test_the_confusion_matrix_counts_and_the_surest_mistakes_come_first():
    of, data = classifier(), digits(30)
    labels = data.test.labels
    logits = torch.zeros(30, 10).scatter(1, labels[:, None], 1.0)
    logits[4] = torch.zeros(10).scatter(0, (labels[4:5] + 1) % 10, 9.0)
    logits[7] = torch.zeros(10).scatter(0, (labels[7:8] + 2) % 10, 5.0)
    of.classify = lambda x: logits[: len(x)]
    about = subject(of, data)
    names = [one.name for one in classes.draw(about)]
    told = classes.Told(labels.long(), logits.argmax(1), logits.softmax(1).amax(1))
    caption, redraw = classes.matrix(about, told)
    shares = np.asarray(redraw(WIDE).axes[0].images[0].get_array())
    assert names == ["confusion", "most-wrong"] and "28 (93.33%) are told right" in caption
    same = int((labels == labels[4]).sum())
    assert shares[labels[4], (labels[4] + 1) % 10] == pytest.approx(100 / same)
    (block,) = classes.most_wrong(about, told)[1].blocks
    assert block.columns == tuple(
        f"{(int(labels[i]) + step) % 10}\nnot {int(labels[i])}" for i, step in ((4, 1), (7, 2))
    )
