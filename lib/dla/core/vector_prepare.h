// Which vectorized code takes a convolution, written once for all instruction sets: include it
// behind what it chooses from.

namespace dlaexec::dla::core {
namespace {

/// Whether every partial sum of the convolution fits 32 bits whatever the input, with room for the
/// 128 that an unsigned input is shifted by.
inline bool sums_fit(const Loadable& loadable, const Operation& operation) {
  const auto& conv = std::get<ConvParameters>(operation.parameters);
  const int64_t taps =
      loadable.cube(operation.input).dims.c / conv.groups * conv.kernel.h * conv.kernel.w;
  return taps <= (int64_t{1} << 31) / (128 * 128) - 1;
}

template <class Isa, class Arithmetic>
std::unique_ptr<PreparedConv> prepare_with(const Loadable& loadable, const Operation& operation) {
  if (VectorDepthwise<Isa, Arithmetic>::takes(loadable, operation))
    return std::make_unique<VectorDepthwise<Isa, Arithmetic>>(loadable, operation);
  return std::make_unique<VectorConv<Isa, Arithmetic>>(loadable, operation);
}

template <class Isa>
std::unique_ptr<PreparedConv> prepare(const Loadable& loadable, const Operation& operation) {
  if (operation.precision == ir::DataType::Float16)
    return prepare_with<Isa, typename Isa::HalfArithmetic>(loadable, operation);
  if (!sums_fit(loadable, operation)) return nullptr;
  return prepare_with<Isa, typename Isa::Int8Arithmetic>(loadable, operation);
}

}  // namespace
}  // namespace dlaexec::dla::core
