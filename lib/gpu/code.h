// What a plan keeps for one GPU: the tactics chosen for it and the machine code of its kernels.
// With the plan's graph, whose weights are in no kernel's layout, this is all that running needs.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/jit.h"
#include "gpu/lowering.h"

namespace dlaexec::gpu {

/// What stands for a device whose measurements chose when there was none.
inline constexpr std::string_view kCostModel = "the cost model";

struct Code {
  std::string architecture;                    ///< "sm_90a"
  std::string device;                          ///< whose measurements chose, or "the cost model"
  bool full_floats = false;                    ///< as in LowerOptions
  std::map<std::string, std::string> tactics;  ///< by problem
  std::vector<Cubin> cubins;                   ///< by kernel, each once
};

/// The bytes of @p code; the same code gives the same bytes.
std::string to_bytes(const Code& code);

/// What to_bytes() wrote; anything else ends in an Error.
Code code_from_bytes(std::span<const std::byte> bytes);

/// Lowering with the tactics of @p code, which must live as long as the options.
LowerOptions options_from(const Code& code);

}  // namespace dlaexec::gpu
