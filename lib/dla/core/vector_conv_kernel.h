// The vectorized convolution of groups of several channels: the input goes into a scratch first,
// see conv_plan.h. Part of vector_prepare.h.

namespace dlaexec::dla::core {
namespace {

template <class Isa, class Arithmetic>
class VectorConv final : public Prepared {
 public:
  using Input = typename Arithmetic::Input;
  using Weight = typename Arithmetic::Weight;
  using Acc = typename Arithmetic::Acc;
  using Number = typename Arithmetic::Number;  // int32_t or float

  VectorConv(const Loadable& loadable, const Operation& operation)
      : operation_(operation),
        conv_(std::get<ConvParameters>(operation.parameters)),
        plan_(loadable, operation, {Arithmetic::kPerStep, Arithmetic::kBlock}),
        weights_(static_cast<size_t>(plan_.groups * plan_.kernel_blocks * plan_.weights_size)),
        start_(static_cast<size_t>(plan_.groups * plan_.kernel_blocks * kKernelBlock)),
        scratch_(static_cast<size_t>(plan_.scratch_size()) + 64 / sizeof(Input)),
        sdp_(loadable, operation, conv_.sdp, pack_weights(loadable)) {}

  void run(const Memory& memory, ThreadPool& threads) override {
    const Run run{memory.view(operation_.input), {sdp_, memory, operation_, conv_.sdp}};
    for (int64_t image = 0; image < plan_.out.n; image += plan_.images_per_pass) {
      const int64_t images = std::min(plan_.images_per_pass, plan_.out.n - image);
      fill_scratch(run, image, images, threads);
      multiply(run, image, images, threads);
    }
  }

 private:
  /// What one run needs.
  struct Run {
    CubeView input;
    VectorSdp<Isa, Number> sdp;
  };

  /// Returns the largest magnitude that a sum of integers can have.
  double pack_weights(const Loadable& loadable) {
    const auto* from =
        reinterpret_cast<const typename Arithmetic::Stored*>(loadable.blob(conv_.weights).data());
    int64_t largest = 0;
    for (int64_t k = 0; k < plan_.out.c; ++k) {
      const int64_t group = k / plan_.group_kernels;
      const int64_t inside = k % plan_.group_kernels;
      const int64_t block = group * plan_.kernel_blocks + inside / kKernelBlock;
      Weight* const to = weights_.data() + block * plan_.weights_size;
      int64_t sum = 0, magnitudes = 0;
      for (int64_t c = 0; c < plan_.group_channels; ++c)
        for (int64_t r = 0; r < plan_.kernel.h; ++r)
          for (int64_t s = 0; s < plan_.kernel.w; ++s) {
            const Weight weight = Arithmetic::weight(*from++);
            to[plan_.weight_offset(inside, c, r, s)] = weight;
            if constexpr (std::is_same_v<Number, int32_t>) {
              sum += weight;
              magnitudes += std::abs(weight);
            }
          }
      largest = std::max(largest, 128 * magnitudes);
      start_[static_cast<size_t>(block * kKernelBlock + inside % kKernelBlock)] =
          Arithmetic::start(sum);
    }
    return static_cast<double>(largest);
  }

  // --- the scratch ---

  void fill_scratch(const Run& run, int64_t image, int64_t images, ThreadPool& threads) {
    const int64_t lines = plan_.is_merged ? images * plan_.kernel.h : plan_.rows;
    const int64_t blocks = plan_.groups * plan_.blocks;
    threads.parallel_ranges(blocks * lines, 1 + 16384 / std::max<int64_t>(1, plan_.row_size),
                            [&](int64_t first, int64_t last) {
                              for (int64_t i = first; i < last; ++i) {
                                if (plan_.is_merged)
                                  fill_taps(run, image, i / lines, i % lines);
                                else
                                  fill_row(run, image, i / lines, i % lines);
                              }
                            });
  }

  Input* block_start(int64_t block) {
    return scratch_.data() + block / plan_.blocks * plan_.group_size +
           block % plan_.blocks * plan_.block_size;
  }

  /// Scratch row @p row of a channel block: columns by phase, zeros around the input.
  void fill_row(const Run& run, int64_t image, int64_t block, int64_t row) {
    Input* const to = block_start(block) + row * plan_.row_size;
    const int64_t h = row - plan_.pad.top;
    if (h < 0 || h >= plan_.in.h) {
      std::fill_n(to, plan_.row_size, Arithmetic::kZero);
      return;
    }
    for (int64_t phase = 0; phase < plan_.stride.w; ++phase) {
      // Pixel i of the phase is column phase + i * stride - pad of the input.
      const int64_t base = phase - plan_.pad.left;
      const int64_t step = plan_.stride.w;
      const int64_t first = std::min(plan_.phase_pixels, base >= 0 ? 0 : (-base + step - 1) / step);
      const int64_t end =
          std::clamp((plan_.in.w - base + step - 1) / step, first, plan_.phase_pixels);
      Input* const pixels = to + phase * plan_.phase_pixels * plan_.width;
      std::fill_n(pixels, first * plan_.width, Arithmetic::kZero);
      if (end > first)
        copy_pixels(run, {image, 0, h, base + first * step}, block, step, end - first,
                    pixels + first * plan_.width);
      std::fill_n(pixels + end * plan_.width, (plan_.phase_pixels - end) * plan_.width,
                  Arithmetic::kZero);
    }
  }

  /// Merged: kernel row @p line % R of image @p line / R, all its columns.
  void fill_taps(const Run& run, int64_t first_image, int64_t block, int64_t line) {
    const int64_t image = line / plan_.kernel.h;
    const int64_t r = line % plan_.kernel.h;
    for (int64_t s = 0; s < plan_.kernel.w; ++s)
      for (int64_t p = 0; p < plan_.out.h; ++p) {
        Input* const to = block_start(block) + (r * plan_.kernel.w + s) * plan_.row_size +
                          (image * plan_.out.h + p) * plan_.out.w * plan_.width;
        const int64_t h = p * plan_.stride.h + r * plan_.dilation.h - plan_.pad.top;
        const int64_t w = s * plan_.dilation.w - plan_.pad.left;
        // A 1x1 kernel has no padding; an output of one pixel may.
        const bool is_inside = h >= 0 && h < plan_.in.h && w >= 0 && w < plan_.in.w;
        if (is_inside)
          copy_pixels(run, {first_image + image, 0, h, w}, block, plan_.stride.w, plan_.out.w, to);
        else
          std::fill_n(to, plan_.out.w * plan_.width, Arithmetic::kZero);
      }
  }

  /// @p count pixels of a channel block, every @p step-th of a row from @p at on.
  void copy_pixels(const Run& run, Position at, int64_t block, int64_t step, int64_t count,
                   Input* to) {
    at.c = block / plan_.blocks * plan_.group_channels + block % plan_.blocks * Arithmetic::kBlock;
    const Layout& layout = run.input.layout();
    const int64_t width = plan_.width;
    const bool is_whole = at.c % layout.lanes + width <= layout.lanes;
    if (is_whole) {
      const auto* from = reinterpret_cast<const typename Arithmetic::Stored*>(run.input.at(at));
      const int64_t distance = step * layout.pixel / layout.element;
      if (distance == width) return Arithmetic::convert(from, count * width, to);
      for (int64_t i = 0; i < count; ++i)
        Arithmetic::convert(from + i * distance, width, to + i * width);
      return;
    }
    const int64_t channels = std::min(width, plan_.in.c - at.c);
    for (int64_t i = 0; i < count; ++i, at.w += step) {
      Input* const pixel = to + i * width;
      for (int64_t c = 0; c < channels; ++c)
        pixel[c] = Arithmetic::convert_one(
            run.input.template load<typename Arithmetic::Stored>({at.n, at.c + c, at.h, at.w}));
      std::fill_n(pixel + channels, width - channels, Arithmetic::kZero);
    }
  }

  // --- the sums ---

  /// Several kernel blocks share each load of the input; runs of positions are the other loop.
  void multiply(const Run& run, int64_t image, int64_t images, ThreadPool& threads) {
    constexpr int kVectors = Arithmetic::kVectors;
    const int64_t shares = (plan_.kernel_blocks + kVectors - 1) / kVectors;
    const int64_t positions = images * plan_.out.h * plan_.out.w;
    const int64_t runs = plan_.is_merged ? (positions + kMergedRun - 1) / kMergedRun : plan_.out.h;
    // Rows are the inner loop, so that the weights of a share stay in the cache.
    threads.parallel_ranges(plan_.groups * shares * runs, 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const Stretch place =
            stretch(i % runs, image, positions, i / runs / shares, i / runs % shares * kVectors);
        if constexpr (kVectors > 1)
          if (place.block + kVectors > plan_.kernel_blocks) {
            walk<1>(run, place);
            continue;
          }
        walk<kVectors>(run, place);
      }
    });
  }

  static constexpr int64_t kMergedRun = 8 * Arithmetic::kMostPositions;

  /// Positions in a run and the kernels that are applied to them.
  struct Stretch {
    int64_t image;  ///< position 0 is its first output
    int64_t position, count;
    const Input* input;
    int64_t group, block;
  };

  /// Run number @p index of a pass over @p positions outputs.
  Stretch stretch(int64_t index, int64_t image, int64_t positions, int64_t group,
                  int64_t block) const {
    const Input* const input = scratch_.data() + group * plan_.group_size;
    if (!plan_.is_merged)
      return {image, index * plan_.out.w, plan_.out.w, input + plan_.row_offset(index), group,
              block};
    const int64_t first = index * kMergedRun;
    return {image, first, std::min(kMergedRun, positions - first), input + first * plan_.width,
            group, block};
  }

  template <int kVectors>
  void walk(const Run& run, const Stretch& place) const {
    constexpr int kMost = Arithmetic::kMostPositions;
    int64_t done = 0;
    const auto next = [&]<int kPositions>() {
      while (place.count - done >= kPositions) {
        tile<kVectors, kPositions>(run, place, done);
        done += kPositions;
      }
    };
    next.template operator()<kMost>();
    if constexpr (kMost > 7) next.template operator()<7>();
    next.template operator()<4>();
    next.template operator()<2>();
    next.template operator()<1>();
  }

  template <int kVectors, int kPositions>
  void tile(const Run& run, const Stretch& place, int64_t done) const {
    const int64_t block = place.group * plan_.kernel_blocks + place.block;
    const Weight* weights = weights_.data() + block * plan_.weights_size;
    const Input* const input = place.input + done * plan_.width;
    alignas(64) Number sums[kPositions * kVectors * kKernelBlock];
    const Number* const start = start_.data() + block * kKernelBlock;
    if (plan_.width == Arithmetic::kBlock)
      accumulate<kVectors, kPositions, Arithmetic::kBlock>(input, weights, start, sums);
    else if (plan_.width == 4)
      accumulate<kVectors, kPositions, 4>(input, weights, start, sums);
    else
      accumulate<kVectors, kPositions, 0>(input, weights, start, sums);
    deliver<kVectors>(run, place, place.position + done, kPositions, sums);
  }

  /// sums[position][vector][lane]; @p kWidth is the distance of positions, 0 if only plan_ knows
  /// it.
  template <int kVectors, int kPositions, int64_t kWidth>
  void accumulate(const Input* input, const Weight* weights, const Number* start,
                  Number* sums) const {
    const int64_t width = kWidth != 0 ? kWidth : plan_.width;
    const int64_t next_block = plan_.weights_size;
    Acc acc[kPositions][kVectors];
#pragma GCC unroll 16
    for (int i = 0; i < kPositions; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) acc[i][v] = Arithmetic::load(start + v * kKernelBlock);
    for (const Tap& tap : plan_.taps) {
      const Input* pixel = input + tap.offset;
      for (int64_t step = 0; step < tap.steps; ++step) {
        typename Arithmetic::Weights w[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v)
          w[v] = Arithmetic::load_weights(weights + v * next_block);
#pragma GCC unroll 16
        for (int i = 0; i < kPositions; ++i) {
          const auto x = Arithmetic::spread(pixel + i * width);
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) acc[i][v] = Arithmetic::step(acc[i][v], x, w[v]);
        }
        pixel += Arithmetic::kPerStep;
        weights += Arithmetic::kPerStep * kKernelBlock;
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPositions; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v)
        Arithmetic::store(sums + (i * kVectors + v) * kKernelBlock, acc[i][v]);
  }

  /// Hands the sums of @p count positions from @p first on to the SDP.
  template <int kVectors>
  void deliver(const Run& run, const Stretch& place, int64_t first, int64_t count,
               const Number* sums) const {
    const int64_t outputs = plan_.out.h * plan_.out.w;
    while (count > 0) {
      const int64_t pixel = first % outputs;
      const int64_t pixels = std::min(count, outputs - pixel);  // of this image
      for (int v = 0; v < kVectors; ++v) {
        const int64_t inside = (place.block + v) * kKernelBlock;
        run.sdp.deliver({place.image + first / outputs, place.group * plan_.group_kernels + inside,
                         std::min(kKernelBlock, plan_.group_kernels - inside), pixel, pixels},
                        sums + v * kKernelBlock, kVectors * kKernelBlock);
      }
      first += pixels;
      count -= pixels;
      sums += pixels * kVectors * kKernelBlock;
    }
  }

  const Operation& operation_;
  const ConvParameters& conv_;
  ConvPlan plan_;
  std::vector<Weight, AlignedAllocator<Weight>> weights_;
  std::vector<Number, AlignedAllocator<Number>> start_;  ///< what each kernel's sum starts from
  std::vector<Input, AlignedAllocator<Input>> scratch_;
  SdpProgram sdp_;
};

}  // namespace
}  // namespace dlaexec::dla::core
