// Counting runs of words, given as numbers.
#include <algorithm>

#include "onnx/operators.h"

namespace dlaexec::onnx {
namespace {

/// The n-grams of one length: their words and the results that they count for.
struct Grams {
  int64_t length = 0;
  std::vector<ir::Ints> words;  ///< [place in the n-gram][n-gram]
  ir::Ints outputs;
};

/// The pool cut up: ngram_counts tells where the n-grams of each length begin.
std::vector<Grams> grams_of(Node& node) {
  const ir::Ints pool = node.ints("pool_int64s"), starts = node.ints("ngram_counts");
  const ir::Ints outputs = node.ints("ngram_indexes");
  constexpr size_t kMostWords = 1024;
  if (starts.size() > kMostWords)
    fail("ngram_counts has {} entries; n-grams of up to {} words are supported", starts.size(),
         kMostWords);
  std::vector<Grams> all;
  size_t next_output = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t length = static_cast<int64_t>(i) + 1;
    const int64_t end = i + 1 < starts.size() ? starts[i + 1] : std::ssize(pool);
    if (starts[i] < 0 || end < starts[i] || end > std::ssize(pool) ||
        (end - starts[i]) % length != 0)
      fail("ngram_counts puts the {}-grams at {} to {} of a pool of {}", length, starts[i], end,
           pool.size());
    Grams grams{length, std::vector<ir::Ints>(i + 1), {}};
    for (int64_t at = starts[i]; at < end; ++at)
      grams.words[static_cast<size_t>((at - starts[i]) % length)].push_back(
          pool[static_cast<size_t>(at)]);
    for (size_t k = 0; k < grams.words[0].size(); ++k) {
      if (next_output == outputs.size())
        fail("ngram_indexes has {} entries; the pool has more n-grams", outputs.size());
      grams.outputs.push_back(outputs[next_output++]);
    }
    all.push_back(std::move(grams));
  }
  return all;
}

/// How often each n-gram is found in each row of @p x [rows, words], @p step words being from one
/// of its words to the next: [rows, n-grams].
ValueId counted(Node& node, ValueId x, const Grams& grams, int64_t step) {
  ValueId found = kNoValue;
  for (int64_t k = 0; k < grams.length; ++k) {
    const int64_t behind = (grams.length - 1 - k) * step;
    const ValueId words = node.slice(x, 1, k * step, behind == 0 ? INT64_MAX : -behind);
    const ir::Ints& wanted = grams.words[static_cast<size_t>(k)];
    const ValueId equal =
        node.binary(ElementwiseKind::Equal, node.unsqueeze(words, {2}), node.ints_constant(wanted));
    found = k == 0 ? equal : node.binary(ElementwiseKind::And, found, equal);
  }
  return node.reduce(ir::ReduceKind::Sum, node.cast(found, ir::DataType::Float32), {1}, false);
}

/// The counts of all n-grams, and the outputs that they belong to.
struct Counts {
  ValueIds parts;
  ir::Ints outputs;
};

Counts counts_of(Node& node, ValueId x) {
  const int64_t shortest = node.required_integer("min_gram_length");
  const int64_t longest = node.required_integer("max_gram_length");
  const int64_t most_skipped = node.required_integer("max_skip_count");
  constexpr int64_t kMostSteps = 1024;
  if (shortest < 1 || longest < shortest || most_skipped < 0 || most_skipped > kMostSteps)
    fail("n-grams of {} to {} words with {} skipped are asked for; 1 or more, with 0 to {}",
         shortest, longest, most_skipped, kMostSteps);
  Counts counts;
  for (const Grams& grams : grams_of(node)) {
    const bool is_wanted = grams.length >= shortest && grams.length <= longest;
    if (!is_wanted || grams.outputs.empty()) continue;
    // The words of one-word runs have nothing between them that could be skipped.
    const int64_t steps = grams.length == 1 ? 1 : most_skipped + 1;
    ValueId sum = counted(node, x, grams, 1);
    for (int64_t step = 2; step <= steps; ++step)
      sum = node.binary(ElementwiseKind::Sum, sum, counted(node, x, grams, step));
    counts.parts.push_back(sum);
    counts.outputs.insert(counts.outputs.end(), grams.outputs.begin(), grams.outputs.end());
  }
  return counts;
}

/// A matrix [n-grams, outputs] that puts each count where it belongs.
ir::Tensor placement(const ir::Ints& outputs, int64_t width) {
  std::vector<float> matrix(outputs.size() * static_cast<size_t>(width), 0);
  for (size_t i = 0; i < outputs.size(); ++i)
    matrix[i * static_cast<size_t>(width) + static_cast<size_t>(outputs[i])] = 1;
  return ir::Tensor::of<float>({std::ssize(outputs), width}, matrix);
}

/// The weight of each of @p width results. The attribute has one for each n-gram of the pool; those
/// that are as many as the results are taken in the results' order, as ONNX Runtime does.
ir::Floats weights_of(Node& node, const ir::Ints& outputs, int64_t width) {
  ir::Floats given = node.reals("weights");
  if (given.empty() || std::ssize(given) == width) return given;
  if (given.size() != outputs.size())
    fail("weights has {} entries; one for each of the {} n-grams is needed", given.size(),
         outputs.size());
  ir::Floats weights(static_cast<size_t>(width), 0);
  for (size_t i = 0; i < outputs.size(); ++i) weights[static_cast<size_t>(outputs[i])] = given[i];
  return weights;
}

ValueId weighted(Node& node, ValueId counts, const ir::Ints& outputs, int64_t width) {
  const std::string mode = node.text("mode", "TF");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    fail("mode is '{}'; TF, IDF and TFIDF are known", mode);
  const ir::Floats weights = weights_of(node, outputs, width);
  if (mode == "TF") return counts;
  if (mode == "IDF")
    counts = node.cast(node.binary(ElementwiseKind::Greater, counts, node.number(0, counts)),
                       ir::DataType::Float32);
  if (weights.empty()) return counts;
  return node.binary(ElementwiseKind::Prod, counts,
                     node.constant(ir::Tensor::of<float>({width}, weights)));
}

}  // namespace

ValueIds tfidf_vectorizer(Node& node) {
  if (node.has_attribute("pool_strings"))
    fail("counts words given as texts; words given as numbers (pool_int64s) are supported");
  const bool is_row = node.rank(node.in(0)) == 1;
  ValueId x = node.cast(node.in(0), ir::DataType::Int64);
  if (is_row) x = node.unsqueeze(x, {0});
  if (node.rank(x) != 2) fail("the input has {} dimensions; 1 or 2 are supported", node.rank(x));
  const ir::Ints outputs = node.ints("ngram_indexes");
  if (outputs.empty()) fail("ngram_indexes is empty");
  const auto [least, most] = std::minmax_element(outputs.begin(), outputs.end());
  constexpr int64_t kMostResults = int64_t{1} << 20;
  if (*least < 0 || *most >= kMostResults)
    fail("ngram_indexes has {}; 0 to {} are supported", *least < 0 ? *least : *most,
         kMostResults - 1);
  const int64_t width = *most + 1;
  const Counts counts = counts_of(node, x);
  constexpr int64_t kMostPlaces = int64_t{1} << 26;
  if (width * std::ssize(counts.outputs) > kMostPlaces)
    fail("{} n-grams count for {} results; their product may be {} at most", counts.outputs.size(),
         width, kMostPlaces);
  // Without an n-gram of the lengths asked for, nothing is counted.
  const ValueId none =
      node.reduce(ir::ReduceKind::Sum,
                  node.binary(ElementwiseKind::Prod, node.cast(x, ir::DataType::Float32),
                              node.constant(ir::Tensor::scalar(0.0f))),
                  {1}, true);
  const ValueId all = counts.parts.empty() ? none : node.concat(counts.parts, 1);
  const ir::Tensor matrix = counts.parts.empty()
                                ? ir::Tensor::zeros(ir::DataType::Float32, {1, width})
                                : placement(counts.outputs, width);
  ValueId y = node.add(Op::MatMul, {all, node.constant(matrix)});
  y = weighted(node, y, outputs, width);
  return {is_row ? node.squeeze(y, {0}) : y};
}

}  // namespace dlaexec::onnx
