// The structure section of a plan file: the plan as a protobuf message, its weights apart.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "plan/plan.h"

namespace dlaexec::plan {

/// Where the elements of constants lie in the weights section: each at a multiple of 64, in the
/// order in which the graph names them; tensors that share memory are kept once.
class WeightLayout {
 public:
  /// The offset of @p elements from the start of the section.
  uint64_t place(std::span<const std::byte> elements);
  uint64_t size() const { return size_; }
  /// Copies every piece to its offset from @p section.
  void copy_to(std::byte* section) const;

 private:
  struct Piece {
    uint64_t offset;
    std::span<const std::byte> elements;
  };
  std::vector<Piece> pieces_;
  std::map<std::pair<const std::byte*, size_t>, uint64_t> placed_;
  uint64_t size_ = 0;
};

/// The structure section's bytes; the constants it refers to are placed in @p weights.
std::string encode_structure(const Plan& plan, WeightLayout& weights);

/// The weights section of a file being read.
struct WeightBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// The plan that @p structure describes; its loadables have names and no bytes yet. Throws an Error
/// when a reference leads nowhere, a name is unknown or a constant does not fit @p weights.
Plan decode_structure(std::span<const std::byte> structure, const WeightBytes& weights);

}  // namespace dlaexec::plan
