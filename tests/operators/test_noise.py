"""Addressed noise in plain PyTorch: known answers, an independent float64 formula, and the laws of addressing."""

import numpy as np
import pytest
import torch

from fastdaae import Noise
from fastdaae import noise as addressed
from fastdaae.noise import Site

# Random123's kat_vectors for philox4x32-10: counter, key, answer
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def _tensors(text: str) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor(int(word, 16)) for word in text.split())


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter, key, answer):
    words = addressed.philox4x32(_tensors(counter), _tensors(key))
    assert " ".join(f"{int(word):08x}" for word in words) == answer


def test_words_are_philox_of_their_address():
    noise = Noise(seed=0x123456789ABCDEF0, step=77)
    drawn = addressed.words(noise, 3, 10, copies=2, row_offset=5, site=9)
    for copy, row, column in [(0, 0, 0), (1, 2, 9), (1, 0, 6), (0, 2, 3)]:
        counter = (column // 4, row + 5, copy | 9 << 16, 77)
        key = (0x9ABCDEF0, 0x12345678)
        expected = addressed.philox4x32(tuple(torch.tensor(c) for c in counter), tuple(torch.tensor(k) for k in key))[
            column % 4
        ]
        assert drawn[copy, row, column] == expected


def test_normals_are_box_muller_of_their_words():
    noise = Noise(seed=3)
    words = addressed.words(noise, 50, 64).numpy().astype(np.float64)[0]
    u, v = words[:, 0::2], words[:, 1::2]
    radius = np.sqrt(-2 * np.log((u + 0.5) / 2**32))
    angle = np.where(v >= 2**31, v - 2**32, v) * 2 * np.pi / 2**32
    drawn = addressed.normal(noise, 50, 64)[0].numpy()
    assert np.abs(drawn[:, 0::2] - radius * np.cos(angle)).max() < 1e-12
    assert np.abs(drawn[:, 1::2] - radius * np.sin(angle)).max() < 1e-12


def test_normals_have_the_moments_of_the_normal_distribution():
    drawn = addressed.normal(Noise(1), 2000, 784)
    count = drawn.numel()
    assert abs(float(drawn.mean())) < 4 / count**0.5
    assert abs(float(drawn.var()) - 1) < 4 * (2 / count) ** 0.5
    assert abs(float((drawn**4).mean()) - 3) < 4 * (96 / count) ** 0.5


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5, 63, 784])
@pytest.mark.parametrize("draw", [addressed.words, addressed.uniform, addressed.normal])
def test_pieces_equal_the_whole(draw, columns):
    noise = Noise(seed=11, step=4)
    whole = draw(noise, 7, columns, copies=3, site=Site.CHAIN)
    pieces = [draw(noise, n, columns, copies=3, row_offset=o, site=Site.CHAIN) for o, n in ((0, 2), (2, 4), (6, 1))]
    assert torch.equal(whole, torch.cat(pieces, dim=1))
    assert torch.equal(whole[:1], draw(noise, 7, columns, copies=1, site=Site.CHAIN))


def test_every_part_of_the_address_changes_the_noise():
    base = addressed.words(Noise(5), 4, 8)
    others = [
        addressed.words(Noise(6), 4, 8),
        addressed.words(Noise(5 + (1 << 32)), 4, 8),
        addressed.words(Noise(5, step=1), 4, 8),
        addressed.words(Noise(5), 4, 8, row_offset=4),
        addressed.words(Noise(5), 4, 8, site=1),
        addressed.words(Noise(5), 4, 8, copies=2)[1:],
    ]
    assert all(not (base == other).any() for other in others)


def test_sites_are_distinct():
    values = [value for name, value in vars(Site).items() if name.isupper()]
    assert len(values) == len(set(values)) >= 6


def test_advance_is_the_only_mutation():
    noise = Noise(seed=1 << 63, step=5)
    pointer = noise.state.data_ptr()
    ahead = noise.ahead(3)
    assert (noise.step, ahead.step, ahead.seed) == (5, 8, 1 << 63)
    noise.advance()
    assert noise.step == 6 and noise.state.data_ptr() == pointer
    assert Noise(0, step=0xFFFFFFFF).ahead(1).step == 0


@pytest.mark.parametrize(
    ("arguments", "message"), [({"seed": -1}, "seed"), ({"seed": 1 << 64}, "seed"), ({"step": -1}, "step")]
)
def test_noise_outside_its_range_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"{message} must be in 0"):
        Noise(**arguments)
