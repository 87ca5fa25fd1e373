#include "machine.h"

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace fastdaae {

namespace {

constexpr size_t kLargePage = size_t{1} << 21;
constexpr size_t kAlignment = 64;
constexpr size_t kKept = size_t{64} << 20;  // bytes that the store holds on to

struct Block {
  void* memory;
  size_t bytes;
};

class Store {
 public:
  ~Store() {
    for (const Block& block : blocks_) std::free(block.memory);
  }

  // The smallest kept block that is large enough, or nothing.
  Block take(size_t bytes) {
    const std::lock_guard<std::mutex> guard(mutex_);
    size_t best = blocks_.size();
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (blocks_[i].bytes >= bytes && (best == blocks_.size() || blocks_[i].bytes < blocks_[best].bytes)) best = i;
    }
    if (best == blocks_.size()) return {nullptr, 0};
    const Block found = blocks_[best];
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(best));
    held_ -= found.bytes;
    return found;
  }

  // Keeps the block, and lets the oldest go where the store would hold too much.
  void give(Block block) {
    const std::lock_guard<std::mutex> guard(mutex_);
    blocks_.push_back(block);
    held_ += block.bytes;
    while (held_ > kKept) {
      held_ -= blocks_.front().bytes;
      std::free(blocks_.front().memory);
      blocks_.erase(blocks_.begin());
    }
  }

 private:
  std::mutex mutex_;
  std::vector<Block> blocks_;
  size_t held_ = 0;
};

Store& store() {
  static Store kept;
  return kept;
}

size_t rounded_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

int64_t second_level_cache() {
#if defined(_SC_LEVEL2_CACHE_SIZE)
  static const long reported = sysconf(_SC_LEVEL2_CACHE_SIZE);
  if (reported > 0) return reported;
#endif
  return int64_t{1} << 20;
}

void prefer_large_pages(void* memory, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (bytes < 2 * kLargePage) return;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t start = rounded_up(reinterpret_cast<size_t>(memory), page);
  const size_t end = (reinterpret_cast<size_t>(memory) + bytes) / page * page;
  if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);
#else
  (void)memory;
  (void)bytes;
#endif
}

Scratch::Scratch(size_t bytes) : memory_(nullptr), bytes_(rounded_up(bytes ? bytes : 1, kAlignment)) {
  const Block kept = store().take(bytes_);
  if (kept.memory) {
    memory_ = kept.memory;
    bytes_ = kept.bytes;
    return;
  }
  const size_t alignment = bytes_ >= 2 * kLargePage ? kLargePage : kAlignment;
  bytes_ = rounded_up(bytes_, alignment);
  memory_ = std::aligned_alloc(alignment, bytes_);
  if (!memory_) throw std::bad_alloc();
  prefer_large_pages(memory_, bytes_);
}

Scratch::~Scratch() { store().give({memory_, bytes_}); }

}  // namespace fastdaae
