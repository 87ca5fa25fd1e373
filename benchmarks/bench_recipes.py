"""Group "recipes": the training step of each recipe's models beside the same model in eager PyTorch."""

from collections.abc import Callable
from functools import partial

import torch
from adversarial import AddressedDraws, Eager, our_step
from interleaved import Group, Ready, Row
from recipe_peers import Classifying, Denoiser, LearnedNoise, Variational, as_written, same_steps
from torch import Tensor, nn

import fastdaae as fd
from fastdaae import networks
from fastdaae.corruptions import Gaussian

LABELS = torch.arange(128) % 10
Made = Callable[[], tuple[nn.Module, ...]]
Steps = Callable[..., tuple[Callable, Callable]]  # (channels_last, draw) -> (our step, the peer's)


def _batch(*shape: int) -> Tensor:
    """Images with a fifth of their pixels lit, uint8: a batch costs what it costs whatever it shows."""
    light = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    return ((light - 0.8) * 1275).clamp(0, 255).to(torch.uint8)


def _row(name: str, made: Steps, batch: Tensor) -> Row:
    """Ours or a peer's, made twice: with the same noise for the gate, and as it is timed."""
    channels_last = name == "torch-channels-last"

    def prepare() -> Ready:
        gates = same_steps(*made(channels_last, AddressedDraws()), batch)
        step = made(channels_last)[0 if name == "ours" else 1]
        step(batch)  # Adam's moments are not memory of the timed call
        return Ready(lambda: step(batch), gates, trains=True)

    return Row(name, prepare, None if name == "ours" else "torch")


def _group(title: str, made: Steps, batch: Tensor, convolves: bool = False) -> Group:
    peers = ("torch", "torch-channels-last") if convolves else ("torch",)
    return Group(f"recipe step: {title}", tuple(_row(name, made, batch) for name in ("ours", *peers)))


def _compiled(model: nn.Module) -> Callable:
    groups = model.parameter_groups()
    optimizers = {name: torch.optim.Adam(group, lr=1e-3, fused=True) for name, group in groups.items()}
    return fd.compile_step(model, optimizers, seed=0)


def _twins(made: Made, channels_last: bool) -> tuple[tuple[nn.Module, ...], tuple[nn.Module, ...]]:
    """The same networks twice: ours, and as PyTorch's layers."""
    twice = []
    for _ in range(2):
        torch.manual_seed(0)
        twice.append(made())
    return twice[0], tuple(as_written(network, channels_last) for network in twice[1])


def _denoiser(
    made: Made, sigma: float, clips: bool, output: str | None, channels_last: bool, *draw
) -> tuple[Callable, Callable]:
    ours, theirs = _twins(made, channels_last)
    corruption = Gaussian(sigma, clip=(0, 1) if clips else None)
    model = fd.models.Autoencoder(*ours, corruption=corruption, loss="mse", decoder_output=output)
    return _compiled(model), Denoiser(*theirs, sigma, clips, *draw)


def _variational(made: Made, sigma: float, channels_last: bool, *draw) -> tuple[Callable, Callable]:
    ours, theirs = _twins(made, channels_last)
    model = fd.models.VAE(*ours, corruption=Gaussian(sigma), decoder_output="logits")
    return _compiled(model), Variational(*theirs, sigma, *draw)


def _learned_noise(made: Made, weight: float, channels_last: bool, *draw) -> tuple[Callable, Callable]:
    ours, theirs = _twins(made, channels_last)
    model = fd.models.NoiseTransformer(*ours, weight=weight, loss="mse")
    return _compiled(model), LearnedNoise(*theirs, weight, *draw)


def _classifier(made: Made, channels_last: bool, *draw) -> tuple[Callable, Callable]:
    """Of encoder, decoder and head: the second is kept and not trained."""
    (encoder, decoder, head), theirs = _twins(made, channels_last)
    model = fd.models.Classifier(fd.models.Autoencoder(encoder, decoder, loss="mse"), head)
    step = _compiled(model)
    labelled = partial(step, labels=LABELS)
    labelled.optimizers = step.optimizers
    return labelled, Classifying(theirs[0], theirs[2], LABELS, *draw)


def _adversarial(made: Made, copies: int, code: int, channels_last: bool, *draw) -> tuple[Callable, Callable]:
    ours, theirs = _twins(made, channels_last)
    return our_step(ours, copies, code)[1], Eager(theirs, copies, *draw)


def _dense(*sizes: tuple[int, ...]) -> Made:
    return lambda: tuple(networks.mlp(one) for one in sizes)


def _pair(encoder: Callable, decoder: Callable, *given, **choices) -> Made:
    return lambda: (encoder(*given, **choices), decoder(*given, **choices))


def _released_faces() -> tuple[nn.Module, ...]:
    how = {"image_shape": (3, 32, 32), "code": 200, "filters": 16, "batch_norm": False}
    decoder = nn.Sequential(*networks.dcgan_decoder(**how, output=None), nn.Flatten())
    return networks.dcgan_encoder(**how), decoder, networks.mlp([200, 1000, 1000, 1])


_SIGMOID = {"output": "sigmoid"}
_BLOCKS = networks.cae_block_encoder, networks.cae_block_decoder
_OMNIGLOT = _dense([784, 1000, 1000, 1000, 200], [200, *[1000] * 6, 784], [200, 1000, 1000, 1])
_SPRITES = _dense([10800, 1000, 1000, 200], [200, 1000, 500, 500, 10800], [200, 1000, 1000, 1])


def _sdae_block() -> tuple[nn.Module, ...]:
    return networks.mlp([784, 1000], **_SIGMOID), networks.mlp([1000, 784], **_SIGMOID)


def _noise_block() -> tuple[nn.Module, ...]:
    return *_sdae_block(), networks.mlp([784, 392, 1], **_SIGMOID)


def _fine_tuned() -> tuple[nn.Module, ...]:
    return *_pair(*_BLOCKS, (28, 28))(), networks.mlp([3136, 1000, 10])


GROUPS = (
    _group("omniglot, M = 5", partial(_adversarial, _OMNIGLOT, 5, 200), _batch(64, 784)),
    _group("sprites, M = 5", partial(_adversarial, _SPRITES, 5, 200), _batch(128, 10800)),
    _group(
        "faces at 32 x 32, 16 filters, M = 5", partial(_adversarial, _released_faces, 5, 200), _batch(64, 3072), True
    ),
    _group("SDAE block", partial(_denoiser, _sdae_block, 0.4, False, None), _batch(128, 784)),
    _group("noise transformer", partial(_learned_noise, _noise_block, 0.026), _batch(128, 784)),
    _group("DVAE", partial(_variational, _dense([784, 400, 40], [20, 400, 784]), 0.4), _batch(128, 784)),
    _group("CDAE block", partial(_denoiser, _pair(*_BLOCKS, (28, 28)), 0.4, False, None), _batch(128, 28, 28), True),
    _group("classifier on a CDAE block", partial(_classifier, _fine_tuned), _batch(128, 28, 28), True),
    _group(
        "CDAE of CIFAR-10",
        partial(_denoiser, _pair(networks.cae_encoder, networks.cae_decoder, (3, 32, 32)), 0.4, False, "linear"),
        _batch(128, 3, 32, 32),
        True,
    ),
    _group(
        "tutorial",
        partial(_denoiser, _pair(networks.tutorial_encoder, networks.tutorial_decoder), 0.1, True, None),
        _batch(64, 28, 28),
        True,
    ),
    _group(
        "chapter",
        partial(_denoiser, _pair(networks.textbook_encoder, networks.textbook_decoder), 0.25, True, None),
        _batch(128, 28, 28),
        True,
    ),
)


def test_row(show, case):
    show(case)
