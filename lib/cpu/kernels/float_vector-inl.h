// The float vectors of the kernels. Compiled once per instruction set: include after foreach_isa.h;
// the guard toggles as Highway's own -inl headers do.
#if defined(DLAEXEC_CPU_FLOAT_VECTOR_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef DLAEXEC_CPU_FLOAT_VECTOR_INL
#undef DLAEXEC_CPU_FLOAT_VECTOR_INL
#else
#define DLAEXEC_CPU_FLOAT_VECTOR_INL
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace dlaexec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kLanes = static_cast<int>(HWY_MIN(16, HWY_MAX_BYTES / sizeof(float)));
/// Vectors in 16 floats, the block of the blocked order.
constexpr int kVectorsPerBlock = 16 / kLanes;
using Floats = hn::FixedTag<float, kLanes>;
using Vector = hn::Vec<Floats>;

/// The larger of the two, but a NaN where @p x is one.
template <class V>
HWY_INLINE V at_least(V low, V x) {
#if HWY_ARCH_X86
  return hn::Max(low, x);  // takes the second operand then
#else
  return hn::IfThenElse(hn::Gt(low, x), low, x);
#endif
}

/// The smaller of the two, but a NaN where @p x is one.
template <class V>
HWY_INLINE V at_most(V high, V x) {
#if HWY_ARCH_X86
  return hn::Min(high, x);
#else
  return hn::IfThenElse(hn::Lt(high, x), high, x);
#endif
}

template <class V>
HWY_INLINE V between(V low, V high, V x) {
  return at_most(high, at_least(low, x));
}

/// @p result, but a NaN where either operand is one: x86's min and max take the second operand.
HWY_INLINE Vector either_nan(Vector a, Vector b, Vector result) {
  return hn::IfThenElse(hn::Eq(a, a), hn::IfThenElse(hn::Eq(b, b), result, b), a);
}

}  // namespace dlaexec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
