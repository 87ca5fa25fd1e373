"""CelebA and CUB-200-2011: tables of what the photographs are, and photographs that are cropped and shrunk."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from fastdaae import data
from fastdaae.data.class_names import CELEBA_ATTRIBUTES
from tests.data.sets.published import png, zipped
from tests.data.small_sets import refuses

RNG = np.random.default_rng(6)
FACES = RNG.integers(0, 256, (7, 5, 4, 3), dtype=np.uint8)
PARTITION = [0, 0, 1, 2, 0, 1, 2]
HELD = RNG.random((7, 40)) < 0.5


def name_of(row: int) -> str:
    return f"{row + 1:06d}.jpg"


def face(row: int) -> Image.Image:
    return Image.fromarray(FACES[row]).resize((178, 218), Image.Resampling.BICUBIC)


def celeba(root, *, archive: bool = False, **changed: str | bytes) -> None:
    """The published files with seven faces; `changed` are other contents of the two lists or of the third face."""
    partition = "".join(f"{name_of(row)} {part}\n" for row, part in enumerate(PARTITION))
    held = "".join(f"{name_of(row)}  {' '.join(' 1' if one else '-1' for one in HELD[row])}\n" for row in range(7))
    attributes = f"7\n{' '.join(CELEBA_ATTRIBUTES)} \n{held}"
    (root / "list_eval_partition.txt").write_text(changed.get("partition", partition))
    (root / "list_attr_celeba.txt").write_text(changed.get("attributes", attributes))
    faces = {f"img_align_celeba/{name_of(row)}": png(face(row), "JPEG") for row in range(7)}
    faces[f"img_align_celeba/{name_of(2)}"] = changed.get("third", faces[f"img_align_celeba/{name_of(2)}"])
    if archive:
        zipped(root / "img_align_celeba.zip", faces)
        return
    (root / "img_align_celeba").mkdir()
    for name, content in faces.items():
        (root / name).write_bytes(content)


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("crop", [178, 108])
def test_celeba(tmp_path, archive, crop):
    celeba(tmp_path, archive=archive)
    told = []
    dataset = data.load_celeba(tmp_path, crop=crop, progress=lambda *done: told.append(done))
    assert dataset.attributes == CELEBA_ATTRIBUTES and dataset.classes is None and told == [(7, 7)]
    for number, part in enumerate(dataset[:3]):
        rows = [row for row in range(7) if PARTITION[row] == number]
        assert part.labels is None and part.attributes.dtype == torch.bool
        np.testing.assert_array_equal(part.attributes, HELD[rows])
        left, top = (178 - crop) // 2, (218 - crop) // 2
        for image, row in zip(part.images, rows, strict=True):
            photograph = Image.open(io.BytesIO(png(face(row), "JPEG")))
            square = photograph.crop((left, top, left + crop, top + crop))
            expected = np.moveaxis(np.asarray(square.resize((64, 64), Image.Resampling.BILINEAR)), -1, 0)
            np.testing.assert_array_equal(image, expected)


def test_the_first_faces_of_each_part(tmp_path):
    celeba(tmp_path)
    dataset = data.load_celeba(tmp_path, images=1)
    assert [len(part.images) for part in dataset[:3]] == [1, 1, 1]
    np.testing.assert_array_equal(dataset.validation.attributes, HELD[[2]])


HEAD = f"7\n{' '.join(CELEBA_ATTRIBUTES)}\n"
FACES_DAMAGED = {
    "part 3": ({"partition": "000001.jpg 3\n"}, "list_eval_partition.txt must name a photograph and a part 0, 1 or 2"),
    "path": ({"partition": "../000001.jpg 0\n"}, "must name a photograph and a part 0, 1 or 2 in each line"),
    "columns": ({"partition": "000001.jpg 0\n\n000002.jpg\n"}, "must have 2 words in each line, got 1 in line 2"),
    "empty": ({"partition": ""}, "list_eval_partition.txt must have lines, got none"),
    "no train": ({"partition": "000001.jpg 1\n"}, "must put photographs in part 0, which trains, got none"),
    "no row": ({"partition": "000008.jpg 0\n"}, "must have a row for 000008.jpg, which list_eval_partition.txt names"),
    "other names": ({"attributes": "7\nBald\n000001.jpg 1\n"}, "must name CelebA's 40 attributes in line 2"),
    "a 0": ({"attributes": HEAD + "000001.jpg" + " 0" * 40}, "must have a name and 40 of 1 or -1 in each line"),
    "no jpeg": ({"third": b"<html>"}, "000003.jpg cannot be read as an image: UnidentifiedImageError"),
    "cut": ({"third": png(face(2), "JPEG")[:900]}, "000003.jpg cannot be read as an image: OSError"),
    "size": ({"third": png(Image.new("RGB", (178, 217)), "JPEG")}, "must have 178 x 218 pixels, got 178 x 217"),
    "bomb": ({"third": png(Image.new("L", (9_000, 9_000)))}, "9000 x 9000 pixels, and at most 16,777,216 we"),
}  # fmt: skip


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("case", FACES_DAMAGED)
def test_damaged_faces(tmp_path, case, archive):
    changed, told = FACES_DAMAGED[case]
    celeba(tmp_path, archive=archive, **changed)
    refuses(lambda: data.load("celeba", tmp_path), told)


def test_missing_faces(tmp_path):
    sums = {
        "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
        "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
        "img_align_celeba or img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
    }
    celeba(tmp_path)
    for name in reversed(sums):
        (tmp_path / name.partition(" ")[0]).rename(tmp_path / name.replace("_", "-"))
        refuses(lambda: data.load("celeba", tmp_path), f"celeba needs {name}: not found", FileNotFoundError)  # noqa: B023
        refuses(lambda: data.load("celeba", tmp_path), f"(md5 {sums[name]})", FileNotFoundError)  # noqa: B023
    celeba_again = tmp_path / "again"
    celeba_again.mkdir()
    celeba(celeba_again)
    (celeba_again / "img_align_celeba" / "000002.jpg").unlink()
    refuses(lambda: data.load("celeba", celeba_again), "img_align_celeba/000002.jpg is missing; download it again")
    refuses(lambda: data.load_celeba(celeba_again, crop=179), "crop must be a whole number in 1..178, got 179")


def test_archives_of_faces_that_are_none(tmp_path):
    celeba(tmp_path, archive=True)
    zipped(tmp_path / "img_align_celeba.zip", {"img_align_celeba/000001.jpg": bytes(1 << 21)})
    refuses(lambda: data.load("celeba", tmp_path), "a photograph of 2,097,152 bytes")
    (tmp_path / "img_align_celeba.zip").write_bytes(b"<html>")
    refuses(lambda: data.load("celeba", tmp_path), "img_align_celeba.zip must be a zip archive; download it again")


BIRDS = {"001.Albatross/a.jpg": (1, 1), "001.Albatross/b.jpg": (1, 0), "002.Auklet/c.jpg": (2, 1)}
BOXES = [(10.0, 20.0, 40.0, 30.0), (0.0, 0.0, 500.0, 500.0), (5.5, 6.5, 20.9, 20.9)]


def cub(root, **changed: str | bytes) -> None:
    """The published files with three birds, the second grey; `changed` are other contents of the tables."""
    rows = list(enumerate(BIRDS.items(), 1))
    tables = {
        "images": "".join(f"{row} {name}\n" for row, (name, _) in rows),
        "image_class_labels": "".join(f"{row} {label}\n" for row, (_, (label, _)) in rows),
        "train_test_split": "".join(f"{row} {trains}\n" for row, (_, (_, trains)) in rows),
        "bounding_boxes": "".join(f"{row} {' '.join(map(str, box))}\n" for row, box in enumerate(BOXES, 1)),
        "classes": "1 001.Albatross\n2 002.Auklet\n",
    }
    for name, table in (tables | changed).items():
        (root / f"{name}.txt").write_text(table)
    for number, name in enumerate(BIRDS):
        path = root / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        bird(number).save(path)


def bird(number: int) -> Image.Image:
    image = Image.fromarray(FACES[number]).resize((90, 70), Image.Resampling.BICUBIC)
    return image.convert("L") if number == 1 else image


def test_cub(tmp_path):
    cub(tmp_path)
    dataset = data.load("cub-200", tmp_path)
    assert dataset.classes == ("001.Albatross", "002.Auklet") and dataset.validation is None
    assert dataset.train.labels.tolist() == [0, 1] and dataset.test.labels.tolist() == [0]
    inside = [(10, 20, 50, 50), (0, 0, 90, 70), (5, 6, 25, 26)]
    for image, number in ((dataset.train.images[0], 0), (dataset.test.images[0], 1), (dataset.train.images[1], 2)):
        photograph = Image.open(tmp_path / "images" / [*BIRDS][number]).convert("RGB").crop(inside[number])
        expected = np.moveaxis(np.asarray(photograph.resize((128, 128), Image.Resampling.BILINEAR)), -1, 0)
        np.testing.assert_array_equal(image, expected)


BIRDS_DAMAGED = {
    "path": ({"images": "1 ../a.jpg\n"}, "images.txt must have a number of its own and a name in each line"),
    "twice": ({"images": "1 a.jpg\n1 b.jpg\n"}, "images.txt must have a number of its own and a name in each line"),
    "no box": ({"bounding_boxes": "1 1 1 1 1\n"}, "bounding_boxes.txt must have 4 numbers for each of images.txt"),
    "no number": ({"bounding_boxes": "1 1 1 1 x\n" * 3}, "bounding_boxes.txt must have 4 numbers for each of images"),
    "nan": ({"bounding_boxes": "1 1 1 1 nan\n2 1 1 1 1\n3 1 1 1 1\n"}, "must have numbers of pixels or classes"),
    "outside": ({"bounding_boxes": "1 95 1 9 9\n2 1 1 1 1\n3 1 1 1 1\n"}, "must lie within its 90 x 70 pixels"),
    "part 2": ({"train_test_split": "1 2\n2 1\n3 0\n"}, "train_test_split.txt must have 1 for training, 0 for test"),
    "no train": ({"train_test_split": "1 0\n2 0\n3 0\n"}, "must have 1 for training, 0 for test"),
    "class 3": ({"image_class_labels": "1 1\n2 3\n3 1\n"}, "image_class_labels.txt must have classes 1..2"),
    "class 0": ({"image_class_labels": "1 1\n2 0\n3 1\n"}, "image_class_labels.txt must have classes 1..2"),
    "missing": ({"images": "1 a.jpg\n2 b.jpg\n3 c.jpg\n"}, "images/a.jpg is missing; download it again"),
}


@pytest.mark.parametrize("case", BIRDS_DAMAGED)
def test_damaged_birds(tmp_path, case):
    changed, told = BIRDS_DAMAGED[case]
    cub(tmp_path, **changed)
    refuses(lambda: data.load("cub-200", tmp_path), told)


def test_missing_birds(tmp_path):
    told = "cub-200 needs images.txt or CUB_200_2011.tgz: not found in "
    refuses(lambda: data.load("cub-200", tmp_path), told, FileNotFoundError)
    (tmp_path / "CUB_200_2011.tgz").write_bytes(b"")
    refuses(lambda: data.load("cub-200", tmp_path), "CUB_200_2011.tgz must be unpacked; run tar -xf CUB_200_2011.tgz")
