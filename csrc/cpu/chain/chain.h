// The decode-corrupt-encode Markov chain of fully connected networks, whole chains at a time in one core's cache.
#pragma once

#include "../layer.h"
#include "../noise/corruption.h"

namespace fastdaae {

// x(t) = decoder(z(t)), z(t + 1) = encoder(corrupted x(t)), with the noise of step noise.step + t.
struct Chain {
  Network decoder, encoder;
  const float* codes;  // z(0) [rows, decoder inputs]
  int64_t rows;
  Corruption corruption;
  NoiseAddress noise;
  bool half;            // the factors of products are rounded to bfloat16; sums are always float32
  const int64_t* keep;  // ascending steps; the last ends the chain
  int64_t kept;
  float* out;  // x(t) of the kept steps, [kept, rows, decoder outputs]
};

struct ChainKernels {
  void (*run)(const Chain&, int threads);
};

}  // namespace fastdaae
