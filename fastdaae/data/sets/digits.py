"""The 8 x 8 digits that scikit-learn ships: always available, without a download."""

import numpy as np

from fastdaae.arrays import to_tensor
from fastdaae.data.class_names import DIGITS
from fastdaae.data.dataset import Dataset, Split

VALIDATION_START, TEST_START = 1297, 1547


def load_digits() -> Dataset:
    """The 1,797 handwritten digits of scikit-learn: images uint8 [N, 8, 8], labels int64 [N] in 0..9.

    The published grey levels 0..16 become round(level * 255 / 16). Split in file order into 1,297 / 250 / 250: the
    file runs from writer to writer, so the last writers are unseen in training and the test is harder than a
    shuffled one. Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI repository,
    1998.
    """
    from sklearn import datasets

    bunch = datasets.load_digits()
    images = to_tensor(np.rint(bunch.images * (255 / 16)).astype(np.uint8))
    labels = to_tensor(bunch.target.astype(np.int64))
    parts = (slice(None, VALIDATION_START), slice(VALIDATION_START, TEST_START), slice(TEST_START, None))
    train, validation, test = (Split(images[part], labels[part]) for part in parts)
    return Dataset(train, validation, test, "digits", DIGITS)
