#include "report/recorded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "support/json_schema.h"
#include "support/paths.h"

namespace dlaexec::report {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// As version 1 wrote it: figures other than the latency had no samples, steps no decisions.
json version_1() {
  return R"({
 "schema_version": 1,
 "tool": {"name": "dlaexec", "version": "0.1.0"},
 "created": "2026-01-31T12:00:00Z",
 "command": ["dlaexec"],
 "options": {},
 "model": {"name": "net.onnx", "hash": "0123456789abcdef0123456789abcdef"},
 "platform": {"name": "agx-orin-64", "power_mode": "MAXN", "dla_core": 0, "dla_mhz": 1600},
 "machine": {"cpu": "Some CPU", "cores": 2, "memory_bytes": 1024, "kernel": "Linux", "governor": "", "load_1min": 0.5},
 "peak_memory_bytes": 4096,
 "timeline": "composed",
 "measurement": {"queries": 3, "warm_up_queries": 1, "warm_up_ms": 200, "streams": 1, "ended_by": "limits"},
 "figures": {
  "throughput_qps": {"kind": "modelled", "value": 400},
  "latency_ms": {"kind": "modelled", "min": 2.5, "max": 2.7, "mean": 2.6, "median": 2.6, "percentiles": {"p90": 2.7}, "coefficient_of_variance_percent": 1, "median_low": 2.5, "median_high": 2.7, "remarks": ["times drifted by +6.0 % over the run"], "samples": [2.5, 2.6, 2.7]},
  "compute_ms": {"kind": "modelled", "min": 2.5, "max": 2.7, "mean": 2.6, "median": 2.6, "percentiles": {}, "coefficient_of_variance_percent": 1},
  "enqueue_ms": {"kind": "measured", "min": 0, "max": 0, "mean": 0, "median": 0, "percentiles": {}, "coefficient_of_variance_percent": 0},
  "h2d_ms": {"kind": "modelled", "min": 0, "max": 0, "mean": 0, "median": 0, "percentiles": {}, "coefficient_of_variance_percent": 0},
  "d2h_ms": {"kind": "modelled", "min": 0, "max": 0, "mean": 0, "median": 0, "percentiles": {}, "coefficient_of_variance_percent": 0},
  "host_walltime_s": {"kind": "modelled", "value": 0.01},
  "total_compute_s": {"kind": "modelled", "value": 0.01},
  "measuring_wall_s": {"kind": "measured", "value": 0.02}
 },
 "engines": [{"name": "dla", "kind": "modelled", "steps": 1, "mean_ms": 2, "share_percent": 77}, {"name": "host", "kind": "measured", "steps": 1, "mean_ms": 0.6, "share_percent": 23}],
 "steps": [
  {"name": "{ForeignNode[conv...relu]}", "type": "DLA", "engine": "dla", "layers": ["conv", "relu"], "time_ms": {"kind": "modelled", "mean": 2, "median": 2, "total": 6}, "share_percent": 77},
  {"name": "fc", "type": "MATRIX_MULTIPLY", "engine": "host", "layers": ["fc"], "time_ms": {"kind": "measured", "mean": 0.6, "median": 0.6, "total": 1.8, "samples": [0.5, 0.6, 0.7]}, "share_percent": 23}
 ],
 "placement": {"dla_layers": 2, "gpu_layers": 1, "loadables": 1, "layers": [
  {"name": "conv", "type": "CONVOLUTION", "device": "dla", "precision": "f16", "step": "{ForeignNode[conv...relu]}", "reasons": []},
  {"name": "gone", "type": "IDENTITY", "device": "gpu", "precision": "f16", "step": "", "reasons": []},
  {"name": "fc", "type": "FULLY_CONNECTED", "device": "gpu", "precision": "f32", "step": "fc", "reasons": [
   {"rule": "risk", "effect": "warns", "value": "", "limit": "", "reason": "May hurt.", "source": ""},
   {"rule": "op", "effect": "refuses", "value": "", "limit": "", "reason": "DLA has no such layer.", "source": ""}]}
 ]},
 "loadables": [{"name": "{ForeignNode[conv...relu]}", "size_bytes": 10, "kind": "modelled", "time_ms": 2, "pools": {"sram_bytes": 1, "local_dram_bytes": 2, "global_dram_bytes": 3}, "operations": [
  {"name": "conv", "unit": "conv", "layers": ["conv", "relu"], "precision": "f16", "hardware_layers": 1, "macs": 9, "cycles": 9, "time_ms": 1.5, "bound": "mac", "utilization": 0.5, "bytes": {"input": 1, "weights": 1, "operand": 0, "output": 1}}]}],
 "plan": {"size_bytes": 100, "weights_bytes": 50, "ready_s": 0.1, "settings": {"fp16": "true"}, "notes": []}
})"_json;
}

TEST(Recorded, ReadsVersion1) {
  const json schema = json::parse(read_file(test::source_dir() + "/scripts/schema/summary-1.json"));
  ASSERT_THAT(test::violations(version_1(), schema), IsEmpty());
  const Recorded run = read_summary(version_1().dump(), "old.json");
  EXPECT_EQ(run.version, 1);
  EXPECT_EQ(run.timeline, "composed");
  EXPECT_EQ(run.dla_mhz, 1600);
  EXPECT_EQ(run.machine, "Some CPU, 2 cores");
  EXPECT_EQ(run.other_engines(), "host");
  EXPECT_FALSE(run.is_exact());
  EXPECT_THAT(run.figure("latency_ms")->samples, ElementsAre(2.5f, 2.6f, 2.7f));
  EXPECT_EQ(run.figure("throughput_qps")->value, 400);
  EXPECT_THAT(run.remarks, ElementsAre(HasSubstr("drifted")));
  ASSERT_EQ(run.parts.size(), 3u);
  EXPECT_THAT(run.parts[0].layers, ElementsAre("conv", "relu"));
  EXPECT_EQ(run.parts[0].median_ms, 1.5);
  EXPECT_EQ(run.parts[1].name, "starting {ForeignNode[conv...relu]}");
  EXPECT_EQ(run.parts[1].median_ms, 0.5);
  EXPECT_THAT(run.parts[2].samples, ElementsAre(0.5f, 0.6f, 0.7f));
  ASSERT_EQ(run.layers.size(), 2u);  // without what nothing is left of
  EXPECT_EQ(run.layers[1].reason, "DLA has no such layer. [op]");
}

TEST(Recorded, RefusesLaterVersionsAndWhatIsNoSummary) {
  json later = version_1();
  later["schema_version"] = 99;
  const auto sentence = [](const std::string& text) {
    try {
      read_summary(text, "x.json");
    } catch (const Error& error) {
      return error.sentence();
    }
    return std::string("nothing was thrown");
  };
  EXPECT_THAT(sentence(later.dump()), HasSubstr("version 99; this program reads versions 1 to"));
  EXPECT_THAT(sentence("[]"), HasSubstr("'x.json' is no summary of a run"));
  EXPECT_THAT(sentence("{"), HasSubstr("is no summary"));
  const json whole = version_1();
  for (const auto& [key, value] : whole.items()) {
    json damaged = version_1();
    damaged[key] = json::array({json(nullptr)});
    EXPECT_THAT(sentence(damaged.dump()), Not(HasSubstr("json.exception"))) << key;
  }
}

}  // namespace
}  // namespace dlaexec::report
