// The decode-corrupt-encode Markov chain of fully connected networks, whole chains at a time in one core's cache.
#pragma once

#include <cstdint>

#include "../layers/layers.h"

namespace fastdaae {

// activation(x W^T + b): weight [outputs, inputs] and bias [outputs] (or null), row-major and dense.
struct DenseLayer {
  const float* weight;
  const float* bias;
  int64_t inputs, outputs;
  Activation activation;
};

struct DenseNetwork {
  const DenseLayer* layers;
  int64_t count;
};

// x(t) = decoder(z(t)), z(t + 1) = encoder(corrupted x(t)), with the noise of step noise.step + t.
struct Chain {
  DenseNetwork decoder, encoder;
  const float* codes;  // z(0) [rows, decoder inputs]
  int64_t rows;
  Corruption corruption;
  NoiseAddress noise;
  Precision precision;
  const int64_t* keep;  // ascending steps; the last ends the chain
  int64_t kept;
  float* out;  // x(t) of the kept steps, [kept, rows, decoder outputs]
};

struct ChainKernels {
  void (*run)(const Chain&, int threads);
};

}  // namespace fastdaae
