// The engine: every operator of the CPU, compiled once per instruction set and chosen by the processor.
#pragma once

#include <string>
#include <vector>

#include "chain/chain.h"
#include "layers/layers.h"
#include "neighbors/neighbors.h"
#include "noise/corruption.h"
#include "noise/random.h"
#include "parzen/parzen.h"
#include "tile/ceiling.h"

namespace fastdaae {

struct Engine {
  const char* isa;
  CorruptionKernels corruption;
  RandomKernels random;
  LayerKernels layers;
  ChainKernels chain;
  ParzenKernels parzen;
  NeighborKernels neighbors;
  CeilingKernels ceiling;
};

// The engines that this processor can run, fastest first; the last is portable C++.
const std::vector<Engine>& engines();

// The engine in use: the fastest, or the one chosen.
const Engine& engine();

// Takes the engine of that name; throws std::invalid_argument, with the names that this processor can run.
void choose_engine(const std::string& isa);

}  // namespace fastdaae
