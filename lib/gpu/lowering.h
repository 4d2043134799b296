// Graph part to launches. Each family of kernels adds its own in kernels/*.cpp through Lowering.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"
#include "gpu/lowered.h"
#include "ir/graph.h"

namespace dlaexec::gpu {

/// What callers decide about lowering.
struct LowerOptions {
  /// The tactic for a problem among those that fit, best first by the cost model; an empty answer
  /// takes the first. No function: always the first.
  std::function<std::string(const std::string& problem, const std::vector<std::string>& tactics)>
      choose;
  /// Inputs and outputs keep the layout that the kernels use between them. For tuning and timing.
  bool internal_edges = false;
  /// Scratch memory that one tactic may take; those that need more are no candidates.
  int64_t workspace_bytes = INT64_MAX;
  /// Products of floats are no products of tf32.
  bool full_floats = false;
  /// Libraries whose tactics are candidates, too, behind those of this project.
  Libraries libraries;
};

/// Launches for @p part, a typed graph that cut() has found to be one run on the device.
Lowered lower(const ir::Graph& part, const Target& target, const LowerOptions& options = {});

/// Why no kernel runs @p node on @p target, as a clause ("3-D convolution"); nothing if one does.
std::optional<std::string> why_not(const ir::Graph& graph, const ir::Node& node,
                                   const Target& target);

/// How a value lies in device memory.
enum class Arrangement : uint8_t {
  Dense,   ///< row-major
  Pixels,  ///< [N, H, W, channels padded to 16 bytes]; the padding holds any finite numbers
};

/// A value in device memory, or part of one.
struct View {
  Place place;
  ir::DataType type = ir::DataType::Float32;
  float scale = 1;  ///< what 1 stands for when the type is Int8
  ir::Dims dims;
  std::vector<int64_t> strides;  ///< elements, one per dimension
  Arrangement arrangement = Arrangement::Dense;
  /// Elements from pixel to pixel, when arranged so.
  int64_t pixel() const { return strides.back(); }
  int64_t rank() const { return static_cast<int64_t>(dims.size()); }
};

/// Elements of one 16-byte access.
inline int64_t vector_elements(ir::DataType type) {
  return 16 / static_cast<int64_t>(ir::size_bytes(type));
}

inline int64_t round_up(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }
inline int64_t ceil_div(int64_t value, int64_t unit) { return (value + unit - 1) / unit; }

/// The type of an element in device code; empty when kernels do not know it.
std::string_view stored_type(ir::DataType type);
/// The same for the types that all kernels compute with, empty for others.
std::string_view device_type(ir::DataType type);
/// True for the types that kernels compute with: f32, f16, i8.
bool is_device_type(ir::DataType type);
/// The name of an activation's functor in activation.cuh.
std::string_view device_name(ir::ActivationKind kind);

struct Group;
struct Bounded;

/// The state of lower(): what the families of kernels see.
class Lowering {
 public:
  Lowering(const Bounded& bounded, const Target& target, const LowerOptions& options);

  const ir::Graph& graph() const { return graph_; }
  const Target& target() const { return lowered_.target; }
  const ir::Value& value(ir::ValueId id) const { return graph_.value(id); }

  /// The value as it lies; constants are uploaded dense.
  View view(ir::ValueId id);
  /// The value arranged as pixels (dense), converted once if it lies otherwise.
  View pixels(ir::ValueId id);
  View dense(ir::ValueId id);
  /// Where the value's producer writes it, as it lies.
  View target_view(ir::ValueId id);
  /// The same, arranged as pixels (dense); moved to where it lies after the node's launches.
  View target_pixels(ir::ValueId id);
  View target_dense(ir::ValueId id);
  /// Where the producer of a value whose size data decides writes the size, an i64.
  Place count_target(ir::ValueId id);
  /// From now on the value is @p view of somebody's memory. False when the value must lie elsewhere
  /// (it is an output) or holds its numbers at another scale: the caller copies.
  bool alias(ir::ValueId id, const View& view);

  /// True unless the launch before the next one leaves alone what lies at @p place: a kernel that
  /// starts early may read that before it waits, since the one before has waited for all others.
  bool last_touches(const Place& place) const;

  /// Memory for launches of one node.
  Place scratch(int64_t bytes, bool zeroed = false);
  View scratch_view(ir::DataType type, float scale, const ir::Dims& dims, Arrangement arrangement);
  /// Uploaded data; @p make is called when memory is there.
  Place constant(int64_t bytes, std::function<std::vector<std::byte>()> make);
  Place constant_floats(std::vector<float> values);
  const Constant& constant_at(const Place& place) const {
    return lowered_.constants[static_cast<size_t>(place.index)];
  }

  /// What follows is for @p node, or for all nodes of @p group.
  void begin(const ir::Node& node, const Group* group = nullptr);

  /// Tells which tactic runs @p problem.
  std::string choose(const std::string& problem, const std::vector<std::string>& tactics);

  /// What the libraries that take part propose for @p problem.
  std::vector<std::string> library_tactics(const LibraryProblem& problem) const;

  bool full_floats() const { return options_.full_floats; }
  /// True if a tactic may take @p bytes of scratch memory; counts the tactics that may not.
  bool has_workspace(int64_t bytes) {
    const bool has = bytes <= options_.workspace_bytes;
    if (!has) ++lowered_.tactics_left_out;
    return has;
  }

  /// Adds a launch whose parameters are @p parameters; patches are set with patch().
  template <class Parameters>
  Step& add(const ir::Node& node, std::string_view suffix, Kernel kernel, Launch launch,
            const Parameters& parameters) {
    static_assert(std::is_trivially_copyable_v<Parameters>);
    Step step;
    step.name = suffix.empty() ? current_name_ : current_name_ + " " + std::string(suffix);
    step.node = static_cast<int>(&node - graph_.nodes.data());
    step.nodes = current_nodes_;
    step.kernel = std::move(kernel);
    step.launch = launch;
    const auto* bytes = reinterpret_cast<const std::byte*>(&parameters);
    step.parameters.assign(bytes, bytes + sizeof parameters);
    lowered_.steps.push_back(std::move(step));
    return lowered_.steps.back();
  }

  /// Copies @p from to @p to, of the same dimensions, changing type and layout.
  void copy(const ir::Node& node, std::string_view suffix, const View& from, const View& to);

  Lowered finish();

 private:
  friend Lowered lower(const ir::Graph&, const Target&, const LowerOptions&);
  void arrange();
  void place_edges();
  View laid_out(ir::ValueId id, Arrangement arrangement, Place place) const;
  View place_open(ir::ValueId id);
  void copy_counts();
  View converted(ir::ValueId id, Arrangement arrangement);
  View staged(ir::ValueId id, Arrangement arrangement);
  void flush(const ir::Node& node);

  const Bounded& bounded_;
  const ir::Graph& graph_;
  const LowerOptions& options_;
  Lowered lowered_;
  std::vector<Arrangement> arrangement_;                             // by value
  std::map<ir::ValueId, View> views_;                                // where values lie
  std::map<std::pair<ir::ValueId, Arrangement>, View> conversions_;  // copies in other layouts
  std::vector<std::pair<View, View>> pending_;                       // staged results to move
  std::map<std::string, Place> counts_;                              // where sizes are counted
  const ir::Node* current_ = nullptr;
  std::string current_name_;
  std::vector<int> current_nodes_;
};

/// The one of @p forms, best first, that runs @p problem. Each Form names its tactic.
template <class Form>
const Form& choose_form(Lowering& lowering, const std::string& problem,
                        const std::vector<Form>& forms) {
  std::vector<std::string> tactics;
  for (const Form& form : forms) tactics.push_back(form.tactic);
  const std::string chosen = lowering.choose(problem, tactics);
  for (const Form& form : forms)
    if (form.tactic == chosen) return form;
  fail("'{}' is no tactic for '{}'; those that fit: {}", chosen, problem, join(tactics, ", "));
}

/// Bytes that @p view spans, from its first to its last element.
int64_t span_bytes(const View& view);

/// Remembers that member @p pointer of @p parameters, as added in @p step, points to @p place.
template <class Parameters, class Pointer>
void patch(Step& step, Pointer Parameters::*member, const Place& place) {
  static const Parameters sample{};
  const size_t at = static_cast<size_t>(reinterpret_cast<const char*>(&(sample.*member)) -
                                        reinterpret_cast<const char*>(&sample));
  if (place.memory != Memory::None) step.patches.push_back({at, place, std::nullopt});
}

/// The same for member @p pointer of the part @p part of the parameters.
template <class Parameters, class Part, class Pointer>
void patch(Step& step, Part Parameters::*part, Pointer Part::*member, const Place& place) {
  static const Parameters sample{};
  const size_t at = static_cast<size_t>(reinterpret_cast<const char*>(&(sample.*part.*member)) -
                                        reinterpret_cast<const char*>(&sample));
  if (place.memory != Memory::None) step.patches.push_back({at, place, std::nullopt});
}

/// The same for a member that holds the map of the tensor there.
template <class Parameters, class Member>
void patch(Step& step, Member Parameters::*member, const Place& place, BoxMap map) {
  patch(step, member, place);
  step.patches.back().map = std::move(map);
}

}  // namespace dlaexec::gpu
