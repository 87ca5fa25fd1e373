"""What a classifier makes of images: the counts of every pair of true and given labels."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from fastdaae.evaluation.attempt import require_finite

_BATCH = 1000


@torch.no_grad()
def confusion(model: Any, images: Tensor, labels: Tensor) -> np.ndarray:
    """How many images [N, ...] (uint8 or [0, 1] pixels) of each label model.classify gives each label, int64 [K, K].

    Rows are the true labels [N] (whole numbers from 0), columns those with the greatest of the logits [N, K]; there
    are more rows than logits where a label is beyond them. Raises ValueError for an empty set, labels that do not fit
    the images, and logits that are not all numbers.
    """
    if len(images) == 0 or len(labels) != len(images):
        raise ValueError(f"labels must be one for each of at least one image, got {len(labels)} for {len(images)}")
    device = next(model.parameters()).device
    logits = torch.cat([model.classify(x.to(device)).flatten(1) for x in images.split(_BATCH)])
    require_finite("logits", logits)
    true, given = labels.cpu().numpy(), logits.argmax(1).cpu().numpy()
    classes = max(logits.shape[1], int(true.max()) + 1)
    return np.bincount(true * classes + given, minlength=classes * classes).reshape(classes, classes)
