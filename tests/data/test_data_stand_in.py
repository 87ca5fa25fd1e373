"""Generated sets in the form of the named ones."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from fastdaae import data
from tests.data.small_sets import refuses

GREY = (28, 28)
SHAPES = {
    "digits": (8, 8),
    "mnist": GREY,
    "fashion-mnist": GREY,
    "mnist-rot": GREY,
    "mnist-bg-rand": GREY,
    "mnist-bg-rand-rot": GREY,
    "omniglot": GREY,
    "sprites": (3, 64, 64),
    "cifar-10": (3, 32, 32),
    "celeba": (3, 64, 64),
    "cub-200": (3, 128, 128),
    "patches": (12, 12),
    "flower": (64, 64),
}


def parts(dataset: data.Dataset) -> dict[str, data.Split]:
    found = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {name: part for name, part in {**found, "evaluation": dataset.evaluation}.items() if part is not None}


@pytest.mark.parametrize("name", SHAPES)
def test_a_stand_in_has_the_form_of_its_set(name):
    dataset = data.stand_in(name, images=80)
    for part in parts(dataset).values():
        assert part.images.shape[1:] == SHAPES[name]
        assert part.images.dtype == (torch.float32 if name == "patches" else torch.uint8)
        for numbers, names, dtype in (
            (part.labels, dataset.classes, torch.int64),
            (part.attributes, dataset.attributes, torch.bool),
        ):
            assert (numbers is None) == (names is None)
            if numbers is not None:
                assert numbers.dtype == dtype and len(numbers) == len(part.images)
        if part.labels is not None and part is not dataset.evaluation:
            assert part.labels.min() >= 0 and part.labels.max() < len(dataset.classes)
        if part.attributes is not None:
            assert part.attributes.shape[1] == len(dataset.attributes)
    assert dataset.name == name and len(set(dataset.classes or ())) == len(dataset.classes or ())
    assert len(dataset.train.images) == (76 if name == "omniglot" else 80)


def test_equal_arguments_give_equal_sets():
    one, same, other, named = (
        data.stand_in(name, 40, seed) for name, seed in [("mnist", 0), ("mnist", 0), ("mnist", 1), ("mnist-rot", 0)]
    )
    for part, again in zip(parts(one).values(), parts(same).values(), strict=True):
        assert torch.equal(part.images, again.images) and torch.equal(part.labels, again.labels)
    assert not torch.equal(one.train.images, other.train.images)
    assert not torch.equal(one.train.images, named.train.images)


def test_a_classifier_learns_the_classes_and_the_attributes():
    mnist, faces = data.stand_in("mnist"), data.stand_in("celeba", 400)

    def learned(train: data.Split, test: data.Split, targets) -> float:
        points = [split.images.flatten(1)[:, ::7].double() / 255 for split in (train, test)]
        return LogisticRegression(max_iter=200).fit(points[0], targets(train)).score(points[1], targets(test))

    assert learned(mnist.train, mnist.test, lambda split: split.labels) > 0.9
    assert learned(faces.train, faces.test, lambda split: split.attributes[:, 15]) > 0.8


def test_omniglot_is_split_by_drawers():
    dataset = data.stand_in("omniglot", 190)
    assert torch.bincount(dataset.train.labels).tolist() == [19] * 10
    assert dataset.test.labels.tolist() == list(range(10)) and dataset.validation is None
    assert torch.bincount(dataset.evaluation.labels).tolist() == [20] * 20


def test_patches_are_whitened():
    images = data.stand_in("patches", 4000).train.images
    assert abs(images.mean()) < 0.05 and images.var().item() == pytest.approx(1, abs=0.1) and images.min() < -1


@pytest.mark.parametrize(
    ("arguments", "message", "kind"),
    [
        (("minst",), "got 'minst'; did you mean 'mnist'?", ValueError),
        ((7,), "name must be one of 'digits', 'mnist'", ValueError),
        (("mnist", 39), "images must be a whole number >= 40, got 39", ValueError),
        (("mnist", "many"), "images must be a whole number >= 40, got 'many'", TypeError),
        (("mnist", 40, -1), "seed must be a whole number >= 0, got -1", ValueError),
    ],
)
def test_refusals(arguments, message, kind):
    refuses(lambda: data.stand_in(*arguments), message, kind)
