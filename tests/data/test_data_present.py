"""That a look for a set's files says what its loader would: it finds them, or misses one."""

import itertools

import pytest

from fastdaae import data
from fastdaae.data.present import is_here

CIFAR = "cifar-10/cifar-10-batches-bin"
FILES = {
    "mnist": [f"mnist/{part}-ubyte.gz" for part in ("train-images-idx3", "train-labels-idx1")]
    + [f"mnist/{part}-ubyte" for part in ("t10k-images-idx3", "t10k-labels-idx1")],
    "omniglot": ["images_background.zip", "images_evaluation.zip"],
    "sprites": ["sprites-lpc/lpc_parts.zip"],
    "cifar-10": [f"{CIFAR}/data_batch_1.bin.xz", f"{CIFAR}/test_batch_first1000.bin.xz"],
    "celeba": ["CelebA/list_eval_partition.txt", "CelebA/list_attr_celeba.txt", "CelebA/img_align_celeba.zip"],
    "cub-200": [
        f"CUB_200_2011/{name}"
        for name in (
            "images.txt",
            "bounding_boxes.txt",
            "train_test_split.txt",
            "image_class_labels.txt",
            "classes.txt",
            "images/one.jpg",
        )
    ],
}  # fmt: skip
FILES["mnist-rot"] = FILES["mnist"]
FILES["fashion-mnist"] = [name.replace("mnist/", "fashion-mnist/") for name in FILES["mnist"]]


def placed(root, names) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("name", FILES)
def test_a_set_is_here_where_all_its_files_are(name, tmp_path):
    placed(tmp_path / "all", FILES[name])
    assert is_here(name, tmp_path / "all")
    # the loader finds them too, and that they are empty
    with pytest.raises(ValueError):
        data.load(name, root=tmp_path / "all")
    for place, some in enumerate(itertools.combinations(FILES[name], len(FILES[name]) - 1)):
        placed(tmp_path / str(place), some)
        assert not is_here(name, tmp_path / str(place)), some
    with pytest.raises(FileNotFoundError):
        data.load(name, root=tmp_path / str(place))  # without the first file


def test_sets_that_need_no_files_are_everywhere(tmp_path):
    needs_none = set(data.names()) - set(FILES) - {"mnist-bg-rand", "mnist-bg-rand-rot"}
    assert needs_none == {"digits", "patches", "flower"} and all(is_here(name, tmp_path) for name in needs_none)


@pytest.mark.needs_data
def test_what_is_here_loads():
    assert is_here("omniglot") and len(data.load("omniglot", size=7, classes=3).train.images) == 57
