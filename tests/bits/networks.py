"""What runs whole networks: `encode_mean` with its gradients, and chains."""

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import nn

import fastdaae as fd
from tests.bits.operators import CORRUPTIONS, NOISE, numbers, ops, with_gradients


def network(kind: str) -> nn.Sequential:
    """An encoder of 24 pixels by name."""
    torch.manual_seed(5)
    kinds = {
        "narrow": lambda: fd.networks.mlp([24, 16, 16, 3]),
        "wide": lambda: fd.networks.mlp([24, 160, 160, 3]),
        "wide throughout": lambda: fd.networks.mlp([24, 160, 160, 160]),
        "one layer": lambda: fd.networks.mlp([24, 160]),
        "ends in relu": lambda: nn.Sequential(*fd.networks.mlp([24, 160, 160]), nn.ReLU()),
        "ends in sigmoid": lambda: fd.networks.mlp([24, 160, 150], output="sigmoid"),
        "leaky": lambda: nn.Sequential(nn.Linear(24, 160), nn.LeakyReLU(0.2), nn.Linear(160, 160), nn.Linear(160, 3)),
        "tanh": lambda: nn.Sequential(nn.Flatten(), nn.Linear(24, 160), nn.Tanh(), nn.Linear(160, 3)),
        "batch norm": lambda: nn.Sequential(nn.Linear(24, 160), nn.BatchNorm1d(160), nn.ReLU(), nn.Linear(160, 3)),
        "dropout": lambda: nn.Sequential(nn.Linear(24, 160), nn.ReLU(), nn.Dropout(0.5), nn.Linear(160, 3)),
    }
    return kinds[kind]()


ENCODERS = ("narrow", "wide", "wide throughout", "one layer", "ends in relu", "ends in sigmoid")
OTHER_ENCODERS = ("leaky", "tanh", "batch norm", "dropout")


def encode_mean(kind: str, corruption, dtype: torch.dtype, copies: int, cast: bool = False) -> Callable:
    def call(backend: str) -> dict:
        encoder = network(kind)
        x = numbers(12, 24, dtype=dtype)
        x = x.requires_grad_() if x.is_floating_point() else x
        with torch.autocast("cpu", torch.bfloat16, enabled=cast):
            out = ops.encode_mean(encoder, x, corruption, NOISE, copies=copies, row_offset=4, backend=backend)
        return with_gradients(out, {"x": x, **dict(encoder.named_parameters())})

    return call


def encoder_cases() -> Iterator[tuple[str, Callable]]:
    for kind, (name, corruption) in itertools.product(ENCODERS, CORRUPTIONS.items()):
        yield f"encode_mean {kind} {name}", encode_mean(kind, corruption, torch.float32, 5)
    for kind in (*ENCODERS, *OTHER_ENCODERS):
        for copies in (1, 4):
            yield f"encode_mean {kind} uint8 {copies}", encode_mean(kind, CORRUPTIONS["salt"], torch.uint8, copies)
        yield f"encode_mean {kind} autocast", encode_mean(kind, CORRUPTIONS["clipped"], torch.float32, 3, cast=True)


def chain_networks(kind: str) -> tuple[nn.Sequential, nn.Sequential]:
    torch.manual_seed(6)
    sizes = {"narrow": [3, 16, 24], "wide": [3, 160, 160, 24], "deep": [2, 40, 50, 60, 70]}[kind]
    return fd.networks.mlp(sizes, output="sigmoid"), fd.networks.mlp(sizes[::-1])


def sample_chain(kind: str, corruption, precision: str, rows: int, networks: Callable = chain_networks) -> Callable:
    def call(backend: str) -> dict:
        decoder, encoder = networks(kind)
        z = numbers(rows, decoder[1].in_features, seed=8) * 4 - 2
        how = {"steps": 3, "keep": (0, 1, 3), "row_offset": 6, "precision": precision, "backend": backend}
        return {"kept": ops.sample_chain(decoder, encoder, z, corruption, NOISE, **how)}

    return call


def other_chain(kind: str) -> tuple[nn.Sequential, nn.Sequential]:
    decoder, encoder = chain_networks("wide")
    return decoder, nn.Sequential(*[nn.LeakyReLU(0.2) if type(part) is nn.ReLU else part for part in encoder])


def chain_cases() -> Iterator[tuple[str, Callable]]:
    kinds = itertools.product(("narrow", "wide", "deep"), CORRUPTIONS.items(), ("fp32", "bf16"))
    for kind, (name, corruption), precision in kinds:
        yield f"sample_chain {kind} {name} {precision}", sample_chain(kind, corruption, precision, 29)
    for precision in ("fp32", "bf16"):
        yield f"sample_chain many {precision}", sample_chain("wide", CORRUPTIONS["gaussian"], precision, 700)
        other = sample_chain("leaky", CORRUPTIONS["gaussian"], precision, 29, other_chain)
        yield f"sample_chain leaky {precision}", other


def cases() -> Iterator[tuple[str, Callable]]:
    """(name, call) of every case of encoders and chains."""
    yield from encoder_cases()
    yield from chain_cases()
