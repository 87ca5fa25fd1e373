// Argument checks of the Python module: each message names the argument, what was expected and what was given.
#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

namespace fastdaae {

// The message is put together from its parts only where it is needed: that costs more than a small tensor's operator.
template <typename... Parts>
void require(bool holds, const Parts&... parts) {
  if (holds) return;
  std::ostringstream message;
  (message << ... << parts);
  throw std::invalid_argument(message.str());
}

inline void require_between(const char* name, int64_t value, int64_t low, int64_t high) {
  require(value >= low && value <= high, name, " must be in ", low, "..", high, ", got ", value);
}

}  // namespace fastdaae
