// A cuDNN that proposes the engines of the table below for every graph and convolves nothing.
//   FAKE_CUDNN_VERSION   the version it says it is; without it 91900
#include <cstring>
#include <map>
#include <vector>

#include "gpu/cudnn_graph.h"
#include "state.h"

#define FAKE extern "C" __attribute__((visibility("default")))

using fake_cuda::called;
using fake_cuda::gone;
using fake_cuda::Handle;
using fake_cuda::made;
using fake_cuda::Result;
using namespace dlaexec::gpu::cudnn;

namespace {

constexpr Result kBadParameter = 2000, kNotSupported = 3000;

/// What this library can do, best first.
struct Engine {
  int64_t index, workspace_bytes;
  std::vector<int> numerical_notes, behavior_notes;
};
const Engine kEngines[] = {
    {70, 0, {0}, {0}},    // compiles at run time
    {71, 0, {0, 4}, {}},  // sums in any order
    {41, 4096, {0}, {}},  // tensor cores
    {10, 0, {}, {}},      // none
};

struct Descriptor {
  int kind = 0;
  Handle counted = nullptr;
  std::map<int, std::vector<std::byte>> attributes;
  bool is_finished = false;
  int row = 0;  // of engines, configurations and plans

  template <class Value>
  std::vector<Value> all(const dlaexec::gpu::CudnnAttribute& attribute) const {
    const auto found = attributes.find(attribute.name);
    if (found == attributes.end()) return {};
    std::vector<Value> values(found->second.size() / sizeof(Value));
    std::memcpy(values.data(), found->second.data(), values.size() * sizeof(Value));
    return values;
  }
  Descriptor* one(const dlaexec::gpu::CudnnAttribute& attribute) const {
    const auto handles = all<Handle>(attribute);
    return handles.empty() ? nullptr : static_cast<Descriptor*>(handles[0]);
  }
};

size_t size_of(int type) {
  if (type == kBoolean) return 1;
  return type == kInt64 || type == kAddress || type == kDescriptor || type == kHandle ? 8 : 4;
}

template <class Value>
Result give(const std::vector<Value>& values, int64_t most, int64_t* count, void* to) {
  *count = static_cast<int64_t>(values.size());
  for (int64_t i = 0; i < std::min<int64_t>(most, *count); ++i)
    std::memcpy(static_cast<std::byte*>(to) + static_cast<size_t>(i) * sizeof(Value),
                &values[static_cast<size_t>(i)], sizeof(Value));
  return 0;
}

/// Marks the descriptors at @p to, one a row from @p first on, as the library's own.
Result fill(int first, int64_t rows, int64_t most, int64_t* count, void* to) {
  *count = std::min(rows, most);
  for (int64_t i = 0; i < *count; ++i) {
    auto* descriptor = static_cast<Descriptor*>(static_cast<Handle*>(to)[i]);
    descriptor->row = first + static_cast<int>(i);
    descriptor->is_finished = true;
  }
  return 0;
}

/// The row of kEngines with @p index, or -1.
int row_of(int64_t index) {
  for (size_t i = 0; i < std::size(kEngines); ++i)
    if (kEngines[i].index == index) return static_cast<int>(i);
  return -1;
}

}  // namespace

FAKE size_t cudnnGetVersion() { return fake_cuda::told("FAKE_CUDNN_VERSION", 91900); }
FAKE const char* cudnnGetErrorString(Result result) {
  return result == kNotSupported ? "CUDNN_STATUS_NOT_SUPPORTED" : "CUDNN_STATUS_BAD_PARAM";
}
FAKE Result cudnnCreate(Handle* library) { return made("cudnnCreate", "cudnn", library); }
FAKE Result cudnnDestroy(Handle library) { return gone("cudnnDestroy", "cudnn", library); }
FAKE Result cudnnSetStream(Handle, Handle) { return called("cudnnSetStream"); }

FAKE Result cudnnBackendCreateDescriptor(int kind, Handle* descriptor) {
  Handle counted = nullptr;
  if (const Result result = made("cudnnBackendCreateDescriptor", "descriptor", &counted))
    return result;
  *descriptor = new Descriptor{kind, counted, {}, false, 0};
  return 0;
}
FAKE Result cudnnBackendDestroyDescriptor(Handle descriptor) {
  Handle counted = static_cast<Descriptor*>(descriptor)->counted;
  delete static_cast<Descriptor*>(descriptor);
  return gone("cudnnBackendDestroyDescriptor", "descriptor", counted);
}
FAKE Result cudnnBackendSetAttribute(Handle handle, int attribute, int type, int64_t count,
                                     const void* values) {
  auto* descriptor = static_cast<Descriptor*>(handle);
  if (descriptor->is_finished || count < 1) return kBadParameter;
  if (type == kDescriptor)
    for (int64_t i = 0; i < count; ++i)
      if (!static_cast<Descriptor*>(static_cast<const Handle*>(values)[i])->is_finished)
        return kBadParameter;
  const auto* from = static_cast<const std::byte*>(values);
  descriptor->attributes[attribute].assign(from, from + static_cast<size_t>(count) * size_of(type));
  return called("cudnnBackendSetAttribute");
}
FAKE Result cudnnBackendFinalize(Handle handle) {
  auto* descriptor = static_cast<Descriptor*>(handle);
  if (descriptor->kind == kEngine) {
    descriptor->row = row_of(descriptor->all<int64_t>(kEngineIndex).at(0));
    if (descriptor->row < 0) return kNotSupported;
  }
  if (descriptor->kind == kConfig) descriptor->row = descriptor->one(kConfigEngine)->row;
  if (descriptor->kind == kPlan) descriptor->row = descriptor->one(kPlanConfig)->row;
  descriptor->is_finished = true;
  return called("cudnnBackendFinalize");
}
FAKE Result cudnnBackendGetAttribute(Handle handle, int attribute, int, int64_t most,
                                     int64_t* count, void* values) {
  const auto* descriptor = static_cast<Descriptor*>(handle);
  const Engine& engine = kEngines[descriptor->row];
  const bool is_fallback =
      descriptor->kind == kHeuristics && descriptor->all<int>(kHeuristicsKind).at(0) == 2;
  switch (attribute) {
    case kHeuristicsResults.name:
      return fill(0, is_fallback ? 0 : std::ssize(kEngines), most, count, values);
    case kConfigEngine.name:
      return fill(descriptor->row, 1, most, count, values);
    case kConfigKnobs.name:
      return fill(0, 1, most, count, values);
    case kChoiceKnob.name:
      return give(std::vector<int>{2}, most, count, values);
    case kChoiceValue.name:
      return give(std::vector<int64_t>{7}, most, count, values);
    case kEngineIndex.name:
      return give(std::vector<int64_t>{engine.index}, most, count, values);
    case kEngineNumericalNotes.name:
      return give(engine.numerical_notes, most, count, values);
    case kEngineBehaviorNotes.name:
      return give(engine.behavior_notes, most, count, values);
    case kPlanWorkspace.name:
      return give(std::vector<int64_t>{engine.workspace_bytes}, most, count, values);
    default:
      return kBadParameter;
  }
}
FAKE Result cudnnBackendExecute(Handle, Handle plan, Handle pack) {
  const auto* what = static_cast<Descriptor*>(plan);
  const auto* with = static_cast<Descriptor*>(pack);
  const std::vector<Handle> addresses = with->all<Handle>(kPackAddresses);
  if (!what->is_finished || !with->is_finished ||
      addresses.size() != with->all<int64_t>(kPackIds).size())
    return kBadParameter;
  for (const Handle address : addresses)
    if (!address) return kBadParameter;
  const bool has_workspace = with->all<Handle>(kPackWorkspace).at(0) != nullptr;
  if (kEngines[what->row].workspace_bytes > 0 && !has_workspace) return kBadParameter;
  return called("cudnnBackendExecute");
}
