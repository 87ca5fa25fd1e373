// Activations by name.
#pragma once

namespace fastdaae {

enum class Activation : int { none = 0, relu = 1, sigmoid = 2 };

}  // namespace fastdaae
