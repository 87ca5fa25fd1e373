// The Parzen-window log-density on the CPU: one pass over the samples for all bandwidths.
#pragma once

#include <cstdint>

#include "../points.h"

namespace fastdaae {

struct ParzenKernels {
  // out [bandwidths][queries], in nats: log of the mean over samples s of exp(-|q - s|^2 / 2h^2) / (h sqrt(2 pi))^D.
  // Both sets have at least one row and equal columns, all values finite, bandwidths > 0. Throws std::bad_alloc.
  void (*log_density)(const Points& queries, const Points& samples, const double* bandwidths, int64_t count,
                      double* out, int threads);
  // out[i] = 2^x[i], as every kernel of this instruction set computes it.
  void (*exp2)(const float* x, int64_t count, float* out);
};

}  // namespace fastdaae
