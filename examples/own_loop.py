"""A training loop of your own: fastdaae's step and operators, everything else as you like it.

python examples/own_loop.py --epochs 30
"""

import argparse

import torch

import fastdaae as fd


def build(code: int) -> fd.IDAAE:
    """An iDAAE for 8 x 8 digits."""
    return fd.IDAAE(
        encoder=fd.networks.mlp([64, 256, 256, code]),
        decoder=fd.networks.mlp([code, 256, 256, 64], output="sigmoid"),
        discriminator=fd.networks.mlp([code, 256, 256, 1]),
        prior=fd.priors.Normal(code),
        corruption=fd.corruptions.Gaussian(0.2),
        copies=5,
        image_shape=(8, 8),
    )


def train(model: fd.IDAAE, images: torch.Tensor, epochs: int, batch_size: int = 64) -> None:
    """Own optimisers, schedule and order of the data; the step corrupts, forwards, backpropagates and updates."""
    optimizers = {name: torch.optim.Adam(group, lr=1e-3) for name, group in model.parameter_groups().items()}
    schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(one, epochs) for one in optimizers.values()]
    step = fd.compile_step(model, optimizers, seed=0)
    for epoch in range(epochs):
        for rows in torch.randperm(len(images)).split(batch_size):
            losses = step(images[rows])  # {"reconstruction", "discriminator", "encoder"}: 0-d tensors
        for schedule in schedules:
            schedule.step()
        told = ", ".join(f"{name} {float(loss):.3f}" for name, loss in losses.items())
        print(f"epoch {epoch + 1}/{epochs}: {told}", flush=True)


def main(epochs: int) -> None:
    torch.manual_seed(0)
    data = fd.data.load("digits")
    model = build(code=8)
    train(model, data.train.images, epochs)

    samples = model.sample(1000, steps=5)  # [1000, 8, 8]
    window = fd.ParzenWindow().fit(samples, validation=data.validation.images)
    print(f"{window.mean_log_likelihood(data.test.images)} nats at bandwidth {window.bandwidth_:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=30)
    main(**vars(parser.parse_args()))
