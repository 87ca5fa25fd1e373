// The threads of one emulated block, as fibers.
//
// A barrier or a warp operation suspends a thread until those it waits for have arrived. Between two barriers threads
// run one after another, in an order drawn from `order_seed`: a kernel whose result depends on it has a race. A barrier
// that some threads never reach ends the process with a message.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <vector>

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x_ = 1) : x(x_) {}
};
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulation {

constexpr size_t kStackBytes = 128 << 10;
constexpr int kWarp = 32;

enum class State { runnable, at_block_barrier, at_warp_barrier, finished };

struct Fiber {
  ucontext_t start;
  jmp_buf at;
  bool started = false;
  State state = State::runnable;
  unsigned mask = 0;  // of the warp barrier it waits at
  std::unique_ptr<char[]> stack{new char[kStackBytes]};
};

struct Block {
  std::vector<Fiber> fibers;
  std::vector<double> exchanged;  // one value per thread, for warp operations
  std::vector<std::max_align_t> shared;
  std::function<void()> body;
  ucontext_t scheduler;
  jmp_buf scheduler_at;
  int current = 0;
};

inline Block block;
inline unsigned order_seed = 0;

inline void* dynamic_shared() { return block.shared.data(); }

// setjmp switches without system calls; AddressSanitizer follows only swapcontext. Never inlined: setjmp may clobber
// the locals of its caller.
[[gnu::noinline]] inline void suspend(State state, unsigned mask = 0) {
  Fiber& fiber = block.fibers[block.current];
  fiber.state = state;
  fiber.mask = mask;
#ifdef __SANITIZE_ADDRESS__
  swapcontext(&fiber.start, &block.scheduler);
#else
  if (!_setjmp(fiber.at)) _longjmp(block.scheduler_at, 1);
#endif
}

inline void run_body() {
  block.body();
  suspend(State::finished);
}

[[gnu::noinline]] inline void resume(int thread) {
  Fiber& fiber = block.fibers[thread];
  block.current = thread;
  threadIdx = dim3(thread);
#ifdef __SANITIZE_ADDRESS__
  swapcontext(&block.scheduler, &fiber.start);
#else
  if (_setjmp(block.scheduler_at)) return;
  if (fiber.started) _longjmp(fiber.at, 1);
  fiber.started = true;
  setcontext(&fiber.start);
#endif
}

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "emulated block %u: %s\n", blockIdx.x, what);
  std::abort();
}

// Lets go every warp operation whose lanes have all arrived; else the block, once all its threads have.
inline bool release() {
  bool any = false, all_at_barrier = true;
  auto& fibers = block.fibers;
  for (size_t first = 0; first < fibers.size(); first += kWarp) {
    const size_t lanes = std::min<size_t>(kWarp, fibers.size() - first);
    unsigned arrived = 0, mask = 0;
    for (size_t lane = 0; lane < lanes; ++lane) {
      const Fiber& fiber = fibers[first + lane];
      all_at_barrier &= fiber.state == State::at_block_barrier || fiber.state == State::finished;
      if (fiber.state != State::at_warp_barrier) continue;
      if (mask && mask != fiber.mask) fail("lanes of a warp wait with different masks");
      arrived |= 1u << lane;
      mask = fiber.mask;
    }
    if (!mask || arrived != mask) continue;
    any = true;
    for (size_t lane = 0; lane < lanes; ++lane) {
      if (mask >> lane & 1u) fibers[first + lane].state = State::runnable;
    }
  }
  for (Fiber& fiber : fibers) {
    if (!all_at_barrier || fiber.state != State::at_block_barrier) continue;
    fiber.state = State::runnable;
    any = true;
  }
  return any;
}

[[gnu::noinline]] inline void prepare(Fiber& fiber) {
  getcontext(&fiber.start);
  fiber.start.uc_stack.ss_sp = fiber.stack.get();
  fiber.start.uc_stack.ss_size = kStackBytes;
  fiber.start.uc_link = nullptr;
  makecontext(&fiber.start, run_body, 0);
  fiber.state = State::runnable;
  fiber.started = false;
}

inline void run_block(std::mt19937& random) {
  std::vector<int> order(block.fibers.size());
  for (size_t thread = 0; thread < order.size(); ++thread) order[thread] = static_cast<int>(thread);
  for (Fiber& fiber : block.fibers) prepare(fiber);
  do {
    if (order_seed) std::shuffle(order.begin(), order.end(), random);
    for (const int thread : order) {
      if (block.fibers[thread].state == State::runnable) resume(thread);
    }
  } while (release());
  for (const Fiber& fiber : block.fibers) {
    if (fiber.state != State::finished) fail("a barrier is reached by some threads and never by the others");
  }
}

}  // namespace emulation
