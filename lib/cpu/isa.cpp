#include "cpu/isa.h"

#include "base/processor.h"

namespace dlaexec::cpu {

std::vector<Isa> usable_isas() {
  std::vector<Isa> usable{Isa::Baseline};
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd");
  if (avx2) usable.push_back(Isa::Avx2);
  if (avx512) usable.push_back(Isa::Avx512);
  if (avx512 && has_amx()) usable.push_back(Isa::Amx);
#endif
  if (has_sdot()) usable.push_back(Isa::NeonDot);
  return usable;
}

Isa best_isa() { return usable_isas().back(); }

}  // namespace dlaexec::cpu
