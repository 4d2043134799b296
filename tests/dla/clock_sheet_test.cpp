// The structure of the cycle counts against a published estimate of ResNet-50, layer by layer. The
// sheet's core: 2048 INT8 MACs as 16 channels by 128 kernels, 512 KiB of CBUF, DRAM of 10 bytes a
// cycle, no SRAM; layers last as long as their longest part, and nothing lies between them.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "dla/clock.h"
#include "dla/compile/tiling.h"
#include "support/paths.h"

namespace dlaexec::dla {
namespace {

using Row = std::map<std::string, std::string>;

std::vector<Row> resnet50_rows(const std::string& path) {
  std::ifstream file(path);
  const auto split = [](const std::string& line) {
    std::vector<std::string> cells;
    std::stringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
    if (cells.back().ends_with('\r')) cells.back().pop_back();
    return cells;
  };
  std::string line;
  std::getline(file, line);
  const std::vector<std::string> names = split(line);
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = split(line);
    Row row;
    for (size_t i = 0; i < std::min(names.size(), cells.size()); ++i) row[names[i]] = cells[i];
    if (row["network"] == "resnet50") rows.push_back(row);
  }
  return rows;
}

Cube cube_of(const Nchw& dims, ir::Format format) {
  Cube cube;
  cube.dims = dims;
  cube.type = ir::DataType::Int8;
  cube.format = format;
  cube.layout = layout_of(format, cube.type, dims, Generation::Xavier);
  return cube;
}

/// The layer of a row as the sheet sees it: kernels padded to the stride, and Winograd for 3x3
/// kernels of stride 1, which makes 9 multiplications 4 and 9 weights 16.
Loadable layer_of(Row row) {
  const auto number = [&](const char* name) { return std::stoll(row.at(name)); };
  const int64_t c = number("C"), k = number("K"), side = number("R"), stride = number("stride");
  const bool is_image = c == 3, is_winograd = side == 3 && stride == 1;
  Loadable loadable;
  loadable.generation = Generation::Xavier;
  loadable.cubes = {
      cube_of({1, c, number("H"), number("W")}, is_image ? ir::Format::DlaHwc4 : ir::Format::Chw32),
      cube_of({1, k, number("P_out"), number("Q_out")}, ir::Format::Chw32)};
  ConvParameters conv;
  conv.kernel = {side, side};
  conv.stride = {stride, stride};
  const int64_t pad = (side - 1) / 2;
  conv.pad = {pad, pad, pad, pad};
  conv.image_input = is_image;
  const int64_t padded = is_winograd ? 4 : (side + stride - 1) / stride * stride;
  conv.dense_weight_bytes = k * (is_image ? 4 : c) * padded * padded;
  Operation operation;
  operation.precision = ir::DataType::Int8;
  operation.input = 0;
  operation.output = 1;
  operation.parameters = conv;
  operation.tiling = tile_conv(loadable, operation);
  if (row["kind"].ends_with("elwise"))
    operation.tiling.traffic.operand = operation.tiling.traffic.output;
  if (is_winograd) std::get<ConvParameters>(operation.parameters).kernel = {2, 2};
  loadable.operations = {operation};
  return loadable;
}

ClockSettings sheet_settings() {
  ClockSettings settings{.core = core_facts(Generation::Xavier)};
  settings.core.int8 = {16, 128, 1};
  settings.clock_hz = 1e9;
  settings.dram_bytes_per_second = 10.24e9;  // the sheet takes a KiB for 1000 bytes
  settings.constants = {.dram_share = 1,
                        .dram_port_bytes = 64,
                        .gap_cycles = 0,
                        .stripe_cycles = 0,
                        .fp16_efficiency = 1};
  return settings;
}

TEST(ClockSheet, TotalIsWithinThreePercentAndTheLimitAgreesOnNineLayersOfTen) {
  if (!test::shared_dir()) GTEST_SKIP() << test::kNoShared;
  const auto rows = resnet50_rows(*test::shared_dir() + "/data/nvdla_perf_model_layers.csv");
  ASSERT_EQ(rows.size(), 54u);
  double expected = 0, found = 0;
  int same_limit = 0;
  for (Row row : rows) {
    const OperationTime time = estimate(layer_of(row), sheet_settings()).operations[0];
    const double published = std::stod(row["nosram_max_cycles"]);
    const bool same = (time.bound == Bound::Mac) == (row["nosram_limit"] == "MAC");
    same_limit += same ? 1 : 0;
    expected += published;
    found += time.cycles;
    if (!same || std::abs(time.cycles / published - 1) > 0.05)
      std::printf("%-45s published %8.0f %-4s found %8.0f %s\n", row["layer"].c_str(), published,
                  row["nosram_limit"].c_str(), time.cycles,
                  std::string(ir::text(time.bound)).c_str());
  }
  EXPECT_NEAR(found / expected, 1, 0.03);
  EXPECT_GE(same_limit, 49);  // of 54
  RecordProperty("total_ratio", std::to_string(found / expected));
  std::printf("total %.0f of %.0f published cycles (%+.2f %%), same limit on %d of 54 layers\n",
              found, expected, 100 * (found / expected - 1), same_limit);
}

}  // namespace
}  // namespace dlaexec::dla
