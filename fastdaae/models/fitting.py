"""Whether a model's networks and its prior fit each other, as far as their layers tell before anything runs."""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from fastdaae.models.names import is_ours
from fastdaae.noise import Noise
from fastdaae.ops.network import Dense, Plan, flattens
from fastdaae.schema import shortened


def require_sizes(model) -> None:
    """Raises ValueError where a model of ours has parts that differ in the size of the code or of the image.

    What no layer tells is left to the first batch, and what a class of one's own does with its networks to itself.
    """
    if not is_ours("model", model):
        return
    networks = ("encoder", "decoder", "discriminator", "transformer")
    plans = {name: Plan.of(getattr(model, name)) for name in networks if hasattr(model, name)}
    codes: dict[str, int | None] = {
        **_size_of_codes(model, plans["encoder"]),
        "decoder": _inputs(plans["decoder"]),
        "discriminator": _inputs(plans["discriminator"]) if "discriminator" in plans else None,
        "prior": getattr(getattr(model, "prior", None), "dim", None),
    }
    flat = model.image_shape is not None and len(model.image_shape) == 1
    takers = {name: plans[name] for name in ("encoder", "transformer") if name in plans}
    pixels: dict[str, int | None] = {
        **{name: _inputs(plan) if flat or _flattens_first(plan) else None for name, plan in takers.items()},
        "decoder": _outputs(plans["decoder"]) if _gives_rows(plans["decoder"]) else None,
        "image_shape": None if model.image_shape is None else math.prod(model.image_shape),
    }
    _require_one("codes of one size", codes)
    _require_one("images of one number of pixels", pixels)
    judged = _outputs(plans["discriminator"]) if "discriminator" in plans else None
    if judged not in (None, 1):
        raise ValueError(f"discriminator must give one logit a code, [N, 1], got [N, {judged}]; end it in 1 output")


def _size_of_codes(model, encoder: Plan) -> dict[str, int | None]:
    """The numbers of a code that the encoder makes, under the name that an error says."""
    outputs = _outputs(encoder)
    if outputs is None or not hasattr(model, "posterior"):
        return {"encoder": outputs}
    if outputs % 2:
        raise ValueError(
            f"encoder must give 2 Z numbers a row, mean and log variance, got {outputs}; change its last layer"
        )
    return {f"encoder (2 x {outputs // 2} outputs)": outputs // 2}


@torch.no_grad()
def require_fit(model: Any, images: Tensor) -> None:
    """Raises ValueError, in one line, where a model of ours cannot encode images [N, ...] to codes like its prior's."""
    if not (is_ours("model", model) and hasattr(model, "prior")):
        return
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    try:
        z = model.encode(images.to(device))
        drawn = model.prior.sample(len(images), Noise(device=device))
        if z.shape != drawn.shape:
            raise ValueError(
                f"encoder must give the codes that the prior draws, {_shown(drawn)}, got {_shown(z)}; change the "
                "encoder's last layer, or the prior"
            )
        judged = _judged(model, z) if hasattr(model, "discriminator") else None
    finally:
        model.train(was_training)
    if judged is not None and judged.shape != (len(images), 1):
        raise ValueError(f"discriminator must give one logit a code, [N, 1], got {_shown(judged)}; end it in 1 output")


def _judged(model: Any, z: Tensor) -> Tensor:
    try:
        return model.discriminator(z)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"discriminator must take the encoder's codes, {_shown(z)} ({reason})") from None


def _shown(batch: Tensor) -> str:
    return f"[{', '.join(['N', *map(str, batch.shape[1:])])}]"


def require_chain(blocks: Iterable[Any]) -> None:
    """Raises ValueError where a block of a stack does not take the codes of the one below, as far as layers tell."""
    for place, (below, above) in enumerate(pairwise(blocks)):
        # of a decoder: an encoder may give more than codes, as a VAE's does
        given, taken = code_size(below.decoder), _inputs(Plan.of(above.encoder))
        if None not in (given, taken) and given != taken:
            raise ValueError(
                f"blocks[{place + 1}] must take the codes of blocks[{place}], {given} numbers, got {taken}; change the "
                "one that differs"
            )


def require_head(autoencoder: Any, head: nn.Module) -> None:
    """Raises ValueError where a head does not take the codes of a model of ours, as far as layers tell."""
    if not is_ours("model", autoencoder):
        return
    given, taken = code_size(autoencoder.decoder), _inputs(Plan.of(head))
    if None not in (given, taken) and given != taken:
        raise ValueError(
            f"head must take the autoencoder's codes, {given} numbers, got {taken}; change the one that differs"
        )


def code_size(decoder: nn.Module) -> int | None:
    """The numbers of a code that a decoder takes; None where its layers do not tell."""
    return _inputs(Plan.of(decoder))


def outputs_of(encoder: nn.Module) -> int | None:
    """The numbers of a row that an encoder gives; None where its layers do not tell."""
    return _outputs(Plan.of(encoder))


def _require_one(what: str, sizes: dict[str, int | None]) -> None:
    known = {name: size for name, size in sizes.items() if size is not None}
    if len(set(known.values())) > 1:
        *most, last = known
        got = ", ".join(f"{name} {shortened(size)}" for name, size in known.items())
        raise ValueError(f"{', '.join(most)} and {last} must have {what}, got {got}; change the one that differs")


def _flattens_first(plan: Plan) -> bool:
    return bool(plan.stages) and flattens(plan.stages[0])


def _gives_rows(plan: Plan) -> bool:
    """Whether codes [N, Z] leave it as rows, since nothing in it makes other shapes of them."""
    return all(isinstance(stage, Dense) or flattens(stage) for stage in plan.stages)


def _inputs(plan: Plan) -> int | None:
    """The numbers of a row that the first layer takes."""
    first = plan.stages[1 if _flattens_first(plan) else 0 :][:1]
    return first[0].linear.in_features if first and isinstance(first[0], Dense) else None


def _outputs(plan: Plan) -> int | None:
    """The numbers of a row that the last layer gives."""
    last = plan.stages[-1:]
    return last[0].linear.out_features if last and isinstance(last[0], Dense) else None
