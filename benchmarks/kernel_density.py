"""What scikit-learn's KernelDensity returns in 784 dimensions: `python benchmarks/kernel_density.py`.

10,000 training images as samples, 50 test images as queries, float32 pixels in [0, 1]: MNIST where FASTDAAE_DATA is
set. Printed are mean nats by bandwidth: of KernelDensity as it comes, with one leaf for all samples, which is a sum
over all pairs, and of fastdaae; and the largest error of a query as it comes.
"""

import numpy as np
from common import DATA, held_out_images, images, pixels
from sklearn.neighbors import KernelDensity

import fastdaae as fd

SAMPLES, QUERIES = 10_000, 50
BANDWIDTHS = (0.1, 0.2, 0.3, 0.5, 1.0)


def log_densities(
    samples: np.ndarray, queries: np.ndarray, bandwidth: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nats [Q] of KernelDensity as it comes, of KernelDensity with one leaf, and of fastdaae."""
    default = KernelDensity(bandwidth=bandwidth).fit(samples).score_samples(queries)
    one_leaf = KernelDensity(bandwidth=bandwidth, leaf_size=len(samples)).fit(samples).score_samples(queries)
    return default, one_leaf, fd.ParzenWindow(bandwidth=bandwidth).fit(samples).score_samples(queries)


def main() -> None:
    """Print the table."""
    samples, queries = pixels(images()[:SAMPLES]).numpy(), pixels(held_out_images()[:QUERIES]).numpy()
    print(f"data: {DATA}, {SAMPLES} samples, {QUERIES} queries; mean nats")
    print("bandwidth | KernelDensity() | KernelDensity(leaf_size=all) | fastdaae | largest error of KernelDensity()")
    for bandwidth in BANDWIDTHS:
        default, one_leaf, ours = log_densities(samples, queries, bandwidth)
        error = np.abs(default - one_leaf).max()
        means = f"{default.mean():15.1f} | {one_leaf.mean():28.1f} | {ours.mean():8.1f}"
        print(f"{bandwidth:9g} | {means} | {error:.1f}")


if __name__ == "__main__":
    main()
