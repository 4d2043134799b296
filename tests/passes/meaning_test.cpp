// No pass may change what a network computes.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "ref/evaluate.h"
#include "support/random_graph.h"

namespace dlaexec::passes {
namespace {

void expect_same_outputs(const ir::Graph& before, const ir::Graph& after, uint32_t seed,
                         double tolerance) {
  const auto inputs = test::random_inputs(before, seed);
  const auto wanted = ref::run(before, inputs);
  const auto got = ref::run(after, inputs);
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_LE(test::relative_difference(got[i], wanted[i]), tolerance)
        << "output " << i << " of seed " << seed << ":\n"
        << ir::print(before, ir::Constants::Hash) << ir::print(after, ir::Constants::Hash);
}

TEST(CleanUp, KeepsTheMeaningOfRandomNetworks) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    const ir::Graph before = test::random_network(seed, 12);
    ir::Graph after = before;
    clean_up(after);
    expect_same_outputs(before, after, seed, 2e-5);  // folding rounds elsewhere
  }
}

TEST(CleanUp, FindsNothingMoreTheSecondTime) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    ir::Graph graph = test::random_network(seed, 12);
    clean_up(graph);
    for (const Record& record : run(clean_up_passes(), graph))
      EXPECT_FALSE(record.changed) << record.pass << " of seed " << seed;
  }
}

TEST(Fuse, KeepsTheMeaningOfRandomNetworks) {
  size_t nodes_before = 0, nodes_after = 0;
  for (uint32_t seed = 100; seed < 160; ++seed) {
    ir::Graph before = test::random_network(seed, 12);
    clean_up(before);
    ir::Graph after = before;
    fuse(after);
    nodes_before += before.nodes.size();
    nodes_after += after.nodes.size();
    expect_same_outputs(before, after, seed, 1e-5);
  }
  EXPECT_LT(nodes_after, nodes_before * 9 / 10);  // it does fuse
}

// Exports write masks as zeros and ones times the least float.
TEST(FixTypes, AMaskStaysFiniteInHalfPrecision) {
  ir::Graph graph = ir::parse(
      "graph @mask(%hidden: f32[2]) {\n"
      "  const %least = f32[] [-3.4028235e38]\n"
      "  %mask = elementwise(%hidden, %least) {kind=prod} : f32[2] in f16\n"
      "  return %mask\n}\n");
  fix_types(graph);
  const ir::Tensor hidden = ir::Tensor::of<float>({2}, {0, 1});
  EXPECT_EQ(ref::run(graph, {hidden})[0].to_floats(), (std::vector<float>{0, -65504}));
}

TEST(FixTypes, KeepsTheMeaningUpToHalfPrecision) {
  for (uint32_t seed = 200; seed < 230; ++seed) {
    ir::Graph before = test::random_network(seed, 10);
    clean_up(before);
    ir::Graph after = before;
    for (size_t i = 0; i < after.nodes.size(); ++i)  // every other layer in FP16
      after.nodes[i].precision = i % 2 ? ir::DataType::Float16 : ir::DataType::Float32;
    fuse(after);
    fix_types(after);
    expect_same_outputs(before, after, seed, 2e-2);
  }
}

TEST(FuseFocus, AConvolutionOverTheWholeImageGivesTheSameNumbers) {
  const ir::Graph before = ir::parse(R"(graph @g(%x: f32[1,3,8,12]) {
    const %zero = i64[1] [0]
    const %one = i64[1] [1]
    const %two = i64[1] [2]
    const %three = i64[1] [3]
    const %last = i64[1] [9223372036854775807]
    const %both = i64[2] [1, 1]
    const %ends = i64[2] [8, 12]
    const %axes = i64[2] [2, -1]
    const %steps = i64[2] [2, 2]
    const %w = f32[5,12,3,3] seed(3)
    const %b = f32[5] seed(4)
    %a0 = slice(%x, %zero, %last, %two, %two) : f32[1,3,4,12]
    %a = slice(%a0, %zero, %last, %three, %two) : f32[1,3,4,6]
    %b0 = slice(%x, %one, %last, %two, %two) : f32[1,3,4,12]
    %b1 = slice(%b0, %zero, %last, %three, %two) : f32[1,3,4,6]
    %c = slice(%a0, %one, %last, %three, %two) : f32[1,3,4,6]
    %d = slice(%x, %both, %ends, %axes, %steps) : f32[1,3,4,6]
    %joined = concat(%a, %b1, %c, %d) {axis=1} : f32[1,12,4,6]
    %y = conv(%joined, %w, %b) {stride=[1,2], pads=[1,1,1,0], dilation=[1,1]} : f32[1,5,4,3]
    return %y
  })");
  ir::Graph after = before;
  ASSERT_TRUE(fuse_focus(after));
  ASSERT_EQ(after.nodes.size(), 1u);
  EXPECT_EQ(after.nodes[0].origins,
            (std::vector<std::string>{"a0", "a", "b0", "b1", "c", "d", "joined", "y"}));
  expect_same_outputs(before, after, 5, 1e-5);
}

TEST(CleanUp, PassesOverNodesWithoutTheirFirstInput) {
  ir::Graph graph = ir::parse(R"(graph @g(%go: bool[], %x: f32[4]) {
    %y = loop(_, %go, %x) {body=
      graph @body(%i: i64[], %in: bool[], %state: f32[4]) {
        %stop = unary(%in) {kind=not} : bool[]
        %next = unary(%state) {kind=neg} : f32[4]
        return %stop, %next
      }
    } : f32[4]
    return %y
  })");
  clean_up(graph);
  EXPECT_EQ(graph.nodes.size(), 1u);
}

TEST(FuseFocus, SlicesThatOthersReadStayLayersOfTheirOwn) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1,3,8,12]) {
    const %zero = i64[1] [0]
    const %one = i64[1] [1]
    const %two = i64[1] [2]
    const %three = i64[1] [3]
    const %last = i64[1] [9223372036854775807]
    const %w = f32[5,12,3,3] seed(3)
    %a0 = slice(%x, %zero, %last, %two, %two) : f32[1,3,4,12]
    %a = slice(%a0, %zero, %last, %three, %two) : f32[1,3,4,6]
    %b0 = slice(%x, %one, %last, %two, %two) : f32[1,3,4,12]
    %b = slice(%b0, %zero, %last, %three, %two) : f32[1,3,4,6]
    %c = slice(%a0, %one, %last, %three, %two) : f32[1,3,4,6]
    %d = slice(%b0, %one, %last, %three, %two) : f32[1,3,4,6]
    %joined = concat(%a, %b, %c, %d) {axis=1} : f32[1,12,4,6]
    %y = conv(%joined, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[1,5,4,6]
    return %y, %a
  })");
  ASSERT_TRUE(fuse_focus(graph));
  ASSERT_EQ(graph.nodes.size(), 3u);
  EXPECT_EQ(graph.nodes[2].origins, (std::vector<std::string>{"b0", "b", "c", "d", "joined", "y"}));
}

TEST(FuseFocus, LeavesOtherSlicesAlone) {
  const std::string twice_the_same = R"(graph @g(%x: f32[1,3,8,12]) {
    const %both = i64[2] [1, 1]
    const %ends = i64[2] [8, 12]
    const %axes = i64[2] [2, 3]
    const %steps = i64[2] [2, 2]
    const %w = f32[5,12,3,3] seed(3)
    %d = slice(%x, %both, %ends, %axes, %steps) : f32[1,3,4,6]
    %joined = concat(%d, %d, %d, %d) {axis=1} : f32[1,12,4,6]
    %y = conv(%joined, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[1,5,4,6]
    return %y
  })";
  ir::Graph graph = ir::parse(twice_the_same);
  EXPECT_FALSE(fuse_focus(graph));
}

TEST(MultiplyEinsum, AProductOfTwoTensorsIsAMatMulWithTheSameNumbers) {
  for (const char* text : {"%y = einsum(%a, %b) {equation=\"bhqd,bhkd->bhqk\"} : f32[2,3,4,6]",
                           "%y = einsum(%a, %b) {equation=\"bhqd,bhkd->qbkh\"} : f32[4,2,6,3]",
                           "%y = einsum(%a, %w) {equation=\"bhqd,dnm->bqnmh\"} : f32[2,4,2,7,3]",
                           "%y = einsum(%a, %b) {equation=\"bhqd,bhkd->bqk\"} : f32[2,4,6]"}) {
    const ir::Graph before = ir::parse(format(
        "graph @g(%a: f32[2,3,4,5], %b: f32[2,3,6,5]) {{\n  const %w = f32[5,2,7] seed(1)\n  {}\n  "
        "return %y\n}}",
        text));
    ir::Graph after = before;
    clean_up(after);
    expect_same_outputs(before, after, 1, 1e-5);
    size_t products = 0;
    for (const ir::Node& node : after.nodes) {
      EXPECT_NE(node.op, ir::Op::Einsum) << text;
      if (node.op == ir::Op::MatMul) {
        ++products;
        EXPECT_EQ(node.name, "y");
      }
    }
    EXPECT_EQ(products, 1u);
  }
}

TEST(MultiplyEinsum, LeavesWhatIsNoSingleProduct) {
  for (const char* text : {"%y = einsum(%a, %a) {equation=\"ij,ij->j\"} : f32[4]",
                           "%y = einsum(%a) {equation=\"ij->ji\"} : f32[4,3]",
                           "%y = einsum(%a, %b) {equation=\"ij,kk->ij\"} : f32[3,4]",
                           "%y = einsum(%a, %b) {equation=\"ij,...jk->...ik\"} : f32[3,4]"}) {
    ir::Graph graph =
        ir::parse(format("graph @g(%a: f32[3,4], %b: f32[4,4]) {{\n  {}\n  return %y\n}}", text));
    const bool is_product = std::string(text).find("->j\"") != std::string::npos;
    EXPECT_EQ(multiply_einsum(graph), is_product) << text;  // a batch of dot products is one, too
  }
}

TEST(FoldConstants, ComputesWhatRefComputes) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[2,3]) {
    const %a = f32[2,3] [1, 2, 3, 4, 5, 6]
    const %b = f32[3] [10, 20, 30]
    %sum = elementwise(%a, %b) {kind=sum} : f32[2,3]
    %t = transpose(%sum) {perm=[1,0]} : f32[3,2]
    %tt = transpose(%t) {perm=[1,0]} : f32[2,3]
    %y = elementwise(%x, %tt) {kind=prod} : f32[2,3]
    return %y
  })");
  clean_up(graph);
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.constant(graph.nodes[0], 1)->to_floats(),
            (std::vector<float>{11, 22, 33, 14, 25, 36}));
}

TEST(FoldConstants, KeepsWhatWouldBlowUpThePlan) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1]) {
    const %shape = i64[2] [4096, 4096]
    const %one = f32[1,1] [1]
    %big = expand(%one, %shape) : f32[4096,4096]
    %y = elementwise(%x, %big) {kind=sum} : f32[4096,4096]
    return %y
  })");
  clean_up(graph);
  EXPECT_EQ(graph.nodes.size(), 2u);
}

TEST(FoldConstants, KeepsARangeThatOnlyItsBoundsMakeLong) {
  ir::Graph graph = ir::parse(R"(graph @g(%x: f32[1]) {
    const %start = f32[] [0]
    const %end = f32[] [9e8]
    const %ten = f32[] [10]
    const %step = f32[] [1]
    %long = range(%start, %end, %step) : f32[n]
    %short = range(%start, %ten, %step) : f32[m]
    %a = elementwise(%x, %long) {kind=sum} : f32[n]
    %b = elementwise(%x, %short) {kind=sum} : f32[10]
    return %a, %b
  })");
  clean_up(graph);
  ASSERT_EQ(graph.nodes.size(), 3u);
  EXPECT_EQ(graph.nodes[0].name, "long");
}

}  // namespace
}  // namespace dlaexec::passes
