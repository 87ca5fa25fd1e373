#pragma once

namespace fastdaae {
struct NeighborKernels {};
}  // namespace fastdaae
