#include "layers.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

LayerKernels layer_kernels() { return {}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
