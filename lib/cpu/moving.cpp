// Nodes that move elements without changing them: transpose, slice, split, expand, depth to space,
// gather.
#include <algorithm>
#include <cstring>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/numbers.h"
#include "cpu/strided.h"

namespace dlaexec::cpu {
namespace {

/// A kernel whose outputs read input 0 along strides; outputs that are runs of it are views.
std::optional<Kernel> reading_kernel(const Request& request, std::string name,
                                     std::vector<StridedRead> reads) {
  const ir::Value& input = request.input(0);
  const Layout layout = moving_layout(input);
  const size_t element = ir::size_bytes(layout.storage);
  Kernel kernel;
  kernel.name = std::move(name);
  kernel.inputs.assign(request.node.inputs.size(), std::nullopt);
  kernel.inputs[0] = layout;
  bool all_runs = true;
  for (size_t i = 0; i < reads.size(); ++i) {
    if (!same_numbers(input, request.output(i))) return std::nullopt;
    reads[i] = reads[i].simplified();
    all_runs &= reads[i].is_run();
    kernel.outputs.push_back(layout);
  }
  kernel.rounds = Rounds::Itself;
  if (all_runs) {
    kernel.name = "view";
    for (const StridedRead& read : reads)
      kernel.view_offsets.push_back(read.offset * static_cast<int64_t>(element));
    return kernel;
  }
  kernel.run = [reads = std::move(reads), element](const Call& call) {
    for (size_t i = 0; i < reads.size(); ++i)
      read_strided(reads[i], element, call.inputs[0].data, call.outputs[i].data, call.pool);
  };
  return kernel;
}

}  // namespace

std::optional<Kernel> make_transpose(const Request& request) {
  const ir::Ints& perm = request.node.get<ir::TransposeAttributes>().perm;
  const std::vector<int64_t> steps = ir::dense_strides(request.input_dims(0));
  StridedRead read{request.output_dims(), {}, 0};
  for (size_t i = 0; i < read.dims.size(); ++i) {
    const size_t from = perm.empty() ? read.dims.size() - 1 - i : static_cast<size_t>(perm[i]);
    read.steps.push_back(steps[from]);
  }
  return reading_kernel(request, "transpose", {std::move(read)});
}

std::optional<Kernel> make_slice(const Request& request) {
  const ir::Dims input = request.input_dims(0);
  for (size_t i = 1; i < request.node.inputs.size(); ++i)
    if (request.has_input(i) && request.constant(i) == nullptr) return std::nullopt;
  const auto ints = [&](size_t index) { return request.constant(index)->to_ints(); };
  const std::vector<int64_t> starts = ints(1);
  StridedRead read{request.output_dims(), ir::dense_strides(input), 0};
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t axis = request.has_input(3) ? ints(3)[i] : static_cast<int64_t>(i);
    if (axis < 0) axis += std::ssize(input);
    const size_t at = static_cast<size_t>(axis);
    const int64_t step = request.has_input(4) ? ints(4)[i] : 1;
    const int64_t start = starts[i] < 0 ? starts[i] + input[at] : starts[i];
    const int64_t first = std::clamp<int64_t>(start, 0, step > 0 ? input[at] : input[at] - 1);
    read.offset += first * read.steps[at];
    if (read.dims[at] > 1) read.steps[at] *= step;
  }
  return reading_kernel(request, "slice", {std::move(read)});
}

std::optional<Kernel> make_split(const Request& request) {
  const size_t axis = static_cast<size_t>(request.node.get<ir::AxisAttributes>().axis);
  const std::vector<int64_t> steps = ir::dense_strides(request.input_dims(0));
  std::vector<StridedRead> reads;
  int64_t offset = 0;
  for (size_t i = 0; i < request.node.outputs.size(); ++i) {
    if (request.node.outputs[i] == ir::kNoValue) return std::nullopt;
    reads.push_back({request.output_dims(i), steps, offset});
    offset += reads.back().dims[axis] * steps[axis];
  }
  return reading_kernel(request, "split", std::move(reads));
}

std::optional<Kernel> make_expand(const Request& request) {
  const ir::Dims input = request.input_dims(0);
  const std::vector<int64_t> dense = ir::dense_strides(input);
  StridedRead read{request.output_dims(), {}, 0};
  const size_t missing = read.dims.size() - input.size();
  read.steps.assign(read.dims.size(), 0);
  for (size_t i = 0; i < input.size(); ++i)
    if (input[i] != 1) read.steps[missing + i] = dense[i];
  return reading_kernel(request, "expand", {std::move(read)});
}

std::optional<Kernel> make_depth_to_space(const Request& request) {
  const auto& attributes = request.node.get<ir::DepthAttributes>();
  const ir::Dims input = request.input_dims(0);
  if (input.size() != 4) return std::nullopt;
  const int64_t b = attributes.block;
  const bool to_space = request.node.op == ir::Op::DepthToSpace;
  const std::vector<int64_t> dense = ir::dense_strides(input);
  StridedRead read;
  if (to_space) {
    // Output [N, C, H, by, W, bx] of input [N, by, bx, C, H, W] (dcr) or [N, C, by, bx, H, W].
    const int64_t channels = input[1] / (b * b);
    const bool depth_first = attributes.order == ir::DepthOrder::Dcr;
    const int64_t channel = depth_first ? dense[1] : dense[1] * b * b;
    const int64_t column = depth_first ? dense[1] * channels : dense[1];
    read.dims = {input[0], channels, input[2], b, input[3], b};
    read.steps = {dense[0], channel, dense[2], column * b, 1, column};
  } else {
    // Output [N, by, bx, C, H, W] of input [N, C, H, by, W, bx].
    read.dims = {input[0], b, b, input[1], input[2] / b, input[3] / b};
    read.steps = {dense[0], dense[2], 1, dense[1], dense[2] * b, b};
  }
  return reading_kernel(request, to_space ? "depth-to-space" : "space-to-depth", {std::move(read)});
}

std::optional<Kernel> make_gather(const Request& request) {
  if (!same_numbers(request.input(0), request.output())) return std::nullopt;
  const ir::DataType index_type = request.input(1).type;
  if (index_type != ir::DataType::Int64 && index_type != ir::DataType::Int32) return std::nullopt;
  const ir::Dims data = request.input_dims(0);
  const size_t axis = static_cast<size_t>(request.node.get<ir::AxisAttributes>().axis);
  const Layout layout = moving_layout(request.input(0));
  int64_t outer = 1, inner = static_cast<int64_t>(ir::size_bytes(layout.storage));
  for (size_t i = 0; i < axis; ++i) outer *= data[i];
  for (size_t i = axis + 1; i < data.size(); ++i) inner *= data[i];
  const int64_t size = data[axis], indices = ir::volume(request.input_dims(1));
  Kernel kernel;
  kernel.name = "gather";
  kernel.inputs = {layout, Layout{index_type, Order::Linear}};
  kernel.outputs = {layout};
  kernel.rounds = Rounds::Itself;
  kernel.run = [=](const Call& call) {
    const std::byte* picks = call.inputs[1].data;
    call.pool.parallel_ranges(
        outer * indices, std::max<int64_t>(1, 64 * 1024 / inner), [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i) {
            int64_t pick = index_type == ir::DataType::Int64
                               ? reinterpret_cast<const int64_t*>(picks)[i % indices]
                               : reinterpret_cast<const int32_t*>(picks)[i % indices];
            if (pick < -size || pick >= size)
              fail("index {} is outside the {} entries to gather from", pick, size);
            if (pick < 0) pick += size;
            std::memcpy(call.outputs[0].data + i * inner,
                        call.inputs[0].data + (i / indices * size + pick) * inner,
                        static_cast<size_t>(inner));
          }
        });
  };
  return kernel;
}

}  // namespace dlaexec::cpu
