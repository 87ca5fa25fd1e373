#include "neighbors.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

NeighborKernels neighbor_kernels() { return {}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
