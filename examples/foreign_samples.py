"""Samples of any generator, measured as ours are: likelihood, dimension, and the difference to real images.

python examples/foreign_samples.py                           # a Gaussian mixture, fitted to digits here
python examples/foreign_samples.py samples.npz --data mnist  # your own: [N, C, H, W] or [N, D], floats in [0, 1]
"""

import argparse

import numpy as np
from sklearn.mixture import GaussianMixture

import fastdaae as fd


def mixture_samples(images: np.ndarray, count: int) -> np.ndarray:
    """Samples [count, ...] of a Gaussian mixture that is fitted to images [N, ...], as floats in [0, 1]."""
    rows = images.reshape(len(images), -1) / 255
    mixture = GaussianMixture(20, covariance_type="full", reg_covar=1e-3, random_state=0).fit(rows)
    drawn, _ = mixture.sample(count)
    return drawn.clip(0, 1).astype(np.float32).reshape(count, *images.shape[1:])


def main(samples: str | None, data: str) -> None:
    dataset = fd.data.load(data)
    real = dataset.train.images
    points = mixture_samples(real.numpy(), len(real)) if samples is None else next(iter(np.load(samples).values()))

    held_out = {"validation": dataset.validation.images}
    test = dataset.test.images
    for name, fitted in (("samples", points), ("real images", real)):
        window = fd.ParzenWindow().fit(fitted, **held_out)
        dimension = fd.IntrinsicDimension(k=50).fit(fitted).dimension_
        told = f"{window.mean_log_likelihood(test)} nats at bandwidth {window.bandwidth_:.3f}"
        print(f"{name}: {told}, dimension {dimension:.1f} (n = {len(fitted):,}, k = 50)")
    print(f"samples - real images: {fd.evaluation.compare(points, real, test, **held_out)} nats, paired over the test")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", nargs="?", help="an .npz file; its first array is read")
    parser.add_argument("--data", default="digits")
    main(**vars(parser.parse_args()))
