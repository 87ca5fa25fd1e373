"""Small files in the formats that the sets are published in."""

import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

RNG = np.random.default_rng(3)


def png(image: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def cifar_records(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, bytes]:
    """(images [N, 3, 32, 32], labels [N], the file of the binary version)."""
    rng = np.random.default_rng(seed)
    images, labels = rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8), rng.integers(0, 10, count)
    records = np.concatenate([labels[:, None].astype(np.uint8), images.reshape(count, -1)], axis=1)
    return images, labels, records.tobytes()


class _Python2Array:
    """Pickles as Python 2 pickled an array of bytes: its strings are bytes now."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def opcodes(self) -> bytes:
        rows, columns = self.array.shape
        content = self.array.tobytes()
        return (
            b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03"
            + b"(K\x01J"
            + rows.to_bytes(4, "little")
            + b"J"
            + columns.to_bytes(4, "little")
            + b"\x86"
            + b"cnumpy\ndtype\nq\x04U\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
            + b"T"
            + len(content).to_bytes(4, "little")
            + content
            + b"tb"
        )


def cifar_pickle(images: np.ndarray, labels: np.ndarray, *, python2: bool = True) -> bytes:
    """A batch of the python version, as Python 2 wrote it by protocol 2, or as Python 3 does."""
    flat = images.reshape(len(images), -1)
    if not python2:
        return pickle.dumps({b"data": flat, b"labels": labels.tolist()}, protocol=4)
    numbers = b"]q\x05(" + b"".join(b"K" + bytes([label]) for label in labels.tolist()) + b"e"
    text = b"U\x0bbatch_labelU\x15training batch 1 of 5"
    return b"\x80\x02}q\x00(" + text + b"U\x06labels" + numbers + b"U\x04data" + _Python2Array(flat).opcodes() + b"u."


def omniglot_bits(characters: dict[str, int]) -> dict[str, np.ndarray]:
    """{part: bits bool [characters x 20, 105, 105], ink True} of small parts."""
    return {part: RNG.random((count * 20, 105, 105)) < 0.1 for part, count in characters.items()}


def omniglot_names(part: str, count: int) -> list[tuple[str, int, int]]:
    """(alphabet, character, drawer) of each image in the order of the archives."""
    alphabets = {"background": ("Alpha", "Beta"), "evaluation": ("Gamma",)}[part]
    return [
        (alphabets[number % len(alphabets)], number // len(alphabets) + 1, drawer)
        for number in range(count)
        for drawer in range(1, 21)
    ]


def omniglot_pictures(part: str, bits: np.ndarray) -> dict[str, bytes]:
    """{name in the archive: PNG}."""
    return {
        f"images_{part}/{alphabet}/character{number:02d}/{row + 1:04d}_{drawer:02d}.png": png(Image.fromarray(~image))
        for row, (image, (alphabet, number, drawer)) in enumerate(
            zip(bits, omniglot_names(part, len(bits) // 20), strict=True)
        )
    }


def omniglot_arrays(part: str, bits: np.ndarray, alphabets: list[str]) -> dict[str, np.ndarray]:
    names, numbers, drawers = zip(*omniglot_names(part, len(bits) // 20), strict=True)
    return {
        f"{part}_bits": np.packbits(bits, axis=2),
        f"{part}_alphabet": np.array([alphabets.index(name) for name in names], np.uint8),
        f"{part}_character": np.array(numbers, np.uint8),
        f"{part}_drawer": np.array(drawers, np.uint8),
    }
