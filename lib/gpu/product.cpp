#include "gpu/product.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "gpu/library_step.h"
#include "gpu/product_groups.h"
#include "gpu/product_unit.h"

namespace dlaexec::gpu {
namespace {

using Unit = ProductTactic::Unit;

constexpr const char* kUnitNames[] = {"mma", "wgmma", "bulk", "halo"};

const ProductUnit& unit_of(const ProductTactic& tactic) {
  constexpr const ProductUnit* kUnits[] = {&kTiledUnit, &kTiledUnit, &kBulkUnit, &kHaloUnit};
  return *kUnits[static_cast<size_t>(tactic.unit)];
}

/// What @p ask says of @p product as @p tactic runs it.
template <class Ask>
auto with_tactic(const Product& product, const ProductTactic& tactic, const Ask& ask) {
  return product.groups ? ask(with_windows(product, tactic)) : ask(product);
}

}  // namespace

int64_t no_scratch(const Product&, const ProductTactic&, const Target&) { return 0; }

double in_balance(double computing, double moving) {
  return std::max(computing, moving) + 0.1 * std::min(computing, moving);
}

std::string_view access_name(const Product& product) {
  return product.groups ? "Groups" : product.rows ? "Rows" : "Patches";
}

std::string type_list(const Product& product) {
  return format("{}, {}, {}, {}", product.full ? "FullFloat" : device_type(product.in),
                device_type(product.out),
                product.residual_type ? device_type(*product.residual_type) : "Nothing",
                device_name(product.activation));
}

bool exists(const ProductTactic& t) {
  if (t.unit == Unit::Halo) return !t.stays && t.split == 1;
  if (t.unit != Unit::Bulk) return true;
  return !t.stays && (t.k > 32 || t.split > 1);  // the narrowest tile is for shared sums alone
}

std::string to_text(const ProductTactic& t) {
  const char* unit = kUnitNames[static_cast<size_t>(t.unit)];
  return format("{} {}x{} w{}x{} r{} s{} k{}{}", unit, t.rows, t.k, t.warp_rows, t.warp_k,
                t.row_bytes, t.stages, t.split, t.stays ? " stay" : "");
}

std::optional<ProductTactic> parse_product_tactic(const std::string& text) {
  ProductTactic t;
  char unit[8] = {};
  const int read = std::sscanf(text.c_str(), "%7s %dx%d w%dx%d r%d s%d k%d", unit, &t.rows, &t.k,
                               &t.warp_rows, &t.warp_k, &t.row_bytes, &t.stages, &t.split);
  const std::string name = unit;
  if (read != 8) return std::nullopt;
  for (size_t i = 0; i < std::size(kUnitNames); ++i)
    if (name == kUnitNames[i]) t.unit = static_cast<Unit>(i);
  t.stays = text.size() > 5 && text.substr(text.size() - 5) == " stay";
  if (to_text(t) != text) return std::nullopt;
  return t;
}

std::vector<ProductTactic> all_product_tactics(const Target& target) {
  std::vector<ProductTactic> all;
  for (const ProductUnit* unit : {&kTiledUnit, &kBulkUnit, &kHaloUnit})
    for (const ProductTactic& tactic : unit->tactics(target)) all.push_back(tactic);
  return all;
}

bool fits(const Product& product, const ProductTactic& tactic, const Target& target) {
  if (product.full && !tactic.takes_full_floats()) return false;
  return with_tactic(product, tactic, [&](const Product& asked) {
    return unit_of(tactic).takes(asked, tactic, target);
  });
}

int64_t shared_bytes(const Product& product, const ProductTactic& tactic, const Target& target) {
  return with_tactic(product, tactic, [&](const Product& asked) {
    return unit_of(tactic).shared_bytes(asked, tactic, target);
  });
}

double predicted_seconds(const Product& product, const ProductTactic& tactic,
                         const Target& target) {
  return with_tactic(product, tactic, [&](const Product& asked) {
    return unit_of(tactic).seconds(asked, tactic, target);
  });
}

Kernel product_kernel(const Product& product, const ProductTactic& tactic, const Target& target) {
  return with_tactic(product, tactic, [&](const Product& asked) {
    return unit_of(tactic).kernel(asked, tactic, target);
  });
}

namespace {

/// The model is too hard on the copy engine: it does not see that threads that copy for themselves
/// wait for their own addresses. So the best bulk tactics come early enough to be measured.
void bring_bulk_forward(std::vector<std::pair<double, ProductTactic>>& scored) {
  constexpr size_t kBulk = 12, kAfter = 4;
  size_t brought = 0;
  for (size_t i = 0; i < scored.size() && brought < kBulk; ++i) {
    if (scored[i].second.unit < Unit::Bulk) continue;
    const size_t to = kAfter + brought++;
    if (i > to)
      std::rotate(scored.begin() + static_cast<std::ptrdiff_t>(to),
                  scored.begin() + static_cast<std::ptrdiff_t>(i),
                  scored.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
}

}  // namespace

std::vector<ProductTactic> tactics_for(const Product& product, const Target& target, size_t most) {
  std::vector<std::pair<double, ProductTactic>> scored;
  for (ProductTactic tactic : all_product_tactics(target))
    for (const int split : {1, 2, 4, 8, 16, 0}) {
      tactic.split = std::max(split, 1);
      tactic.stays = split == 0;
      if (product.batch > 1 && split > 1) continue;
      if (split > 8 && !target.is_hopper())
        continue;  // through memory, that costs more than it brings
      if (!exists(tactic)) continue;
      if (fits(product, tactic, target))
        scored.emplace_back(predicted_seconds(product, tactic, target), tactic);
    }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  bring_bulk_forward(scored);
  if (scored.size() > most) scored.resize(most);
  std::vector<ProductTactic> tactics;
  for (const auto& [seconds, tactic] : scored) tactics.push_back(tactic);
  return tactics;
}

namespace {

/// The tactics that fit into the workspace, those of this project first.
std::vector<std::string> tactic_texts(Lowering& lowering, const Product& product) {
  constexpr size_t kCandidates = 32;
  const Target& target = lowering.target();
  std::vector<std::string> texts;
  for (const ProductTactic& tactic : tactics_for(product, target, kCandidates))
    if (lowering.has_workspace(unit_of(tactic).scratch_bytes(product, tactic, target)))
      texts.push_back(to_text(tactic));
  for (const LibraryKind kind : {LibraryKind::CublasLt, LibraryKind::Cudnn})
    if (const auto asked = library_problem_of(product, kind))
      for (std::string& tactic : lowering.library_tactics(*asked))
        texts.push_back(std::move(tactic));
  return texts;
}

/// Adds the launch of @p tactic; null when it is no tactic for @p product.
Step* add_tactic(Lowering& lowering, const ir::Node& node, std::string_view suffix,
                 const Product& product, const std::string& tactic) {
  if (const auto library = parse_library_tactic(tactic)) {
    if (!library_problem_of(product, library->library)) return nullptr;
    return &add_library_product(lowering, node, suffix, product, *library);
  }
  const std::optional<ProductTactic> own = parse_product_tactic(tactic);
  if (!own) return nullptr;
  if (!product.groups) return &unit_of(*own).add(lowering, node, suffix, product, *own);
  Product windowed = with_windows(product, *own);
  windowed.weights = window_weights(lowering, windowed, own->k);
  return &unit_of(*own).add(lowering, node, suffix, windowed, *own);
}

/// Scratch memory that @p tactic takes.
int64_t workspace_of(const Product& product, const std::string& tactic, const Target& target) {
  if (const auto library = parse_library_tactic(tactic)) return library->workspace_bytes;
  const std::optional<ProductTactic> own = parse_product_tactic(tactic);
  return own ? unit_of(*own).scratch_bytes(product, *own, target) : 0;
}

}  // namespace

void add_product(Lowering& lowering, const ir::Node& node, std::string_view suffix,
                 Product product) {
  product.full = product.in == ir::DataType::Float32 && lowering.full_floats();
  if (product.full) product.problem += " full";
  const std::vector<std::string> texts = tactic_texts(lowering, product);
  std::string chosen = lowering.choose(product.problem, texts);
  if (!lowering.has_workspace(workspace_of(product, chosen, lowering.target())))
    chosen = texts.front();  // measured once, where there was more memory
  Step* const step = add_tactic(lowering, node, suffix, product, chosen);
  if (!step)
    fail("'{}' is no tactic for '{}'; one that fits: {}", chosen, product.problem, texts.front());
  step->operations = product.operations;
  step->bytes = product.bytes;
  step->problem = product.problem;
  step->tactic = chosen;
}

}  // namespace dlaexec::gpu
