#include "dla/platform.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "dla/cbuf.h"

namespace dlaexec::dla {
namespace {

// Xavier: NVDLA hardware manual and its nv_full configuration. Orin: two convolution pipes of 64 by
// 64 from the published TOPS. Not published and taken from measurements: that the pipes share
// kernels and split pixels (ResNet-34 at 1280x768 leaves no room for 128 kernels), the FP16 array
// (ResNet-50: 144 effective), and the rates of the units behind the array: 24 bytes a cycle of
// pooling (the first max pool of the same network).
// clang-format off
constexpr CoreFacts kCores[] = {
  // generation         INT8 array     FP16 array     sparse SRAM     shared   SDP LUT pool loadables
  {Generation::Xavier, {64, 32, 1},  {64, 16, 1},  1,     1 << 20, 4 << 20, 16, 4,  8,   16},
  {Generation::Orin,   {64, 64, 2},  {16, 16, 1},  2,     1 << 20, 0,       64, 16, 24,  16},
};

// Power mode tables as shipped with the boards (nvpmodel); where a table rounds a clock to the next step of the regulator, the step.
// Orin Nano has no DLA: its rows serve the GPU prediction alone.
constexpr PowerMode kModes[] = {
  // platform     mode           gpu MHz  TPC  cores  DLA MHz  falcon  memory MHz
  {"agx-xavier",  "MAXN",        1377,    4,   2,     1395.2,  0,      2133},
  {"agx-xavier",  "30W",         900,     4,   2,     1050,    630,    1600},
  {"agx-xavier",  "15W",         670,     4,   2,     750,     450,    1331.2},
  {"agx-xavier",  "10W",         520,     2,   2,     550,     330,    1065.6},
  {"agx-xavier",  "15W-desktop", 670,     4,   2,     115.2,   0,      1331.2},
  {"xavier-nx",   "15W",         1109.25, 3,   2,     1100.8,  640,    1600},
  {"xavier-nx",   "20W",         1109.25, 3,   2,     1100.8,  640,    1866},
  {"xavier-nx",   "10W",         803.25,  3,   2,     896,     524.8,  1600},
  {"xavier-nx",   "10W-desktop", 510,     3,   0,     0,       0,      1600},
  {"agx-orin-64", "MAXN",        1300.5,  8,   2,     1600,    0,      3199},
  {"agx-orin-64", "50W",         816,     8,   2,     1369.6,  729.6,  3199},
  {"agx-orin-64", "30W",         612,     4,   2,     1369.6,  729.6,  3199},
  {"agx-orin-64", "15W",         408,     3,   2,     614.4,   294.4,  2133},
  {"agx-orin-32", "MAXN",        930.75,  7,   2,     1408,    0,      3199},
  {"agx-orin-32", "40W",         816,     7,   2,     1228.8,  652.8,  3199},
  {"agx-orin-32", "30W",         612,     4,   2,     1369.6,  729.6,  3199},
  {"agx-orin-32", "15W",         408,     3,   2,     614.4,   294.4,  2133},
  {"orin-nx-16",  "MAXN",        918,     4,   2,     614.4,   0,      3199},
  {"orin-nx-16",  "25W",         408,     4,   2,     614.4,   0,      3199},
  {"orin-nx-16",  "15W",         612,     4,   2,     614.4,   0,      3199},
  {"orin-nx-16",  "10W",         612,     2,   1,     153.6,   0,      2133},
  {"orin-nx-16",  "40W-super",   1173,    4,   2,     908.8,   435.2,  3199},
  {"orin-nx-16",  "MAXN-super",  1173,    4,   2,     1228.8,  0,      3199},
  {"orin-nx-8",   "20W",         408,     4,   1,     614.4,   0,      3199},
  {"orin-nx-8",   "15W",         612,     4,   1,     614.4,   0,      3199},
  {"orin-nx-8",   "10W",         612,     2,   1,     153.6,   0,      2133},
  {"orin-nx-8",   "40W-super",   1173,    4,   1,     1203.2,  640,    3199},
  {"orin-nano",   "15W",         624.75,  4,   0,     0,       0,      2133},
  {"orin-nano",   "7W",          408,     2,   0,     0,       0,      2133},
  {"orin-nano",   "25W-super",   918,     4,   0,     0,       0,      3199},
  {"orin-nano",   "MAXN-super",  1020,    4,   0,     0,       0,      3199},
};

constexpr std::span<const PowerMode> modes_of(std::string_view name) {
  const auto first = std::ranges::find(kModes, name, &PowerMode::platform);
  const auto last = std::ranges::find_if(first, std::end(kModes), [&](const PowerMode& m) { return m.platform != name; });
  return {first, last};
}

constexpr int64_t kKiB = 1024, kMiB = 1024 * kKiB;
constexpr GpuFacts volta(int sms, double mhz) { return {"Volta", sms, 64 * sms, 8 * sms, mhz, 512 * kKiB, 1024, false}; }
constexpr GpuFacts ampere(int sms, double mhz, int64_t l2) { return {"Ampere", sms, 128 * sms, 4 * sms, mhz, l2, 2048, true}; }

// Module data sheets.
constexpr Platform kPlatforms[] = {
  // name         title                  generation          DLAs  MHz     bits GPU
  {"agx-xavier",  "Jetson AGX Xavier",   Generation::Xavier, 2,    1395.2, 256, volta(8, 1377),              modes_of("agx-xavier")},
  {"xavier-nx",   "Jetson Xavier NX",    Generation::Xavier, 2,    1100.8, 128, volta(6, 1109.25),           modes_of("xavier-nx")},
  {"agx-orin-64", "Jetson AGX Orin 64",  Generation::Orin,   2,    1600,   256, ampere(16, 1300.5, 4 * kMiB), modes_of("agx-orin-64")},
  {"agx-orin-32", "Jetson AGX Orin 32",  Generation::Orin,   2,    1408,   256, ampere(14, 930.75, 4 * kMiB), modes_of("agx-orin-32")},
  {"orin-nx-16",  "Jetson Orin NX 16",   Generation::Orin,   2,    1228.8, 128, ampere(8, 1173, 2 * kMiB),    modes_of("orin-nx-16")},
  {"orin-nx-8",   "Jetson Orin NX 8",    Generation::Orin,   1,    1203.2, 128, ampere(8, 1173, 2 * kMiB),    modes_of("orin-nx-8")},
  {"orin-nano",   "Jetson Orin Nano 8",  Generation::Orin,   0,    0,      128, ampere(8, 1020, 2 * kMiB),    modes_of("orin-nano")},
};
// clang-format on

bool same_name(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  });
}

std::string clock_text(double mhz) { return mhz > 0 ? format("{:g}", mhz) : "-"; }

nlohmann::ordered_json mode_json(const Platform& board, const PowerMode& mode) {
  const CoreFacts& core = core_facts(board.generation);
  const auto tops = [&](int macs) { return 2e-6 * macs * mode.dla_mhz * mode.dla_cores; };
  return {{"name", mode.name},
          {"dla_cores", mode.dla_cores},
          {"dla_mhz", mode.dla_mhz},
          {"dla_int8_tops_dense", tops(core.int8.macs())},
          {"gpu_mhz", mode.gpu_mhz},
          {"gpu_tpcs", mode.gpu_tpcs},
          {"memory_mhz", mode.memory_mhz},
          {"memory_gb_per_s", board.memory_bytes_per_second(mode) / 1e9}};
}

nlohmann::ordered_json core_json(const CoreFacts& core) {
  return {{"generation", ir::text(core.generation)},
          {"macs_per_cycle_int8", core.int8.macs()},
          {"macs_per_cycle_fp16", core.fp16.macs()},
          {"sparse_speedup", core.sparse_speedup},
          {"cbuf_bytes", kCbufBanks * kCbufBankBytes},
          {"sram_bytes", core.sram_bytes},
          {"loadables", core.loadables}};
}

nlohmann::ordered_json platform_json(const Platform& board) {
  nlohmann::ordered_json modes = nlohmann::ordered_json::array();
  for (const PowerMode& mode : board.modes) modes.push_back(mode_json(board, mode));
  return {{"name", board.name},
          {"title", board.title},
          {"dla_cores", board.dla_cores},
          {"dla_core", core_json(core_facts(board.generation))},
          {"gpu",
           {{"architecture", board.gpu.architecture},
            {"multiprocessors", board.gpu.multiprocessors},
            {"cuda_cores", board.gpu.cuda_cores},
            {"tensor_cores", board.gpu.tensor_cores},
            {"max_mhz", board.gpu.max_mhz},
            {"l2_bytes", board.gpu.l2_bytes}}},
          {"memory_bits", board.memory_bits},
          {"power_modes", modes}};
}

}  // namespace

const CoreFacts& core_facts(Generation generation) {
  const auto found = std::ranges::find(kCores, generation, &CoreFacts::generation);
  DLAEXEC_CHECK(found != std::end(kCores));
  return *found;
}

std::span<const Platform> platforms() { return kPlatforms; }

const Platform& platform(std::string_view name) {
  for (const Platform& board : kPlatforms)
    if (same_name(board.name, name)) return board;
  fail(Fault::Usage, "--platform is '{}'; give one of {} (--listPlatforms shows them)", name,
       join(kPlatforms, ", ", [](const Platform& board) { return std::string(board.name); }));
}

const PowerMode& power_mode(const Platform& platform, std::string_view name) {
  if (name.empty()) return platform.modes.front();
  for (const PowerMode& mode : platform.modes)
    if (same_name(mode.name, name)) return mode;
  fail(Fault::Usage, "--powerMode is '{}'; {} has {}", name, platform.name,
       join(platform.modes, ", ", [](const PowerMode& mode) { return std::string(mode.name); }));
}

void require_core(const Platform& platform, const PowerMode& mode, int core) {
  if (core >= 0 && core < mode.dla_cores) return;
  const std::string where = format("{} in power mode {}", platform.name, mode.name);
  if (mode.dla_cores == 0)
    fail(Fault::Usage,
         "Cannot create DLA engine, {} not available: {} has no DLA; choose another --platform",
         core, where);
  fail(Fault::Usage,
       "Cannot create DLA engine, {} not available: {} has {}; give {} as --useDLACore", core,
       where, mode.dla_cores == 1 ? "one DLA core" : format("{} DLA cores", mode.dla_cores),
       mode.dla_cores == 1 ? "0" : format("0 to {}", mode.dla_cores - 1));
}

std::string platforms_text() {
  const auto row = [](auto&&... cells) {
    return format("{:<12} {:<12} {:>5} {:>8} {:>9} {:>9} {:>8} {:>9}\n", cells...);
  };
  std::string text =
      row("platform", "power mode", "DLAs", "DLA MHz", "INT8 TOPS", "DRAM GB/s", "GPU MHz", "GPU");
  for (const Platform& board : kPlatforms) {
    const int macs = core_facts(board.generation).int8.macs();
    for (const PowerMode& mode : board.modes) {
      const double tops = 2e-6 * macs * mode.dla_mhz * mode.dla_cores;
      text += row(board.name, mode.name, mode.dla_cores, clock_text(mode.dla_mhz),
                  tops > 0 ? format("{:.1f}", tops) : "-",
                  format("{:.1f}", board.memory_bytes_per_second(mode) / 1e9),
                  clock_text(mode.gpu_mhz), board.gpu.architecture);
    }
  }
  text += format(
      "\nINT8 TOPS: dense, all DLA cores of the mode together; the first power mode of a platform "
      "is "
      "its default. Default platform: {}.\n",
      kDefaultPlatform);
  return text;
}

std::string platforms_json() {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Platform& board : kPlatforms) list.push_back(platform_json(board));
  return nlohmann::ordered_json{{"default", kDefaultPlatform}, {"platforms", list}}.dump(2) + "\n";
}

}  // namespace dlaexec::dla
