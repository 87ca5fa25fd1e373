// The machine's ceilings, measured: what every rate is a share of.
#pragma once

#include <cstdint>

namespace fastdaae {

// Runs independent multiply-adds in registers for about `seconds` on every thread: the 10^9 operations a second of all
// together, two for each product that is added.
using Ceiling = double (*)(double seconds, int threads);

// Products of float32 numbers, of bytes and of bf16 numbers; null where an instruction set has no such instruction.
struct CeilingKernels {
  Ceiling floats, bytes, bf16;
};

}  // namespace fastdaae
