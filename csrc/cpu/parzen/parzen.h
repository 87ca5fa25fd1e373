#pragma once

namespace fastdaae {
struct ParzenKernels {};
}  // namespace fastdaae
