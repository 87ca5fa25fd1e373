"""A denoiser of sentences: spans of tokens are masked at addressed places, and a network says what stood there.

python examples/token_denoiser.py --steps 300
"""

import argparse
import random

import torch
from torch import Tensor, nn
from torch.nn import functional

import fastdaae as fd
from fastdaae.corruptions.tokens import SpanMasking, TokenCorruption, TokenMasking

PAD, BEGIN, END, MASK = range(4)
# (singular, plural) of each noun and of the verb for what it does, and what it may be
NOUNS = [("cat", "cats"), ("dog", "dogs"), ("child", "children"), ("fox", "foxes"), ("teacher", "teachers")]
VERBS = [("hears", "hear"), ("follows", "follow"), ("draws", "draw"), ("fears", "fear"), ("knows", "know")]
ADJECTIVES = [("black", "lazy"), ("loud", "loyal"), ("small", "happy"), ("red", "quick"), ("old", "kind")]
WORDS = ["<pad>", "<s>", "</s>", "<mask>", "a", "the", "two", "who", *sum(NOUNS + VERBS + ADJECTIVES, ())]
NUMBER = {word: number for number, word in enumerate(WORDS)}


def noun_phrase(rng: random.Random, deeper: bool) -> tuple[list[str], str]:
    """Words of a phrase such as "the lazy cat who hears two dogs", and the verb that agrees with it."""
    kind, plural = rng.randrange(len(NOUNS)), rng.randrange(2)
    verb = VERBS[kind][plural]
    words = [rng.choice([("a", "the"), ("two", "the")][plural]), *rng.sample(ADJECTIVES[kind], rng.randrange(3))]
    words.append(NOUNS[kind][plural])
    if deeper and rng.random() < 0.4:
        words += ["who", verb, *noun_phrase(rng, False)[0]]
    return words, verb


def sentences(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Token ids [count, L], padded, and lengths [count] of sentences of a small grammar."""
    rng, rows = random.Random(seed), []
    for _ in range(count):
        subject, verb = noun_phrase(rng, True)
        words = [*subject, verb, *noun_phrase(rng, True)[0]]
        rows.append(torch.tensor([BEGIN, *(NUMBER[word] for word in words), END]))
    tokens = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
    return tokens, torch.tensor([len(row) for row in rows])


class Denoiser(nn.Module):
    """Reads a sentence from both sides: token ids [N, L] -> logits [N, L, words]."""

    def __init__(self, width: int = 64):
        super().__init__()
        self.embedding = nn.Embedding(len(WORDS), width)
        self.reader = nn.GRU(width, width, batch_first=True, bidirectional=True)
        self.answer = nn.Linear(2 * width, len(WORDS))

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        embedded = nn.utils.rnn.pack_padded_sequence(
            self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False
        )
        read, _ = nn.utils.rnn.pad_packed_sequence(
            self.reader(embedded)[0], batch_first=True, total_length=tokens.shape[1]
        )
        return self.answer(read)


def corrupted(tokens: Tensor, lengths: Tensor, corruption: TokenCorruption, noise: fd.Noise) -> Tensor:
    """Token ids of which some are masked; the marks of begin and end stay."""
    return fd.ops.corrupt_tokens(tokens, lengths, corruption, noise, pad_id=PAD, keep=(BEGIN, END)).tokens


@torch.no_grad()
def restored(model: Denoiser, tokens: Tensor, lengths: Tensor, corruption: TokenCorruption) -> float:
    """The share of masked tokens that the model names."""
    noisy = corrupted(tokens, lengths, corruption, fd.Noise(1))
    masked = noisy != tokens
    return float((model(noisy, lengths).argmax(2) == tokens)[masked].double().mean())


def train(model: Denoiser, tokens: Tensor, lengths: Tensor, corruption: TokenCorruption, steps: int) -> None:
    """Every step masks other tokens; the loss is that of the masked ones."""
    optimizer, noise = torch.optim.Adam(model.parameters(), lr=3e-3), fd.Noise(0)
    for step in range(steps):
        rows = torch.randint(len(tokens), (64,))
        clean, noisy = tokens[rows], corrupted(tokens[rows], lengths[rows], corruption, noise)
        loss = functional.cross_entropy(model(noisy, lengths[rows])[noisy != clean], clean[noisy != clean])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        noise.advance()
        if step % 100 == 99:
            print(f"step {step + 1}/{steps}: {float(loss.detach()):.3f} nats a masked token", flush=True)


def main(steps: int) -> None:
    torch.manual_seed(0)
    tokens, lengths = sentences(4000, seed=0)
    test = sentences(1000, seed=1)
    model, spans = Denoiser(), SpanMasking(share=0.25, mean_length=2, mask_id=MASK)
    kinds = {"spans": spans, "single tokens": TokenMasking(0.15, MASK)}
    before = {name: restored(model, *test, kind) for name, kind in kinds.items()}
    train(model, tokens, lengths, spans, steps)
    for name, kind in kinds.items():
        after = restored(model, *test, kind)
        print(f"{name}: {before[name]:.1%} of the masked tokens restored before training, {after:.1%} after")
    noisy = corrupted(*test, spans, fd.Noise(1))
    answer = torch.where(noisy == MASK, model(noisy, test[1]).argmax(2), noisy)
    for ids in (test[0][0], noisy[0], answer[0]):
        print("  " + " ".join(WORDS[token] for token in ids.tolist() if token > END))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    main(**vars(parser.parse_args()))
