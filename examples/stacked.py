"""A stacked denoising autoencoder, pretrained block by block without labels, then fine-tuned on a few of them.

python examples/stacked.py --epochs 20 --labels 300
"""

import argparse

import torch

import fastdaae as fd

SETTINGS = {"optimizer": {"name": "adam", "weight_decay": 1e-7}, "lr": 5e-3, "batch_size": 64}


def block(inputs: int, outputs: int) -> fd.models.Autoencoder:
    """A layer of sigmoid units that reconstructs its own input from a noisy one."""
    return fd.models.Autoencoder(
        fd.networks.mlp([inputs, outputs], output="sigmoid"),
        fd.networks.mlp([outputs, inputs], output="sigmoid"),
        corruption=fd.corruptions.Gaussian(0.4),
        loss="mse",
    )


def stacked() -> fd.models.StackedAutoencoder:
    """Two of them, for 8 x 8 digits."""
    return fd.models.StackedAutoencoder([block(64, 200), block(200, 100)])


def main(epochs: int, labels: int) -> None:
    torch.manual_seed(0)
    data = fd.data.load("digits")
    few = data._replace(train=fd.data.Split(data.train.images[:labels], data.train.labels[:labels]))

    stack = stacked()
    fd.training.pretrain(stack, data, run_dir="stack", epochs=epochs, **SETTINGS)  # all images, no label
    drawn = stack.sample_top_down(data.test.images[:10], 5)  # five of each of ten: [5, 10, 8, 8]
    print(f"samples from the top down: {list(drawn.shape)}")

    for name, autoencoder in {"pretrained": stack, "from nothing": stacked()}.items():
        classifier = fd.models.Classifier(autoencoder, fd.networks.mlp([100, 100, 10]))
        fd.Trainer(classifier, epochs=2 * epochs, **SETTINGS).fit(few, progress=False)
        (accuracy,) = fd.evaluation.evaluate(classifier, data)
        print(f"{name}, {labels} labels: {accuracy}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--labels", type=int, default=300)
    main(**vars(parser.parse_args()))
