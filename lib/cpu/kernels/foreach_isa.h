// Compiles the including file once for each set of vector instructions (Highway's foreach_target).
// Define HWY_TARGET_INCLUDE first. No include guard: Highway includes the file again and again.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#if defined(__x86_64__) && !defined(__AVX2__)
#define HWY_BASELINE_TARGETS HWY_SSSE3  // every x86-64 machine since 2006; else it would be scalar
#endif
#endif
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

// DLAEXEC_FOR_ISA(isa, name): the name from the namespace that was compiled for the instruction
// set; for the file's last section (HWY_ONCE).
#ifndef DLAEXEC_FOR_ISA
#if HWY_TARGETS & HWY_AVX3
#define DLAEXEC_AVX512(name) N_AVX3::name
#else
#define DLAEXEC_AVX512(name) HWY_STATIC_DISPATCH(name)
#endif
#if HWY_TARGETS & HWY_AVX2
#define DLAEXEC_AVX2(name) N_AVX2::name
#else
#define DLAEXEC_AVX2(name) HWY_STATIC_DISPATCH(name)
#endif
#define DLAEXEC_FOR_ISA(isa, name)             \
  ((isa) >= Isa::Avx512 ? DLAEXEC_AVX512(name) \
   : (isa) == Isa::Avx2 ? DLAEXEC_AVX2(name)   \
                        : HWY_STATIC_DISPATCH(name))
#endif
