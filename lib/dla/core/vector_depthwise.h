// The vectorized depthwise convolution: kernel k reads channel k alone, so 16 channels of a pixel,
// which lie side by side in the input, are multiplied side by side, where they lie. Part of
// vector_prepare.h.

namespace dlaexec::dla::core {
namespace {

template <class Isa, class Arithmetic>
class VectorDepthwise final : public Prepared {
 public:
  using Stored = typename Arithmetic::Stored;
  using Lane = typename Arithmetic::Lane;
  using Acc = typename Arithmetic::Acc;
  using Number = typename Arithmetic::Number;

  static bool takes(const Loadable& loadable, const Operation& operation) {
    const Cube& input = loadable.cube(operation.input);
    const int64_t groups = std::get<ConvParameters>(operation.parameters).groups;
    return groups == input.dims.c && groups == loadable.cube(operation.output).dims.c &&
           is_dense_feature(input);
  }

  VectorDepthwise(const Loadable& loadable, const Operation& operation)
      : operation_(operation),
        conv_(std::get<ConvParameters>(operation.parameters)),
        in_(loadable.cube(operation.input).dims),
        out_(loadable.cube(operation.output).dims),
        sdp_(loadable, operation, conv_.sdp, pack_weights(loadable)) {}

  void run(const Memory& memory, ThreadPool& threads) override {
    const Run run{memory.view(operation_.input), {sdp_, memory, operation_, conv_.sdp}};
    const int64_t row_work = out_.w * taps();
    threads.parallel_ranges(
        out_.n * blocks() * out_.h, 1 + kWorkOfPart / row_work, [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i)
            make_row(run, {i / out_.h / blocks(), i / out_.h % blocks(), i % out_.h});
        });
  }

 private:
  static constexpr int64_t kWorkOfPart = 2048;  // vector steps, some microseconds
  static constexpr int kMostPositions = Arithmetic::kMostPositions >= 8 ? 8 : 4;

  /// What one run needs.
  struct Run {
    CubeView input;
    VectorSdp<Isa, Number> sdp;
  };
  struct Row {
    int64_t image, block, p;
  };
  /// [first, last)
  struct Range {
    int64_t first, last;
  };

  int64_t taps() const { return conv_.kernel.h * conv_.kernel.w; }
  int64_t blocks() const { return (out_.c + kKernelBlock - 1) / kKernelBlock; }

  /// [block][tap][channel of the block]. Returns the largest magnitude that a sum of integers can
  /// have.
  double pack_weights(const Loadable& loadable) {
    const auto* from = reinterpret_cast<const Stored*>(loadable.blob(conv_.weights).data());
    weights_.resize(static_cast<size_t>(blocks() * taps() * kKernelBlock));
    for (int64_t k = 0; k < out_.c; ++k)
      for (int64_t tap = 0; tap < taps(); ++tap)
        weights_[static_cast<size_t>((k / kKernelBlock * taps() + tap) * kKernelBlock +
                                     k % kKernelBlock)] = Arithmetic::lane(*from++);
    return 128.0 * 128.0 * static_cast<double>(taps());
  }

  /// Taps of one axis that lie inside the input of @p size, for the output at @p index.
  static Range inside(int64_t index, int64_t stride, int64_t pad, int64_t dilation, int64_t kernel,
                      int64_t size) {
    const int64_t start = index * stride - pad;
    const int64_t first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
    const int64_t last = size <= start ? 0 : (size - start + dilation - 1) / dilation;
    return {std::min(first, kernel), std::clamp(last, first, std::max(first, kernel))};
  }
  Range columns(int64_t q) const {
    return inside(q, conv_.stride.w, conv_.pad.left, conv_.dilation.w, conv_.kernel.w, in_.w);
  }

  void make_row(const Run& run, const Row& row) const {
    // Outputs that have every tap's column, and those before and behind.
    const int64_t reach = (conv_.kernel.w - 1) * conv_.dilation.w - conv_.pad.left;
    const int64_t first = std::min(out_.w, (conv_.pad.left + conv_.stride.w - 1) / conv_.stride.w);
    const int64_t last = in_.w <= reach
                             ? first
                             : std::clamp((in_.w - reach - 1) / conv_.stride.w + 1, first, out_.w);
    const Range all{0, conv_.kernel.w};
    int64_t q = 0;
    for (; q < first; ++q) tile<1>(run, row, q, columns(q));
    for (; last - q >= kMostPositions; q += kMostPositions) tile<kMostPositions>(run, row, q, all);
    for (; last - q >= 2; q += 2) tile<2>(run, row, q, all);
    for (; q < out_.w; ++q) tile<1>(run, row, q, columns(q));
  }

  /// @p kPositions outputs from column @p q on; all of them have the taps @p columns.
  template <int kPositions>
  void tile(const Run& run, const Row& row, int64_t q, const Range& columns) const {
    const Layout& layout = run.input.layout();
    const int64_t c = row.block * kKernelBlock;
    const int64_t top = row.p * conv_.stride.h - conv_.pad.top;
    const int64_t left = q * conv_.stride.w - conv_.pad.left;
    const Range rows =
        inside(row.p, conv_.stride.h, conv_.pad.top, conv_.dilation.h, conv_.kernel.h, in_.h);
    const std::byte* const origin = run.input.at({row.image, c, 0, 0});
    const int64_t next = conv_.stride.w * layout.pixel;
    Acc acc[kPositions] = {};
    for (int64_t r = rows.first; r < rows.last; ++r)
      for (int64_t s = columns.first; s < columns.last; ++s) {
        const auto w = Arithmetic::load_weight_lanes(
            weights_.data() + (row.block * taps() + r * conv_.kernel.w + s) * kKernelBlock);
        const std::byte* const x = origin + (top + r * conv_.dilation.h) * layout.line +
                                   (left + s * conv_.dilation.w) * layout.pixel;
#pragma GCC unroll 16
        for (int i = 0; i < kPositions; ++i)
          acc[i] = Arithmetic::step_lanes(acc[i], Arithmetic::load_lanes(x + i * next), w);
      }
    alignas(64) Number sums[kPositions * kKernelBlock];
#pragma GCC unroll 16
    for (int i = 0; i < kPositions; ++i) Arithmetic::store(sums + i * kKernelBlock, acc[i]);
    run.sdp.deliver(
        {row.image, c, std::min(kKernelBlock, out_.c - c), row.p * out_.w + q, kPositions}, sums,
        kKernelBlock);
  }

  const Operation& operation_;
  const ConvParameters& conv_;
  Nchw in_, out_;
  std::vector<Lane, AlignedAllocator<Lane>> weights_;
  SdpProgram sdp_;
};

}  // namespace
}  // namespace dlaexec::dla::core
