#include "dla/compile/tiling.h"

#include <algorithm>

#include "base/error.h"
#include "dla/cbuf.h"
#include "dla/grouped.h"
#include "ir/dla_formats.h"

namespace dlaexec::dla {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t bytes_of(const Loadable& loadable, CubeId id) {
  const Cube& cube = loadable.cube(id);
  return size_bytes(layout_of(cube.format, cube.type, cube.dims, loadable.generation), cube.dims);
}

/// Bytes of the second operands: other tensors and constants, in the hardware's form.
int64_t operand_bytes(const Loadable& loadable, const Operation& operation) {
  const SdpParameters* sdp = std::get_if<SdpParameters>(&operation.parameters);
  if (const auto* conv = std::get_if<ConvParameters>(&operation.parameters)) sdp = &conv->sdp;
  if (sdp == nullptr) return 0;
  int64_t bytes = 0;
  const auto count = [&](const SdpOperand& operand) {
    if (operand.cube == kNoCube)
      bytes += constant_bytes(loadable, operation, operand);
    else if (operand.cube != operation.input)
      bytes += bytes_of(loadable, operand.cube);
  };
  for (const SdpStage& stage : sdp->stages) {
    if (stage.alu != SdpAlu::None) count(stage.alu_operand);
    if (stage.mul != SdpMul::None) count(stage.mul_operand);
  }
  return bytes;
}

/// The convolution at hand and its place in CBUF.
class ConvTiling {
 public:
  ConvTiling(const Loadable& loadable, const Operation& operation)
      : conv_(std::get<ConvParameters>(operation.parameters)),
        in_(loadable.cube(operation.input).dims),
        out_(loadable.cube(operation.output).dims),
        element_(loadable.cube(operation.input).layout.element) {
    const CoreFacts& core = core_facts(loadable.generation);
    const MacArray& array = element_ == 1 ? core.int8 : core.fp16;
    layer_ = {in_.c,          out_.c,           conv_.kernel.h,
              conv_.kernel.w, conv_.dilation.h, in_.w,
              element_,       array.kernels,    kernel_channels(loadable, operation, array)};
    need_ = cbuf_need(layer_);
    kernel_bytes_ = layer_.kernel_channels * conv_.kernel.h * conv_.kernel.w * element_;
    all_banks_ = weight_banks(out_.c);
    input_bytes_ = bytes_of(loadable, operation.input);
    tiling_.traffic.operand = operand_bytes(loadable, operation);
    tiling_.traffic.output = bytes_of(loadable, operation.output);
    tiling_.kernels_per_pass = out_.c;
  }

  Tiling run() {
    if (!need_.fits()) fail("it does not fit the convolution buffer: {}", arithmetic(layer_));
    if (need_.group_fits())
      choose_mode();
    else
      split_kernels();
    count_traffic();
    return tiling_;
  }

 private:
  /// Whole atoms of the channels whose weights a kernel keeps in the buffer: all on Xavier, which
  /// keeps the zeros of expanded kernels too.
  static int64_t kernel_channels(const Loadable& loadable, const Operation& operation,
                                 const MacArray& array) {
    const int64_t all = loadable.cube(operation.input).dims.c;
    if (loadable.generation == Generation::Xavier) return all;
    const int64_t atoms = ceil_div(channels_of_kernel_group(loadable, operation), array.channels);
    return std::min(all, atoms * array.channels);
  }

  int64_t weight_banks(int64_t kernels) const {
    return ceil_div(kernels * kernel_bytes_, kCbufBankBytes);
  }
  int64_t data_banks(int64_t rows) const {
    return ceil_div(need_.entries_per_slice * rows, kCbufEntriesPerBank);
  }

  /// Rows of the input that @p banks hold, no more than there are.
  int64_t rows_in(int64_t banks) const {
    return std::min(in_.h, banks * kCbufEntriesPerBank / need_.entries_per_slice);
  }

  void use(CbufMode mode, int64_t banks_of_weights) {
    tiling_.mode = mode;
    tiling_.weight_banks = banks_of_weights;
    cut_rows(rows_in(kCbufBanks - banks_of_weights));
  }

  /// In the open compiler's order: everything, ping-pong, one group; then the same with strips.
  void choose_mode() {
    const int64_t group = need_.group_banks;
    const int64_t all_rows = data_banks(in_.h);
    if (all_rows + all_banks_ <= kCbufBanks) return use(CbufMode::AllResident, all_banks_);
    if (all_rows + 2 * group <= kCbufBanks) return use(CbufMode::PingPong, 2 * group);
    if (all_rows + group <= kCbufBanks) return use(CbufMode::SingleGroup, group);
    if (need_.data_banks + all_banks_ <= kCbufBanks) return use(CbufMode::AllResident, all_banks_);
    if (need_.data_banks + 2 * group <= kCbufBanks) return use(CbufMode::PingPong, 2 * group);
    use(CbufMode::SingleGroup, group);
  }

  /// One kernel group does not fit beside the rows under it: fewer kernels a pass.
  void split_kernels() {
    const int64_t banks = kCbufBanks - need_.data_banks;
    int64_t kernels = std::max<int64_t>(1, banks * kCbufBankBytes / kernel_bytes_);
    kernels = std::min(kernels, out_.c);
    tiling_.kernels_per_pass = kernels;
    tiling_.kernel_passes = ceil_div(out_.c, kernels);
    use(CbufMode::AllResident, weight_banks(kernels));
  }

  /// Strips of as many output rows as @p rows input rows give.
  void cut_rows(int64_t rows) {
    const bool is_whole = rows >= in_.h;
    const int64_t per_strip =
        is_whole ? out_.h : std::max<int64_t>(1, (rows - need_.rows) / conv_.stride.h + 1);
    for (int64_t first = 0; first < out_.h; first += per_strip) {
      const int64_t count = std::min(per_strip, out_.h - first);
      const int64_t top = first * conv_.stride.h - conv_.pad.top;
      const int64_t bottom = top + (count - 1) * conv_.stride.h + need_.rows;
      const int64_t in_first = std::clamp<int64_t>(top, 0, in_.h - 1);
      const int64_t in_last = std::clamp<int64_t>(bottom, in_first + 1, in_.h);
      tiling_.strips.push_back({first, count, in_first, in_last - in_first});
      tiling_.data_banks = std::max(tiling_.data_banks, data_banks(in_last - in_first));
    }
  }

  void count_traffic() {
    int64_t rows = 0;
    for (const Strip& strip : tiling_.strips) rows += strip.in_rows;
    const int64_t row_bytes = input_bytes_ / in_.h;
    tiling_.traffic.input = row_bytes * rows * tiling_.kernel_passes;
    const bool weights_stay = tiling_.mode == CbufMode::AllResident && tiling_.kernel_passes == 1;
    const auto strips = static_cast<int64_t>(tiling_.strips.size());
    const int64_t reads = weights_stay ? 1 : tiling_.kernel_passes > 1 ? in_.n : strips * in_.n;
    tiling_.traffic.weights = conv_.dense_weight_bytes * reads;
    if (tiling_.mode == CbufMode::SingleGroup)
      tiling_.unhidden_weight_bytes = tiling_.traffic.weights;
  }

  const ConvParameters& conv_;
  const Nchw in_, out_;
  int64_t element_;
  CbufLayer layer_;
  CbufNeed need_;
  int64_t kernel_bytes_ = 0, all_banks_ = 0, input_bytes_ = 0;
  Tiling tiling_;
};

}  // namespace

int64_t constant_bytes(const Loadable& loadable, const Operation& operation,
                       const SdpOperand& operand) {
  const Nchw& dims = loadable.cube(operation.output).dims;
  const int64_t lanes = operation.precision == ir::DataType::Int8 ? 32 : 16;
  const bool is_orin = loadable.generation == Generation::Orin;
  const int64_t channels = is_orin ? ceil_div(dims.c, lanes) * lanes : dims.c;
  const int64_t count = operand.extent == OperandExtent::PerLayer     ? 1
                        : operand.extent == OperandExtent::PerChannel ? channels
                                                                      : channels * dims.h * dims.w;
  return count * (is_orin ? 4 : 2);
}

Tiling tile_conv(const Loadable& loadable, const Operation& operation) {
  return ConvTiling(loadable, operation).run();
}

Tiling tile_other(const Loadable& loadable, const Operation& operation) {
  const Nchw& in = loadable.cube(operation.input).dims;
  const Nchw& out = loadable.cube(operation.output).dims;
  Tiling tiling;
  tiling.strips = {{0, out.h, 0, in.h}};
  tiling.traffic.input = bytes_of(loadable, operation.input);
  tiling.traffic.operand = operand_bytes(loadable, operation);
  tiling.traffic.output = bytes_of(loadable, operation.output);
  if (const auto* rubik = std::get_if<RubikParameters>(&operation.parameters);
      rubik != nullptr && rubik->kind == RubikKind::Copy) {
    const Cube& from = loadable.cube(operation.input);
    const int64_t moved = size_bytes(
        layout_of(ir::cut_format(from.type), from.type, rubik->extent, loadable.generation),
        rubik->extent);
    tiling.traffic.input = tiling.traffic.output = moved;
  }
  return tiling;
}

}  // namespace dlaexec::dla
