#pragma once

namespace fastdaae {
struct LayerKernels {};
}  // namespace fastdaae
