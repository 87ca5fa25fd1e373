#include "progress.h"

#include <algorithm>
#include <mutex>
#include <vector>

namespace fastdaae {

namespace {

// The operators at work; the lock is taken as one begins, as it ends, and to read, never while it counts.
struct AtWork {
  std::mutex mutex;
  std::vector<const ProgressCounter*> counters;
};

AtWork& at_work() {
  static AtWork operators;
  return operators;
}

}  // namespace

ProgressCounter::ProgressCounter(const char* unit, int64_t total, int64_t work)
    : unit_(unit), total_(total), work_(work), began_(std::chrono::steady_clock::now()), done_(0) {
  AtWork& all = at_work();
  const std::lock_guard<std::mutex> guard(all.mutex);
  all.counters.push_back(this);
}

ProgressCounter::~ProgressCounter() {
  AtWork& all = at_work();
  const std::lock_guard<std::mutex> guard(all.mutex);
  all.counters.erase(std::find(all.counters.begin(), all.counters.end(), this));
}

Progress ProgressCounter::now() const {
  const double share = static_cast<double>(done_.load(std::memory_order_relaxed)) / static_cast<double>(work_);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
  return {unit_, static_cast<int64_t>(share * static_cast<double>(total_)), total_, passed.count()};
}

Progress current_progress() {
  AtWork& all = at_work();
  const std::lock_guard<std::mutex> guard(all.mutex);
  return all.counters.empty() ? Progress{nullptr, 0, 0, 0.0} : all.counters.back()->now();
}

}  // namespace fastdaae
