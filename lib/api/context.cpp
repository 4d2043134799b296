#include "api/context.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "api/convert.h"

namespace dlaexec::api {
namespace {

/// @p dims with the first dimension cut to @p items.
ir::Dims first_items(ir::Dims dims, std::optional<int64_t> items) {
  if (items && !dims.empty()) dims[0] = std::min(dims[0], *items);
  return dims;
}

/// A plan takes as many items as it was built for, or fewer; with a DLA, or formats other than
/// linear, exactly as many.
void require_batch(const SharedEngine& shared, int64_t batch) {
  const bool uses_dla = plan::uses_dla(shared.engine.plan());
  for (const Slot& slot : shared.slots) {
    const ir::Shape& shape = slot.binding.shape;
    if (shape.empty() || !shape[0].is_known() || shape[0].value == batch) continue;
    const bool exact = uses_dla || slot.binding.format != ir::Format::Linear;
    if (exact || batch > shape[0].value || batch < 1)
      fail("batch {} given; the plan was built for batch {} of '{}'{}", batch, shape[0].value,
           slot.binding.name, exact ? ", and a DLA takes exactly that" : "");
  }
}

}  // namespace

ExecutionContext::ExecutionContext(ILogger& logger, std::shared_ptr<SharedEngine> shared)
    : logger_(logger),
      shared_(std::move(shared)),
      engine_(logger, shared_),
      context_(shared_->engine) {}

ir::Dims ExecutionContext::dims_of(const Slot& slot) const {
  if (const auto set = shapes_.find(slot.binding.name); set != shapes_.end()) return set->second;
  if (!slot.is_input && !context_.outputs().empty())
    return context_.outputs()[slot.position].dims();
  if (!ir::is_static(slot.binding.shape))
    fail("the shape of '{}' is {}; set it with setInputShape", slot.binding.name,
         ir::to_text(slot.binding.shape));
  return ir::dims_of(slot.binding.shape);
}

ir::Tensor ExecutionContext::read(const Slot& slot, const void* address,
                                  std::optional<int64_t> items) const {
  if (!address) fail("no address is given for input '{}'", slot.binding.name);
  const ir::Dims dims = dims_of(slot);
  const std::span bytes(static_cast<const std::byte*>(address),
                        slot.size_bytes(first_items(dims, items), shared_->generation));
  if (const auto layout = slot.layout(dims, shared_->generation))
    return dla::unpack(bytes, *layout, slot.binding.type, dims);
  ir::Tensor tensor = ir::Tensor::zeros(slot.binding.type, dims);
  std::memcpy(tensor.mutable_bytes().data(), bytes.data(), bytes.size());
  return tensor;
}

void ExecutionContext::write(const Slot& slot, void* address, std::optional<int64_t> items) const {
  if (!address) fail("no address is given for output '{}'", slot.binding.name);
  const ir::Tensor& output = context_.outputs()[slot.position];
  const std::span bytes(static_cast<std::byte*>(address),
                        slot.size_bytes(first_items(output.dims(), items), shared_->generation));
  if (const auto layout = slot.layout(output.dims(), shared_->generation))
    dla::pack(output, *layout, slot.binding.type, 1, bytes);
  else
    std::memcpy(bytes.data(), output.bytes().data(), bytes.size());
}

void ExecutionContext::run(void* const* bindings, std::optional<int64_t> items) {
  std::vector<ir::Tensor> inputs;
  for (size_t i = 0; i < shared_->slots.size(); ++i)
    if (shared_->slots[i].is_input) inputs.push_back(read(shared_->slots[i], bindings[i], items));
  const run::Timeline timeline = context_.execute(inputs);
  for (size_t i = 0; i < shared_->slots.size(); ++i)
    if (!shared_->slots[i].is_input) write(shared_->slots[i], bindings[i], items);
  if (!profiler_) return;
  const std::vector<run::Step>& steps = shared_->engine.steps();
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::chrono::duration<float, std::milli> spent = timeline.steps[i].duration;
    profiler_->reportLayerTime(steps[i].name.c_str(), spent.count());
  }
}

bool ExecutionContext::executeV2(void* const* bindings) noexcept {
  return succeeds(logger_, [&] { run(bindings); });
}

bool ExecutionContext::execute(int32_t batch, void* const* bindings) noexcept {
  return succeeds(logger_, [&] {
    require_batch(*shared_, batch);
    run(bindings, batch);
  });
}

bool ExecutionContext::setTensorAddress(const char* name, void* data) noexcept {
  return succeeds(logger_, [&] {
    if (!shared_->find(name)) fail("the engine has no tensor called '{}'", name);
    addresses_[name] = data;
  });
}

bool ExecutionContext::setInputShape(const char* name, const Dims& dims) noexcept {
  return succeeds(logger_, [&] {
    const Slot* slot = shared_->find(name);
    if (!slot || !slot->is_input) fail("the engine has no input called '{}'", name);
    const ir::Shape& shape = slot->binding.shape;
    const ir::Ints wanted = to_ints(dims);
    bool fits = wanted.size() == shape.size();
    for (size_t i = 0; fits && i < wanted.size(); ++i)
      fits = shape[i].is_known() ? shape[i].value == wanted[i] : wanted[i] >= 0;
    if (!fits)
      fail("input '{}' takes {}; {} was given", name, ir::to_text(shape), ir::to_text(wanted));
    shapes_[name] = wanted;
  });
}

Dims ExecutionContext::getTensorShape(const char* name) const noexcept {
  const Slot* slot = shared_->find(name);
  if (!slot) return Dims{-1, {}};
  if (const auto set = shapes_.find(name); set != shapes_.end()) return ints_to_dims(set->second);
  return engine_.getTensorShape(name);
}

Dims ExecutionContext::getTensorStrides(const char* name) const noexcept {
  return guarded(logger_, Dims{-1, {}}, [&] {
    const Slot* slot = shared_->find(name);
    if (!slot) fail("the engine has no tensor called '{}'", name);
    const ir::Dims dims = dims_of(*slot);
    const auto layout = slot->layout(dims, shared_->generation);
    if (!layout) return ints_to_dims(ir::dense_strides(dims));
    const int64_t element = layout->lanes * layout->element;
    ir::Ints strides = {layout->image / element, layout->surface / element, layout->line / element,
                        layout->pixel / element};
    strides.resize(dims.size());
    return ints_to_dims(strides);
  });
}

Dims ExecutionContext::getStrides(int32_t index) const noexcept {
  const char* name = engine_.getIOTensorName(index);
  return name ? getTensorStrides(name) : Dims{-1, {}};
}

bool ExecutionContext::enqueueV3(void*) noexcept {
  return succeeds(logger_, [&] {
    std::vector<void*> bindings;
    for (const Slot& slot : shared_->slots) {
      const auto set = addresses_.find(slot.binding.name);
      if (set == addresses_.end())
        fail("no address is set for '{}'; call setTensorAddress", slot.binding.name);
      bindings.push_back(set->second);
    }
    run(bindings.data());
  });
}

}  // namespace dlaexec::api
