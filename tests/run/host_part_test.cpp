// Host steps of a plan between those of other engines.
#include "run/host_part.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "ir/text.h"
#include "ref/evaluate.h"

namespace dlaexec::run {
namespace {

/// As after a detector that finds nothing, whose kept boxes another engine has listed.
TEST(HostPart, TakesResultsWithoutElements) {
  const ir::Graph graph = ir::parse(R"(graph @g(%k: i64[n,3], %boxes: f32[1,9,4]) {
  const %zero = i64[1] [0]
  const %one = i64[1] [1]
  const %two = i64[1] [2]
  const %end = i64[1] [3]
  const %last = i64[] [2]
  const %flat = i64[1] [-1]
  const %w = f32[4,5] seed(1)
  %a = slice(%k, %two, %end, %one) : i64[n,1]
  %b = slice(%k, %zero, %one, %one) : i64[n,1]
  %c = concat(%b, %a) {axis=1} : i64[n,2]
  %d = gather_nd(%boxes, %c) {batch_dims=0} : f32[n,4]
  %e = gather(%k, %last) {axis=1} : i64[n]
  %f = reshape(%a, %flat) : i64[n]
  %g = gather(%boxes, %e) {axis=1} : f32[1,n,4]
  %h = cast(%k) {to=f32} : f32[n,3]
  %i = concat(%h, %d) {axis=1} : f32[n,7]
  %j = gemm(%d, %w) : f32[n,5]
  %l = activation(%j) {kind=sigmoid} : f32[n,5]
  %m = transpose(%l) {perm=[1,0]} : f32[5,n]
  %o = elementwise(%e, %f) {kind=sum} : i64[n]
  return %i, %g, %m, %o
})");
  ThreadPool threads(2);
  std::vector<int> nodes(graph.nodes.size());
  std::iota(nodes.begin(), nodes.end(), 0);
  HostPart part(graph, nodes, threads);
  const ir::Tensor boxes = ir::seeded(ir::DataType::Float32, {1, 9, 4}, 3);
  for (const int64_t kept : {0, 2}) {
    const std::vector<int64_t> rows = {0, 1, 7, 0, 0, 2};
    const ir::Tensor k = ir::Tensor::of<int64_t>(
        {kept, 3}, std::vector<int64_t>(rows.begin(), rows.begin() + 3 * kept));
    const std::vector<ir::Tensor> got =
        part.program({k.dims(), boxes.dims()}).run(std::vector{k, boxes});
    const std::vector<ir::Tensor> wanted = ref::run(graph, {k, boxes});
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      const auto at = std::ranges::find(part.outputs(), graph.outputs[i]) - part.outputs().begin();
      const ir::Tensor& made = got[static_cast<size_t>(at)];
      EXPECT_EQ(made.dims(), wanted[i].dims());
      EXPECT_THAT(made.to_floats(),
                  testing::Pointwise(testing::FloatNear(1e-5F), wanted[i].to_floats()));
    }
  }
}

}  // namespace
}  // namespace dlaexec::run
