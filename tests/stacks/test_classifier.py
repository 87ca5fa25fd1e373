"""A classifier and the labels that the Trainer hands it: its step, its runs, and labels that are none."""

import math

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

import fastdaae as fd
from fastdaae import run_config
from fastdaae.corruptions import Masking
from fastdaae.data import Split
from fastdaae.models import VAE, Classifier
from fastdaae.noise import Site
from fastdaae.training import batches
from fastdaae.training.optimizers import make_optimizers
from tests.runs.small import require_same_run, timeless
from tests.stacks.small import block, classifier, dataset, images, labels, mlp, moved, refused, stack, state

cross_entropy = torch.nn.functional.cross_entropy


def fit(model, data=None, **settings):
    settings = {"epochs": 2, "batch_size": 32, "lr": 1e-2, **settings}
    return fd.Trainer(model, **settings).fit(dataset() if data is None else data, progress=False)


def step_of(model, optimizer="sgd", lr=0.1):
    return fd.compile_step(model, make_optimizers(model.parameter_groups(), optimizer, lr))


def test_a_step_is_gradient_descent_on_the_cross_entropy_of_encoder_and_head():
    model, by_hand = classifier(1), classifier(1)
    by_hand.load_state_dict(model.state_dict())
    x, y, before = images(20), labels(20), state(model)
    loss = cross_entropy(by_hand.head(by_hand.autoencoder.encoder(x / 255)), y)
    loss.backward()
    told = step_of(model)(x, labels=y)
    assert list(told) == ["classification"] and float(told["classification"]) == pytest.approx(loss.item(), rel=1e-6)
    encoder_and_head = {name for name in before if ".encoder." in name or name.startswith("head.")}
    assert moved(model, before) == encoder_and_head and len(encoder_and_head) == 8
    for (name, was), now in zip(by_hand.named_parameters(), model.parameters(), strict=True):
        assert torch.allclose(now, was if was.grad is None else was - 0.1 * was.grad, atol=1e-6), name


def test_an_untrained_head_of_zeros_has_the_loss_of_a_guess():
    model = classifier(classes=7)
    torch.nn.init.zeros_(model.head[-1].weight), torch.nn.init.zeros_(model.head[-1].bias)
    losses = model.validation_losses(images(21), fd.Noise(0), labels=labels(21, 7))
    assert float(losses["classification"]) == pytest.approx(math.log(7), rel=1e-6)
    assert float(losses["accuracy"]) == pytest.approx(3 / 21)  # all are taken for the first class


def test_a_corruption_is_of_training_alone():
    model, x, y = classifier(corruption=Masking(0.5)), images(20), labels(20)
    x_tilde = fd.ops.corrupt(x, Masking(0.5), fd.Noise(0), site=Site.RECONSTRUCTION)[0]
    expected = {name: cross_entropy(model(seen), y).item() for name, seen in {"noisy": x_tilde, "clean": x}.items()}
    clean = model.validation_losses(x, fd.Noise(0), labels=y)["classification"]
    assert float(clean) == pytest.approx(expected["clean"], rel=1e-6)
    assert float(step_of(model)(x, labels=y)["classification"]) == pytest.approx(expected["noisy"], rel=1e-6)


def test_every_autoencoder_may_be_classified_by():
    parts = mlp([16, 8, 2]), mlp([2, 16], "sigmoid"), mlp([2, 1])
    for autoencoder in (block(16, 2), fd.AAE(*parts, prior=fd.priors.Normal(2))):
        model = Classifier(autoencoder, mlp([2, 3]))
        before = state(model)
        step_of(model)(images(20), labels=labels(20))
        assert {name.partition(".")[0] for name in moved(model, before)} == {"autoencoder", "head"}
        assert not any("decoder" in name or "discriminator" in name for name in moved(model, before))
        assert model.encode(images(5)).shape == (5, 2) and model.classify(images(5)).shape == (5, 3)


def test_validation_is_the_mean_over_the_held_out_images():
    model = classifier()
    line = fit(model, epochs=1)[0]
    held_out = dataset().validation
    logits = model.eval().classify(held_out.images)
    assert line["validation"]["classification"] == pytest.approx(
        cross_entropy(logits, held_out.labels).item(), rel=1e-5
    )
    assert line["validation"]["accuracy"] == pytest.approx((logits.argmax(1) == held_out.labels).float().mean().item())


def test_it_learns_classes_that_can_be_told():
    y = labels(90)
    x = (torch.rand(90, 4, 4) * 0.2).scatter(2, y.reshape(-1, 1, 1).expand(90, 4, 1), 1.0)
    model = classifier()
    fit(model, Split(x, y), epochs=60, lr=2e-2)
    assert (model(x).argmax(1) == y).all()


@pytest.mark.parametrize("optimizer", ["adam", {"name": "adam", "weight_decay": 1e-7}])
def test_a_run_on_labels_is_resumed_to_the_bit(optimizer, tmp_path):
    straight, resumed = tmp_path / "straight", tmp_path / "resumed"
    whole = fit(classifier(), epochs=3, optimizer=optimizer, run_dir=straight)
    fit(classifier(), epochs=1, optimizer=optimizer, run_dir=resumed)
    again = fit(classifier(5), epochs=3, optimizer=optimizer, run_dir=resumed)
    assert list(map(timeless, again)) == list(map(timeless, whole))
    require_same_run(resumed, straight)
    other = dataset()._replace(train=Split(images(), labels().flip(0)))
    refused(lambda: fit(classifier(), other, optimizer=optimizer, run_dir=resumed), "holds a run with data=", "labels")


@pytest.mark.parametrize(
    "data",
    [
        lambda: Split(images(), labels().to(torch.uint8)),
        lambda: Split(images().numpy(), labels().numpy().astype(np.uint16)),
        lambda: TensorDataset(images(), labels()),
    ],
)
def test_labels_of_any_whole_numbers_train_alike(data):
    one, other = classifier(), classifier()
    fit(one, data())
    fit(other, Split(images(), labels()))
    assert not moved(one, state(other))


def test_the_fingerprint_covers_labels_where_they_are_used(tmp_path):
    plain, labelled = tmp_path / "plain", tmp_path / "labelled"
    fit(block(16, 8), dataset(), run_dir=plain)
    assert fit(block(16, 8), Split(images(), labels().flip(0)), run_dir=plain)  # nobody looked at the labels
    fit(classifier(), run_dir=labelled)
    marks = [run_config.read_config(run, "this")["data"] for run in (plain, labelled)]
    assert marks[1].startswith(marks[0] + " labels crc32 ") and batches.fingerprint(images()) == marks[0]


GOOD = images(), labels()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            GOOD[0],
            "dataset must have labels, which the model's step takes, got images alone; pass fd.data.Split(images",
        ),
        (Split(GOOD[0]), "dataset must have labels, which the model's step takes"),
        (dataset()._replace(validation=Split(GOOD[0])), "validation must have labels"),
        (Split(GOOD[0], GOOD[1][:-1]), "labels must have shape [96], one for each image, got [95]"),
        (Split(GOOD[0], GOOD[1][:, None]), "labels must have shape [96], one for each image, got [96, 1]"),
        (Split(GOOD[0], GOOD[1].float()), "labels must be a tensor or array of whole numbers, got dtype torch.float32"),
        (Split(GOOD[0], GOOD[1].tolist()), "labels must be a tensor or array of whole numbers, got list; number"),
        (Split(GOOD[0], GOOD[1] + 1), "labels must be in 0..2, as the head gives 3 logits, got 1..3; end the head in"),
        (Split(GOOD[0], GOOD[1] - 1), "labels must be in 0..2, as the head gives 3 logits, got -1..1"),
        (dataset()._replace(validation=Split(GOOD[0], GOOD[1] * 2)), "validation labels must be in 0..2, as the head"),
        (Split(GOOD[0][:, :3], GOOD[1]), "dataset must hold images that the model takes, got ['N', 3, 4]"),
    ],
)
def test_bad_labels_are_refused_before_any_work(data, words, tmp_path):
    model = classifier()
    before = state(model)
    refused(lambda: fit(model, data, run_dir=tmp_path / "run"), words)
    assert not moved(model, before) and not (tmp_path / "run").exists()


def test_a_step_asks_for_labels_where_the_model_takes_them():
    x, y = GOOD
    told = "labels must be given, since Classifier.step takes them; use step(x, labels=y)"
    refused(lambda: step_of(classifier())(x), told)
    refused(lambda: step_of(block(16, 8))(x, labels=y), "must be left out, since Autoencoder.step takes none")
    refused(lambda: step_of(classifier())(x, labels=y[:5]), "labels must have shape [96]")
    refused(lambda: step_of(classifier())(x, labels=y + 5), "labels must be in 0..2")


def test_what_is_no_classifier():
    refused(lambda: Classifier(mlp([16, 4]), mlp([4, 3])), "autoencoder must be one of fastdaae.models", "'encode'")
    refused(lambda: Classifier(stack(), 10), "head must be a torch.nn.Module, got 10")
    refused(lambda: Classifier(stack(), mlp([4, 3]), corruption=0.3), "corruption must be one of")
    shaped = block(16, 4, image_shape=(4, 4))
    refused(lambda: Classifier(shaped, mlp([4, 3]), image_shape=(2, 8)), "the autoencoder's, [4, 4], got [2, 8]")
    wide = Classifier(stack(), torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Unflatten(1, (2, 2))))
    refused(lambda: wide(images()), "head must give one row of logits an image, [N, K], got [96, 2, 2]")
    for model, size in ((stack(), 4), (VAE(mlp([16, 8]), mlp([4, 16], "sigmoid")), 4), (shaped, 4)):
        told = f"head must take the autoencoder's codes, {size} numbers, got 8"
        refused(lambda model=model: Classifier(model, mlp([8, 3])), told)
    unknown = torch.nn.Sequential(torch.nn.Softplus(), mlp([5, 3]))  # of which layers do not tell
    refused(lambda: fit(Classifier(stack(), unknown)), "dataset must hold images that the model takes")


def test_a_classifier_has_an_accuracy_and_no_samples():
    model = classifier()
    (measure,) = fd.evaluation.evaluate(model, dataset())
    test = dataset().test
    assert measure.value == pytest.approx((model(test.images).argmax(1) == test.labels).float().mean().item())
    refused(lambda: model.sample(3, steps=2), "a Classifier has no images to sample; sample its autoencoder instead")
