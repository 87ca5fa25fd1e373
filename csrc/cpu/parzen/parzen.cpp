#include "parzen.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

ParzenKernels parzen_kernels() { return {}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
