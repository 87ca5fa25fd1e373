// Addressed draws by themselves: raw words, standard normals and uniforms, [copies, rows, columns].
#pragma once

#include "corruption.h"

namespace fastdaae {

struct RandomKernels {
  void (*words)(const NoiseAddress&, const Extent&, uint32_t* out, int threads);

  // The numbers that a Gaussian corruption with sigma = 1 makes of zeros.
  void (*normals)(const NoiseAddress&, const Extent&, float* out, int threads);

  // (word + 1/2) 2^-32, exactly.
  void (*uniforms)(const NoiseAddress&, const Extent&, double* out, int threads);
};

}  // namespace fastdaae
