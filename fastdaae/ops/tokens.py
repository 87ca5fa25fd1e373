"""`corrupt_tokens`: padded batches of token ids, corrupted by addressed noise."""

from collections.abc import Sequence

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.arguments import whole_in
from fastdaae.corruptions.tokens import TokenCorruption, TokenPermutation
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks

_IDS = (torch.int64, torch.int32)


def corrupt_tokens(
    tokens: Tensor,
    lengths: Tensor,
    corruption: TokenCorruption | None,
    noise: Noise,
    *,
    pad_id: int,
    keep: Sequence[int] = (),
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
) -> reference.CorruptedTokens:
    """Corrupted token ids: (tokens [N, L'], lengths [N] int64) of rows tokens [N, L] of which lengths [N] are in use.

    L' is L, and 2 L for Infilling, which may insert: cut it with tokens[:, :lengths.max()]. tokens are int64 or int32,
    which the result keeps; from its length on a row is pad_id. Ids of `keep`, such as those of begin and end, are
    neither changed nor moved past other tokens. Row i reads the noise of row_offset + i alone, and what becomes of it
    depends neither on the other rows nor on L. corruption None copies. Plain PyTorch on any device, all rows at once.
    Raises TypeError or ValueError for arguments that do not fit (on a device, which is not waited for, lengths are
    clamped to 0..L). Source: Lewis et al. 2020 (BART), section 2.2, and the corruptions' own.
    """
    _require_tokens(tokens, lengths, noise)
    pad_id = whole_in("pad_id", pad_id, 0)
    kept = tuple(whole_in(f"keep[{place}]", one, 0) for place, one in enumerate(keep))
    if corruption is not None and not isinstance(corruption, TokenCorruption):
        raise TypeError(
            f"corruption must be one of fastdaae.corruptions.tokens or None, got {type(corruption).__name__}; say "
            "TokenMasking(p, mask_id) or another, and for numbers use fastdaae.ops.corrupt"
        )
    if isinstance(corruption, TokenPermutation) and corruption.sentence_end in kept:
        raise ValueError(
            f"keep must not hold sentence_end, which moves with its sentence, got {corruption.sentence_end}"
        )
    draw = checks.as_draw(None, noise, tokens.shape[0], row_offset=row_offset, site=site)
    where = {"row_offset": draw.row_offset, "site": draw.site}
    return reference.corrupt_tokens(tokens, lengths, corruption, noise, pad_id=pad_id, keep=kept, **where)


def _require_tokens(tokens: Tensor, lengths: Tensor, noise: Noise) -> None:
    if not isinstance(tokens, Tensor) or tokens.dim() != 2 or tokens.dtype not in _IDS:
        got = f"{tokens.dtype} {list(tokens.shape)}" if isinstance(tokens, Tensor) else type(tokens).__name__
        raise TypeError(f"tokens must be an int64 or int32 tensor of ids [N, L], got {got}; pad the rows to one width")
    fits = isinstance(lengths, Tensor) and lengths.dtype in _IDS and lengths.shape == tokens.shape[:1]
    if not fits:
        got = f"{lengths.dtype} {list(lengths.shape)}" if isinstance(lengths, Tensor) else type(lengths).__name__
        raise TypeError(f"lengths must be an int64 or int32 tensor [{tokens.shape[0]}], one a row of tokens, got {got}")
    checks.require_device("tokens", tokens, noise)
    if lengths.device != tokens.device:
        raise ValueError(f"lengths must be on the device of tokens, {tokens.device}, got {lengths.device}")
    if not lengths.is_cpu or torch.compiler.is_compiling() or lengths.numel() == 0:
        return
    low, high = int(lengths.min()), int(lengths.max())
    if low < 0 or high > tokens.shape[1]:
        raise ValueError(
            f"lengths must be in 0..{tokens.shape[1]}, the width of tokens, got {low if low < 0 else high}; "
            "count the tokens before the padding"
        )
