#include "engine.h"

#include <atomic>
#include <stdexcept>

namespace fastdaae {

// setup.py compiles the kernels once for each of these with -DFASTDAAE_ISA=<name>; on other processors the first only.
#define FASTDAAE_DECLARE(isa)             \
  namespace isa {                         \
  CorruptionKernels corruption_kernels(); \
  RandomKernels random_kernels();         \
  LayerKernels layer_kernels();           \
  ChainKernels chain_kernels();           \
  ParzenKernels parzen_kernels();         \
  NeighborKernels neighbor_kernels();     \
  CeilingKernels ceiling_kernels();       \
  }
FASTDAAE_DECLARE(portable)
FASTDAAE_DECLARE(avx2)
FASTDAAE_DECLARE(avx512)
FASTDAAE_DECLARE(avx512_bf16)

namespace {

#define FASTDAAE_ENGINE(isa)                                                                                    \
  Engine {                                                                                                      \
    #isa, isa::corruption_kernels(), isa::random_kernels(), isa::layer_kernels(), isa::chain_kernels(),         \
        isa::parzen_kernels(), isa::neighbor_kernels(), isa::ceiling_kernels()                                  \
  }

std::vector<Engine> usable_engines() {
  std::vector<Engine> usable;
#if defined(FASTDAAE_WITH_X86)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx512) {
    Engine plain = FASTDAAE_ENGINE(avx512);
    if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni")) {
      Engine half = plain;  // the layers and their chain compute in bf16, what compares points multiplies bytes
      half.isa = "avx512_bf16";
      half.layers = avx512_bf16::layer_kernels();
      half.chain = avx512_bf16::chain_kernels();
      half.parzen = avx512_bf16::parzen_kernels();
      half.neighbors = avx512_bf16::neighbor_kernels();
      half.ceiling = avx512_bf16::ceiling_kernels();
      usable.push_back(half);
    }
    usable.push_back(plain);
  }
  if (avx2) usable.push_back(FASTDAAE_ENGINE(avx2));
#endif
  usable.push_back(FASTDAAE_ENGINE(portable));
  return usable;
}

const Engine& named(const std::string& isa) {
  std::string names;
  for (const Engine& one : engines()) {
    if (one.isa == isa) return one;
    names += (names.empty() ? "" : ", ") + std::string(one.isa);
  }
  throw std::invalid_argument("isa must be one of those that this processor can run, " + names + ", got " +
                              isa);
}

std::atomic<const Engine*>& chosen() {
  static std::atomic<const Engine*> engine = &engines().front();
  return engine;
}

}  // namespace

const std::vector<Engine>& engines() {
  static const std::vector<Engine> usable = usable_engines();
  return usable;
}

const Engine& engine() { return *chosen().load(std::memory_order_relaxed); }

void choose_engine(const std::string& isa) { chosen().store(&named(isa), std::memory_order_relaxed); }

}  // namespace fastdaae
