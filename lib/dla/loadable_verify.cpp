// What a loadable must hold so that the core can run it without looking again. Files are not
// trusted: every index, size and stride that the core will use is checked here, against the rest of
// the file and never against a size that would overflow.
#include <cmath>
#include <unordered_set>

#include "base/error.h"
#include "dla/loadable.h"

namespace dlaexec::dla {
namespace {

constexpr int64_t kLargestDim = int64_t{1} << 20;
constexpr int64_t kLargestCount = int64_t{1} << 34;
constexpr int64_t kLargestStride = int64_t{1} << 38;
constexpr int64_t kLutBytes = (65 + 257) * 2;

bool in(int64_t value, int64_t low, int64_t high) { return value >= low && value <= high; }

/// Ends the check of what is being looked at, which the context lines name.
void require(bool holds, std::string_view what) {
  if (!holds) fail("the loadable is not valid: {}", what);
}

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

bool is_dims(const Nchw& dims) {
  for (const int64_t dim : {dims.n, dims.c, dims.h, dims.w})
    if (!in(dim, 1, kLargestDim)) return false;
  return dims.n * dims.c <= kLargestCount && dims.h * dims.w <= kLargestCount &&
         dims.n * dims.c <= kLargestCount / (dims.h * dims.w);
}

/// One past the last byte of a cube, from its first.
int64_t extent_bytes(const Cube& cube) {
  const Layout& layout = cube.layout;
  const Nchw& dims = cube.dims;
  return (dims.n - 1) * layout.image + (ceil_div(dims.c, layout.lanes) - 1) * layout.surface +
         (dims.h - 1) * layout.line + dims.w * layout.pixel;
}

void verify_layout(const Cube& cube, Generation generation) {
  const Layout& layout = cube.layout;
  const Layout whole = layout_of(cube.format, cube.type, cube.dims, generation);
  require(
      layout.lanes == whole.lanes && layout.element == whole.element && layout.pixel == whole.pixel,
      "lanes and element size must be those of the format");
  for (const int64_t stride : {layout.line, layout.surface, layout.image})
    require(in(stride, 1, kLargestStride), "strides must lie in [1, 2^38]");
  require(layout.line >= cube.dims.w * layout.pixel &&
              layout.surface >= (cube.dims.h - 1) * layout.line + cube.dims.w * layout.pixel &&
              layout.image >= (ceil_div(cube.dims.c, layout.lanes) - 1) * layout.surface,
          "strides must not let elements overlap");
}

int64_t region_bytes(const Loadable& loadable, const Place& place) {
  const auto binding = [&](const std::vector<CubeId>& bound) {
    require(in(place.binding, 0, static_cast<int64_t>(bound.size()) - 1),
            "the binding must be one of the loadable's");
    const Cube& cube = loadable.cube(bound[static_cast<size_t>(place.binding)]);
    return size_bytes(layout_of(cube.format, cube.type, cube.dims, loadable.generation), cube.dims);
  };
  switch (place.region) {
    case Region::Input:
      return binding(loadable.inputs);
    case Region::Output:
      return binding(loadable.outputs);
    case Region::Local:
      return loadable.pools.local;
    case Region::Sram:
      return loadable.pools.sram;
  }
  __builtin_unreachable();
}

void verify_cube(const Loadable& loadable, const Cube& cube) {
  require(is_dims(cube.dims), "dimensions must lie in [1, 2^20], elements in [1, 2^34]");
  verify_layout(cube, loadable.generation);
  if (cube.type == ir::DataType::Int8)
    require(std::isfinite(cube.scale) && cube.scale > 0, "an i8 cube needs a positive scale");
  require(in(cube.part_of, -1, static_cast<int64_t>(loadable.cubes.size()) - 1),
          "a part must belong to a cube");
  const int64_t available = region_bytes(loadable, cube.place);
  require(
      in(cube.place.offset, 0, available) && extent_bytes(cube) <= available - cube.place.offset,
      "the cube must lie inside its region");
}

/// Inputs and outputs are whole cubes at the start of their own buffers.
void verify_bindings(const Loadable& loadable, const std::vector<CubeId>& bound, Region region) {
  for (size_t i = 0; i < bound.size(); ++i) {
    require(in(bound[i], 0, static_cast<int64_t>(loadable.cubes.size()) - 1),
            "inputs and outputs must be cubes");
    const Cube& cube = loadable.cube(bound[i]);
    require(is_dims(cube.dims), "dimensions must lie in [1, 2^20], elements in [1, 2^34]");
    require(cube.place == Place{region, static_cast<int32_t>(i), 0} && cube.part_of == -1,
            "an input or output must own its buffer");
    require(cube.layout == layout_of(cube.format, cube.type, cube.dims, loadable.generation),
            "an input or output must have its format's own strides");
  }
}

/// Checks one operation; the names are those of the data it looks at.
class OperationCheck {
 public:
  OperationCheck(const Loadable& loadable, const Operation& operation)
      : loadable_(loadable),
        operation_(operation),
        input_(loadable.cube(operation.input)),
        output_(loadable.cube(operation.output)),
        is_int8_(operation.precision == ir::DataType::Int8),
        is_integer_(works_in_integers(loadable, operation)) {}

  void run() {
    require(is_int8_ || operation_.precision == ir::DataType::Float16, "precision is f16 or i8");
    require(input_.dims.n == output_.dims.n, "the batch must not change");
    std::visit([&](const auto& held) { check(held); }, operation_.parameters);
    check_tiling();
  }

 private:
  void check_span(const BlobSpan& span, int64_t size) {
    const auto total = static_cast<int64_t>(loadable_.weights.size_bytes());
    require(span.size == size, "constants must be as many as the operation takes");
    require(in(span.offset, 0, total) && span.size <= total - span.offset && span.offset % 16 == 0,
            "constants must lie in the weights, aligned to 16 bytes");
  }

  void check_converter(const Converter& converter) {
    require(converter.shift <= 63, "a shift is at most 63");
  }

  void check_lut(const Lut& lut) {
    check_span(lut.entries, kLutBytes);
    for (const float value : {lut.first_start, lut.first_end, lut.linear_start, lut.linear_end,
                              lut.slope_below, lut.slope_above})
      require(std::isfinite(value), "a table's ranges and slopes must be finite");
    require(lut.first_start < lut.first_end && lut.linear_start < lut.linear_end,
            "a table's range must not be empty");
    require(in(lut.first_exponent, -120, 60), "a table's exponent must lie in [-120, 60]");
  }

  void check_operand(const SdpOperand& operand) {
    require(operand.shift_left <= 31, "a left shift is at most 31");
    check_converter(operand.converter);
    if (operand.cube != kNoCube) {
      const Nchw& dims = loadable_.cube(operand.cube).dims;
      const Nchw& out = output_.dims;
      require((dims.n == out.n || dims.n == 1) && (dims.c == out.c || dims.c == 1) &&
                  (dims.h == out.h || dims.h == 1) && (dims.w == out.w || dims.w == 1),
              "an operand must have the output's dimensions or 1");
      require(!is_integer_ || loadable_.cube(operand.cube).type == ir::DataType::Int8,
              "an i8 operation takes i8 operands");
      return;
    }
    const Nchw& dims = output_.dims;
    const int64_t count = operand.extent == OperandExtent::PerLayer     ? 1
                          : operand.extent == OperandExtent::PerChannel ? dims.c
                                                                        : dims.c * dims.h * dims.w;
    check_span(operand.constants, count * (is_integer_ ? 2 : 4));
  }

  void check_sdp(const SdpParameters& sdp) {
    require(sdp.stages.size() <= 3, "the SDP has three stages");
    for (const SdpStage& stage : sdp.stages) {
      if (stage.alu != SdpAlu::None) check_operand(stage.alu_operand);
      if (stage.mul != SdpMul::None) check_operand(stage.mul_operand);
      require(stage.mul_shift <= 63, "a shift is at most 63");
    }
    check_converter(sdp.input);
    check_converter(sdp.output);
    if (sdp.lut.is_present()) check_lut(sdp.lut);
    require(!is_integer_ || !sdp.lut.is_present(), "tables work in f16");
    require(sdp.lut.is_present() || !sdp.gated, "only a table can be gated");
  }

  void check_window(const Hw& kernel, const Hw& stride, const Hw& dilation, const Padding& pad) {
    for (const int64_t value : {kernel.h, kernel.w, stride.h, stride.w, dilation.h, dilation.w})
      require(in(value, 1, 8192), "kernel, stride and dilation must lie in [1, 8192]");
    const int64_t reach_h = (kernel.h - 1) * dilation.h + 1;
    const int64_t reach_w = (kernel.w - 1) * dilation.w + 1;
    require(in(pad.top, 0, reach_h - 1) && in(pad.bottom, 0, reach_h - 1 + stride.h) &&
                in(pad.left, 0, reach_w - 1) && in(pad.right, 0, reach_w - 1 + stride.w),
            "padding must be smaller than the kernel");
    const int64_t rows = input_.dims.h + pad.top + pad.bottom - reach_h;
    const int64_t columns = input_.dims.w + pad.left + pad.right - reach_w;
    require(rows >= 0 && columns >= 0 && rows / stride.h + 1 == output_.dims.h &&
                columns / stride.w + 1 == output_.dims.w,
            "the output's size must follow from kernel, stride and padding");
  }

  void check(const ConvParameters& conv) {
    check_window(conv.kernel, conv.stride, conv.dilation, conv.pad);
    require(in(conv.groups, 1, kLargestDim) && input_.dims.c % conv.groups == 0 &&
                output_.dims.c % conv.groups == 0,
            "groups must divide the channels");
    require(input_.type == operation_.precision, "a convolution reads its own precision");
    require(input_.format != ir::Format::DlaLinear, "a convolution does not read dla_linear");
    const int64_t taps = input_.dims.c / conv.groups * conv.kernel.h * conv.kernel.w;
    require(taps <= kLargestCount / output_.dims.c, "too many weights");
    check_span(conv.weights, output_.dims.c * taps * (is_int8_ ? 1 : 2));
    require(conv.dense_weight_bytes >= 0, "weight bytes must not be negative");
    require(!conv.sdp.gated, "a table behind a convolution is not gated");
    check_sdp(conv.sdp);
  }

  void check(const SdpParameters& sdp) {
    require(input_.dims == output_.dims, "the SDP keeps dimensions");
    require(!is_int8_ || (input_.type == ir::DataType::Int8 && is_integer_),
            "an i8 operation reads and delivers i8");
    check_sdp(sdp);
  }

  void check(const PdpParameters& pool) {
    require(input_.type == output_.type, "pooling keeps the type");
    require(input_.dims.c == output_.dims.c || pool.kind == PdpKind::ReduceMax,
            "pooling keeps the channels");
    if (pool.kind != PdpKind::ReduceMax) {
      check_window(pool.kernel, pool.stride, {1, 1}, pool.pad);
      require(in(pool.reciprocal_w, 0, 1 << 16) && in(pool.reciprocal_h, 0, 1 << 16),
              "reciprocals must lie in [0, 2^16]");
      return;
    }
    const auto reduced = [](int64_t from, int64_t to) { return to == from || to == 1; };
    require(input_.type == output_.type && reduced(input_.dims.c, output_.dims.c) &&
                reduced(input_.dims.h, output_.dims.h) && reduced(input_.dims.w, output_.dims.w),
            "a reduction keeps a dimension or makes it 1");
  }

  void check(const CdpParameters& cdp) {
    require(input_.dims == output_.dims, "the CDP keeps dimensions");
    check_converter(cdp.input);
    check_converter(cdp.output);
    if (cdp.kind == CdpKind::Lrn) {
      require(in(cdp.size, 1, 9) && cdp.size % 2 == 1, "LRN windows are 1, 3, 5, 7 or 9");
      check_lut(cdp.lut);
    } else {
      require(in(cdp.axis, 1, 3), "softmax runs along axis 1, 2 or 3");
    }
  }

  void check_box(const RubikParameters& rubik) {
    const auto fits = [](const Nchw& from, const Nchw& extent, const Nchw& dims) {
      return in(from.n, 0, dims.n - extent.n) && in(from.c, 0, dims.c - extent.c) &&
             in(from.h, 0, dims.h - extent.h) && in(from.w, 0, dims.w - extent.w);
    };
    require(is_dims(rubik.extent) && fits(rubik.from, rubik.extent, input_.dims) &&
                fits(rubik.to, rubik.extent, output_.dims),
            "a copied box must lie in its cubes");
  }

  void check(const RubikParameters& rubik) {
    require(input_.type == output_.type, "Rubik keeps the type");
    const Nchw& in_dims = input_.dims;
    const Nchw& out = output_.dims;
    const Hw& by = rubik.factor;
    require(in(by.h, 1, kLargestDim) && in(by.w, 1, kLargestDim), "factors must be positive");
    switch (rubik.kind) {
      case RubikKind::Convert:
        return require(in_dims == out, "a conversion keeps dimensions");
      case RubikKind::Copy:
        return check_box(rubik);
      case RubikKind::Transpose:
        return check_order(rubik.order);
      case RubikKind::Reshape:
        return require(in_dims.count() == out.count(), "a reshape keeps the number of elements");
      case RubikKind::Contract:
        return require(by.h <= in_dims.c && by.w <= in_dims.c / by.h &&
                           in_dims.c / (by.h * by.w) == out.c && in_dims.c % (by.h * by.w) == 0 &&
                           out.h <= in_dims.h * by.h && out.w <= in_dims.w * by.w,
                       "a contract must make what its input holds");
      case RubikKind::ResizeNearest:
      case RubikKind::ResizeLinear:
        return require(in_dims.c == out.c && out.h == in_dims.h * by.h &&
                           out.w == in_dims.w * by.w && by.h <= 32 && by.w <= 32,
                       "a resize multiplies height and width by its factors");
    }
  }

  void check_order(const Nchw& order) {
    const int64_t from[] = {input_.dims.n, input_.dims.c, input_.dims.h, input_.dims.w};
    const int64_t to[] = {output_.dims.n, output_.dims.c, output_.dims.h, output_.dims.w};
    int64_t seen = 0;
    const int64_t axes[] = {order.n, order.c, order.h, order.w};
    for (size_t i = 0; i < 4; ++i) {
      require(in(axes[i], 0, 3) && to[i] == from[axes[i]], "a transpose permutes the dimensions");
      seen |= int64_t{1} << axes[i];
    }
    require(seen == 15, "a transpose permutes the dimensions");
  }

  void check(const BdmaParameters&) {
    require(input_.type == output_.type && input_.dims == output_.dims,
            "a copy keeps type and dimensions");
  }

  void check_tiling() {
    const Tiling& tiling = operation_.tiling;
    int64_t next = 0;
    for (const Strip& strip : tiling.strips) {
      require(strip.out_first == next && in(strip.out_rows, 1, output_.dims.h - next),
              "strips must cover the output's rows once");
      next += strip.out_rows;
    }
    require(next == output_.dims.h, "strips must cover the output's rows once");
    require(tiling.kernel_passes >= 1 && tiling.kernels_per_pass >= 0, "passes must be positive");
    if (operation_.unit() == Unit::Conv)
      require(tiling.kernels_per_pass >= 1 &&
                  ceil_div(output_.dims.c, tiling.kernels_per_pass) == tiling.kernel_passes,
              "kernel passes must cover the kernels");
  }

  const Loadable& loadable_;
  const Operation& operation_;
  const Cube& input_;
  const Cube& output_;
  const bool is_int8_;     ///< the precision
  const bool is_integer_;  ///< the SDP's
};

/// Nothing is read before something wrote it; parts count for their whole and the other way round.
void verify_order(const Loadable& loadable) {
  std::unordered_set<CubeId> written(loadable.inputs.begin(), loadable.inputs.end());
  const auto is_written = [&](CubeId id) {
    return written.contains(id) || written.contains(loadable.cube(id).part_of);
  };
  for (const Operation& operation : loadable.operations) {
    for (const CubeId id : cubes_read(operation))
      require(is_written(id), "an operation must not read what nothing has written");
    written.insert(operation.output);
    if (const CubeId whole = loadable.cube(operation.output).part_of; whole >= 0)
      written.insert(whole);
  }
  for (const CubeId id : loadable.outputs) require(is_written(id), "every output must be written");
}

}  // namespace

bool works_in_integers(const Loadable& loadable, const Operation& operation) {
  return operation.precision == ir::DataType::Int8 &&
         loadable.cube(operation.output).type == ir::DataType::Int8;
}

std::vector<CubeId> cubes_read(const Operation& operation) {
  std::vector<CubeId> read{operation.input};
  const SdpParameters* sdp = std::get_if<SdpParameters>(&operation.parameters);
  if (const auto* conv = std::get_if<ConvParameters>(&operation.parameters)) sdp = &conv->sdp;
  if (sdp == nullptr) return read;
  for (const SdpStage& stage : sdp->stages) {
    if (stage.alu != SdpAlu::None && stage.alu_operand.cube != kNoCube)
      read.push_back(stage.alu_operand.cube);
    if (stage.mul != SdpMul::None && stage.mul_operand.cube != kNoCube)
      read.push_back(stage.mul_operand.cube);
  }
  return read;
}

void verify(const Loadable& loadable) {
  const Pools& pools = loadable.pools;
  for (const int64_t pool : {pools.sram, pools.local, pools.global})
    require(in(pool, 0, kLargestStride), "pool sizes must lie in [0, 2^38]");
  verify_bindings(loadable, loadable.inputs, Region::Input);
  verify_bindings(loadable, loadable.outputs, Region::Output);
  for (const Cube& cube : loadable.cubes)
    in_context([&] { return format("checking cube '{}'", cube.name); },
               [&] { verify_cube(loadable, cube); });
  const auto count = static_cast<int64_t>(loadable.cubes.size());
  for (const Operation& operation : loadable.operations)
    in_context([&] { return format("checking operation '{}'", operation.name); },
               [&] {
                 for (const CubeId id : cubes_read(operation))
                   require(in(id, 0, count - 1), "an operation must name cubes");
                 require(in(operation.output, 0, count - 1), "an operation must name cubes");
                 OperationCheck(loadable, operation).run();
               });
  verify_order(loadable);
}

}  // namespace dlaexec::dla
