// if, loop, scan: bodies are graphs that may use values of the graphs around them by name.
#include <algorithm>

#include "ref/call.h"
#include "ref/stride.h"

namespace dlaexec::ref {
namespace {

/// A network that never ends would hang the build; no real loop comes near.
constexpr int64_t kMostTrips = int64_t{1} << 40;

Tensors run_body(const ir::Graph& body, const Tensors& inputs, const Scope& around) {
  Tensors values = run_all(body, inputs, around);
  Tensors outputs;
  for (const ir::ValueId id : body.outputs) {
    outputs.push_back(values[static_cast<size_t>(id)]);
    if (is_absent(outputs.back())) fail("the body does not make '{}'", body.value(id).name);
  }
  return outputs;
}

bool is_true(const Tensor& tensor) {
  if (tensor.count() < 1) fail("a condition has no element");
  return tensor.to_ints()[0] != 0;
}

/// Joins one tensor a trip along a new axis.
Tensor stacked(const Call& call, size_t output, const std::vector<Tensor>& parts, int64_t axis,
               bool backwards) {
  if (parts.empty()) {
    Dims dims;
    for (const ir::Dim& dim : call.result(output).shape)
      dims.push_back(dim.is_known() ? dim.value : 0);
    if (dims.empty()) dims.push_back(0);
    return Tensor(call.result(output).type, dims);
  }
  Dims dims = parts[0].dims();
  const size_t at = Call::axis_in(axis, static_cast<int64_t>(dims.size()) + 1);
  dims.insert(dims.begin() + static_cast<long>(at), static_cast<int64_t>(parts.size()));
  Tensor result(parts[0].type(), dims);
  Dims strides = ir::dense_strides(dims);
  const int64_t step = strides[at];
  strides.erase(strides.begin() + static_cast<long>(at));
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].dims() != parts[0].dims())
      fail("the trips give '{}' different shapes", call.result(output).name);
    const size_t to = backwards ? parts.size() - 1 - i : i;
    scatter_strided(result, parts[i], static_cast<int64_t>(to) * step, strides);
  }
  return result;
}

int64_t entry(const ir::Ints& list, size_t at) { return at < list.size() ? list[at] : 0; }

}  // namespace

Tensors condition(const Call& call) {
  const auto& branches = call.get<ir::IfAttributes>();
  const bool taken = is_true(call.tensor(0));
  return run_body(taken ? *branches.then_branch : *branches.else_branch, {}, call.scope());
}

Tensors loop(const Call& call) {
  const ir::Graph& body = *call.get<ir::LoopAttributes>().body;
  const int64_t most = call.has(0) ? call.ints(0).at(0) : kMostTrips;
  bool going = !call.has(1) || is_true(call.tensor(1));
  const size_t states = call.input_count() - 2;
  Tensors state;
  for (size_t i = 0; i < states; ++i) state.push_back(call.tensor(i + 2));
  const size_t scans = call.output_count() - states;
  std::vector<std::vector<Tensor>> stacks(scans);
  for (int64_t trip = 0; going && trip < most; ++trip) {
    Tensors inputs = {Tensor::scalar(trip), Tensor::scalar(going)};
    inputs.insert(inputs.end(), state.begin(), state.end());
    const Tensors outputs = run_body(body, inputs, call.scope());
    going = is_true(outputs[0]);
    for (size_t i = 0; i < states; ++i) state[i] = outputs[i + 1];
    for (size_t i = 0; i < scans; ++i) stacks[i].push_back(outputs[i + 1 + states]);
  }
  Tensors results = state;
  for (size_t i = 0; i < scans; ++i)
    results.push_back(call.wants(states + i) ? stacked(call, states + i, stacks[i], 0, false)
                                             : Tensor());
  return results;
}

Tensors scan(const Call& call) {
  const auto& attributes = call.get<ir::LoopAttributes>();
  const ir::Graph& body = *attributes.body;
  const auto scans_in = static_cast<size_t>(attributes.scan_inputs);
  const size_t states = call.input_count() - scans_in;
  if (scans_in == 0) fail("a scan has no scan input");
  Tensors state;
  for (size_t i = 0; i < states; ++i) state.push_back(call.tensor(i));
  const size_t scans_out = call.output_count() - states;
  std::vector<std::vector<Tensor>> stacks(scans_out);
  const auto axis_of = [&](size_t i) {
    return Call::axis_in(entry(attributes.scan_input_axes, i), call.rank(states + i));
  };
  const int64_t trips = call.dims(states)[axis_of(0)];
  for (int64_t trip = 0; trip < trips; ++trip) {
    Tensors inputs = state;
    for (size_t i = 0; i < scans_in; ++i) {
      const size_t axis = axis_of(i);
      Dims dims = call.dims(states + i);
      if (dims[axis] != trips) fail("scan inputs of {} and {} elements", trips, dims[axis]);
      Dims strides = ir::dense_strides(dims);
      const int64_t at = entry(attributes.scan_input_reverse, i) ? trips - 1 - trip : trip;
      const int64_t offset = at * strides[axis];
      dims.erase(dims.begin() + static_cast<long>(axis));
      strides.erase(strides.begin() + static_cast<long>(axis));
      inputs.push_back(gather_strided(call.tensor(states + i), dims, offset, strides));
    }
    const Tensors outputs = run_body(body, inputs, call.scope());
    for (size_t i = 0; i < states; ++i) state[i] = outputs[i];
    for (size_t i = 0; i < scans_out; ++i) stacks[i].push_back(outputs[i + states]);
  }
  Tensors results = state;
  for (size_t i = 0; i < scans_out; ++i)
    results.push_back(call.wants(states + i)
                          ? stacked(call, states + i, stacks[i],
                                    entry(attributes.scan_output_axes, i),
                                    entry(attributes.scan_output_reverse, i) != 0)
                          : Tensor());
  return results;
}

}  // namespace dlaexec::ref
