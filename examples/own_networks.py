"""Networks of your own on colour images: train, sample, measure and report, from Python or from the command line.

    python examples/tiles.py tiles
    python examples/own_networks.py tiles --out runs/tiles

The command line takes the same networks, by the file and the function that makes them:

    fastdaae train --data tiles --model daae --networks examples/own_networks.py:make --out runs/tiles
"""

import argparse

import torch
from torch import nn

import fastdaae as fd


def make(image_shape: tuple[int, int, int], code: int) -> dict[str, nn.Module]:
    """The networks of an adversarial model for images [N, C, H, W], H and W multiples of 4, and codes [N, code]."""
    channels, height, width = image_shape
    small = (64, height // 4, width // 4)
    features = small[0] * small[1] * small[2]
    encoder = nn.Sequential(
        nn.Conv2d(channels, 32, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(features, code),
    )
    decoder = nn.Sequential(
        nn.Linear(code, features),
        nn.ReLU(),
        nn.Unflatten(1, small),
        nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(32, channels, 4, stride=2, padding=1),
        nn.Sigmoid(),
    )
    discriminator = fd.networks.mlp([code, 256, 256, 1])
    return {"encoder": encoder, "decoder": decoder, "discriminator": discriminator}


def main(data: str, out: str, epochs: int, code: int) -> None:
    dataset = fd.data.load(data)
    print(dataset)
    torch.manual_seed(0)
    model = fd.DAAE(
        **make(tuple(dataset.train.images.shape[1:]), code),
        prior=fd.priors.Normal(code),
        corruption=fd.corruptions.Gaussian(0.2),
    )
    print(model)
    fd.Trainer(model, lr=1e-3, epochs=epochs, run_dir=out).fit(dataset)

    samples = model.sample(1000, steps=5)  # [1000, 3, 16, 16], pixels in [0, 1]
    window = fd.ParzenWindow().fit(samples, validation=dataset.validation.images)
    print(f"{window.mean_log_likelihood(dataset.test.images)} nats at bandwidth {window.bandwidth_:.3f}")

    # a run is opened again with networks of the same make: modules are never unpickled
    again = fd.load(out, networks=make(model.image_shape, code))
    assert torch.equal(again.sample(10), model.sample(10))
    print(f"report in {fd.report(out, data=dataset, model=again)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a folder of images of one size, an .npz file, or a data set's name")
    parser.add_argument("--out", default="runs/tiles", help="the run's folder")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--code", type=int, default=16)
    main(**vars(parser.parse_args()))
