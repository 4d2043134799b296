// The vectorized convolution, written once for all instruction sets. Include it after the set's
// types are defined, inside the region that compiles for the set: everything here is a template or
// has internal linkage, so that no other file's code is replaced by code for this set.
//
// An instruction set Isa gives vectors of 16 numbers and arithmetic on them:
//   F, D            16 floats, 16 doubles, with + - *
//   HalfArithmetic  and Int8Arithmetic: Stored elements of cubes and weights, Input of the scratch,
//   packed Weight, Number and its vector Acc; channels of a step and of a block; kernel blocks
//   (kVectors) and positions of a tile, as many as there are registers; kZero, the Input that
//   stands for 0
// and the functions used below.

namespace dlaexec::dla::core {
namespace {

template <class Isa, class Arithmetic>
class VectorConv final : public PreparedConv {
 public:
  using Input = typename Arithmetic::Input;
  using Weight = typename Arithmetic::Weight;
  using Acc = typename Arithmetic::Acc;
  using Number = typename Arithmetic::Number;  // int32_t or float

  VectorConv(const Loadable& loadable, const Operation& operation)
      : operation_(operation),
        conv_(std::get<ConvParameters>(operation.parameters)),
        plan_(loadable, operation, {Arithmetic::kPerStep, Arithmetic::kBlock}),
        sdp_(loadable, operation, conv_.sdp),
        weights_(static_cast<size_t>(plan_.groups * plan_.kernel_blocks * plan_.weights_size)),
        start_(static_cast<size_t>(plan_.groups * plan_.kernel_blocks * kKernelBlock)),
        scratch_(static_cast<size_t>(plan_.scratch_size()) + 64 / sizeof(Input)) {
    pack_weights(loadable);
  }

  void run(const Memory& memory, ThreadPool& threads) override {
    const Sdp scalar_sdp(memory, operation_, conv_.sdp);
    const Run run{memory.view(operation_.input), memory.view(operation_.output), &memory,
                  &scalar_sdp};
    for (int64_t image = 0; image < plan_.out.n; image += plan_.images_per_pass) {
      const int64_t images = std::min(plan_.images_per_pass, plan_.out.n - image);
      fill_scratch(run, image, images, threads);
      multiply(run, image, images, threads);
    }
  }

 private:
  /// What one run needs.
  struct Run {
    CubeView input, output;
    const Memory* memory;
    const Sdp* scalar_sdp;
  };

  void pack_weights(const Loadable& loadable) {
    const auto* from =
        reinterpret_cast<const typename Arithmetic::Stored*>(loadable.blob(conv_.weights).data());
    for (int64_t k = 0; k < plan_.out.c; ++k) {
      const int64_t group = k / plan_.group_kernels;
      const int64_t inside = k % plan_.group_kernels;
      const int64_t block = group * plan_.kernel_blocks + inside / kKernelBlock;
      Weight* const to = weights_.data() + block * plan_.weights_size;
      int64_t sum = 0;
      for (int64_t c = 0; c < plan_.group_channels; ++c)
        for (int64_t r = 0; r < plan_.kernel.h; ++r)
          for (int64_t s = 0; s < plan_.kernel.w; ++s) {
            const Weight weight = Arithmetic::weight(*from++);
            to[plan_.weight_offset(inside, c, r, s)] = weight;
            if constexpr (std::is_same_v<Number, int32_t>) sum += weight;
          }
      start_[static_cast<size_t>(block * kKernelBlock + inside % kKernelBlock)] =
          Arithmetic::start(sum);
    }
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
    const int64_t pairs = (plan_.kernel_blocks + kVectors - 1) / kVectors;
    const int64_t positions = images * plan_.out.h * plan_.out.w;
    const int64_t runs = plan_.is_merged ? (positions + kMergedRun - 1) / kMergedRun : plan_.out.h;
    const int64_t tasks = plan_.groups * pairs;
    // Rows are the inner loop, so that a pair's weights stay in the cache.
    threads.parallel_ranges(tasks * runs, 1, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t group = i / runs / pairs;
        const int64_t block = i / runs % pairs * kVectors;
        const int64_t index = i % runs;
        const Stretch place =
            plan_.is_merged
                ? Stretch{image,
                          index * kMergedRun,
                          std::min(kMergedRun, positions - index * kMergedRun),
                          scratch_.data() + group * plan_.group_size +
                              index * kMergedRun * plan_.width,
                          group,
                          block}
                : Stretch{image,
                          index * plan_.out.w,
                          plan_.out.w,
                          scratch_.data() + group * plan_.group_size + plan_.row_offset(index),
                          group,
                          block};
        if (block + kVectors <= plan_.kernel_blocks)
          walk<kVectors>(run, place);
        else
          walk<1>(run, place);
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

  // --- the SDP ---

  /// Hands the sums of @p count positions from @p first on to the SDP.
  template <int kVectors>
  void deliver(const Run& run, const Stretch& place, int64_t first, int count,
               const Number* sums) const {
    const int64_t outputs = plan_.out.h * plan_.out.w;
    int64_t image = place.image + first / outputs;
    int64_t pixel = first % outputs;
    for (int i = 0; i < count; ++i) {
      for (int v = 0; v < kVectors; ++v) {
        const int64_t inside = (place.block + v) * kKernelBlock;
        const int64_t k = place.group * plan_.group_kernels + inside;
        const int64_t lanes = std::min(kKernelBlock, plan_.group_kernels - inside);
        deliver_vector(run, image, k, pixel, lanes, sums + (i * kVectors + v) * kKernelBlock);
      }
      if (++pixel == outputs) {
        pixel = 0;
        ++image;
      }
    }
  }

  void deliver_vector(const Run& run, int64_t image, int64_t k, int64_t pixel, int64_t lanes,
                      const Number* sums) const {
    const bool is_aligned = lanes == kKernelBlock && k % kKernelBlock == 0;
    if (!sdp_.is_usable || !is_aligned) {
      for (int64_t lane = 0; lane < lanes; ++lane)
        deliver_one(run, {image, k + lane, pixel / plan_.out.w, pixel % plan_.out.w}, sums[lane]);
      return;
    }
    const auto place = [&](const CubeView& view) {
      const Layout& layout = view.layout();
      return view.data + image * layout.image + k / layout.lanes * layout.surface +
             pixel * layout.pixel + k % layout.lanes * layout.element;
    };
    if constexpr (std::is_same_v<Number, int32_t>)
      finish_integers(run, place, k, sums);
    else
      finish_floats(run, place, k, sums);
  }

  void deliver_one(const Run& run, const Position& at, Number sum) const {
    if constexpr (std::is_same_v<Number, int32_t>) {
      if (run.output.is_int8()) return run.scalar_sdp->deliver(at, int64_t{sum});
      run.scalar_sdp->deliver(
          at, static_cast<float>(sum) * static_cast<float>(factor(conv_.sdp.input)));
    } else {
      run.scalar_sdp->deliver(at, sum);
    }
  }

  /// In doubles, which hold every intermediate exactly: 33 bits times 16, then an exact shift.
  template <class PlaceOf>
  void finish_integers(const Run& run, PlaceOf&& place, int64_t k, const int32_t* sums) const {
    using D = typename Isa::D;
    D value = Isa::to_double(Isa::load_int(sums));
    for (const VectorStage& stage : sdp_.stages) {
      if (stage.alu != SdpAlu::None) {
        D operand;
        if (stage.cube == kNoCube) {
          operand = Isa::load_double(stage.alu_wide.data() + k);
        } else {
          const D stored = Isa::to_double(Isa::load_int8(place(run.memory->view(stage.cube))));
          const D scaled = Isa::round_away((stored - Isa::splat(stage.cube_offset)) *
                                           Isa::splat(stage.cube_factor));
          operand = clamp(scaled, -32768.0, 32767.0) * Isa::splat(stage.cube_left);
          operand = clamp(operand, kLeast32, kMost32);
        }
        value = stage.alu == SdpAlu::Sum   ? value + operand
                : stage.alu == SdpAlu::Max ? Isa::max(value, operand)
                                           : Isa::min(value, operand);
      }
      if (stage.mul != SdpMul::None) {
        const D product = Isa::round_away(value * Isa::load_double(stage.mul_wide.data() + k));
        value = stage.mul == SdpMul::All ? product : Isa::where_positive(value, value, product);
      }
      value = clamp(value, kLeast32, kMost32);
      if (stage.is_relu) value = Isa::max(value, Isa::splat(0.0));
    }
    value = Isa::round_away((value - Isa::splat(sdp_.out_offset)) * Isa::splat(sdp_.out_factor));
    Isa::store_int8(place(run.output), clamp(value, -128.0, 127.0));
  }

  static typename Isa::D clamp(const typename Isa::D& value, double low, double high) {
    return Isa::min(Isa::max(value, Isa::splat(low)), Isa::splat(high));
  }

  template <class PlaceOf>
  void finish_floats(const Run& run, PlaceOf&& place, int64_t k, const float* sums) const {
    using F = typename Isa::F;
    F value = Isa::load_float(sums);
    for (const VectorStage& stage : sdp_.stages) {
      if (stage.alu != SdpAlu::None) {
        F operand;
        if (stage.cube == kNoCube) {
          operand = Isa::load_float(stage.alu_single.data() + k);
        } else {
          operand = Isa::load_half(place(run.memory->view(stage.cube)));
          if (stage.cube_factor != 1)
            operand = operand * Isa::splat_float(static_cast<float>(stage.cube_factor));
        }
        value = stage.alu == SdpAlu::Sum   ? value + operand
                : stage.alu == SdpAlu::Max ? Isa::max(value, operand)
                                           : Isa::min(value, operand);
      }
      if (stage.mul != SdpMul::None) {
        const F product = value * Isa::load_float(stage.mul_single.data() + k);
        value = stage.mul == SdpMul::All ? product : Isa::where_positive(value, value, product);
      }
      if (stage.is_relu) value = Isa::max(value, Isa::splat_float(0.0f));
    }
    Isa::store_half(place(run.output), value);
  }

  static constexpr double kLeast32 = -2147483648.0;
  static constexpr double kMost32 = 2147483647.0;

  const Operation& operation_;
  const ConvParameters& conv_;
  ConvPlan plan_;
  VectorSdp sdp_;
  std::vector<Weight, AlignedAllocator<Weight>> weights_;
  std::vector<Number, AlignedAllocator<Number>> start_;  ///< what each kernel's sum starts from
  std::vector<Input, AlignedAllocator<Input>> scratch_;
};

/// Whether every partial sum of the convolution fits 32 bits whatever the input, with room for the
/// 128 that an unsigned input is shifted by.
inline bool sums_fit(const Loadable& loadable, const Operation& operation) {
  const auto& conv = std::get<ConvParameters>(operation.parameters);
  const int64_t taps =
      loadable.cube(operation.input).dims.c / conv.groups * conv.kernel.h * conv.kernel.w;
  return taps <= (int64_t{1} << 31) / (128 * 128) - 1;
}

template <class Isa>
std::unique_ptr<PreparedConv> prepare(const Loadable& loadable, const Operation& operation) {
  if (operation.precision == ir::DataType::Float16)
    return std::make_unique<VectorConv<Isa, typename Isa::HalfArithmetic>>(loadable, operation);
  if (!sums_fit(loadable, operation)) return nullptr;
  return std::make_unique<VectorConv<Isa, typename Isa::Int8Arithmetic>>(loadable, operation);
}

}  // namespace
}  // namespace dlaexec::dla::core
