// The machine's ceiling, measured: what every rate is a share of.
#pragma once

#include <cstdint>

namespace fastdaae {

struct CeilingKernels {
  // Runs independent fused multiply-adds in registers for about `seconds` on every thread; the GFLOP/s of all together.
  double (*multiply_adds)(double seconds, int threads);
};

}  // namespace fastdaae
