#include <cstdlib>
#include <cstring>

#include "ir/text.h"
#include "ir/text_reader.h"

namespace dlaexec::ir {
namespace {

class GraphParser {
 public:
  GraphParser(TextReader& in, const BlobSource& blobs) : in_(in), blobs_(blobs) {}

  Graph graph() {
    in_.take("graph");
    in_.take("@");
    graph_.name = in_.name();
    in_.list("(", ")", [&] { graph_.inputs.push_back(declared()); });
    in_.take("{");
    while (!in_.accept("return")) statement();
    if (!in_.peek("}")) do
        graph_.outputs.push_back(use());
      while (in_.accept(","));
    in_.take("}");
    return std::move(graph_);
  }

 private:
  void statement() {
    if (in_.accept("const")) return constant();
    if (in_.accept("outer")) {
      declared();
      return;
    }
    node();
  }

  /// "%name: type"
  ValueId declared() {
    const std::string name = value_name();
    in_.take(":");
    Value value = value_type();
    value.name = name;
    return define(std::move(value));
  }

  ValueId define(Value value) {
    if (known_.contains(value.name))
      fail("graph text, line {}: %{} is defined twice", in_.line(), value.name);
    const auto id = static_cast<ValueId>(graph_.values.size());
    known_.emplace(value.name, id);
    graph_.values.push_back(std::move(value));
    return id;
  }

  std::string value_name() {
    in_.take("%");
    return in_.name();
  }

  ValueId use() {
    if (in_.accept("_")) return kNoValue;
    const std::string name = value_name();
    const auto at = known_.find(name);
    if (at == known_.end()) fail("graph text, line {}: %{} is not defined above", in_.line(), name);
    return at->second;
  }

  template <TextEnum Enum>
  Enum enumerator(std::string_view what) {
    const std::string word = in_.word();
    const auto value = parse_enum<Enum>(word);
    if (!value)
      fail("graph text, line {}: '{}' is no {}; allowed: {}", in_.line(), word, what,
           join(kEnumText<Enum>, ", "));
    return *value;
  }

  Value value_type() {
    Value value;
    value.type = enumerator<DataType>("element type");
    in_.list("[", "]", [&] {
      const std::string dim = in_.name();
      const bool known = dim.find_first_not_of("0123456789") == std::string::npos;
      value.shape.push_back(known ? Dim(std::atoll(dim.c_str())) : Dim(dim));
    });
    if (in_.accept("q")) value.quantization = quantization();
    if (in_.accept("as")) value.format = enumerator<Format>("tensor format");
    return value;
  }

  Quantization quantization() {
    Quantization q;
    in_.list("(", ")", [&] {
      if (in_.accept("axis")) {
        in_.take("=");
        q.axis = in_.integer();
      } else {
        q.scales.push_back(static_cast<float>(in_.number()));
      }
    });
    return q;
  }

  void constant() {
    const std::string name = value_name();
    in_.take("=");
    Value value = value_type();
    value.name = name;
    if (!is_static(value.shape))
      fail("graph text, line {}: a constant needs a static shape", in_.line());
    value.constant = elements(value.type, dims_of(value.shape));
    define(std::move(value));
  }

  Tensor elements(DataType type, const Dims& dims) {
    if (in_.accept("zero")) return Tensor::zeros(type, dims);
    if (in_.accept("seed")) {
      in_.take("(");
      const auto seed = static_cast<uint64_t>(in_.integer());
      in_.take(")");
      return seeded(type, dims, seed);
    }
    if (in_.accept("splat")) {
      in_.take("(");
      const Tensor one = from_numbers(type, {}, {in_.number()});
      in_.take(")");
      Tensor tensor(type, dims);
      const size_t size = size_bytes(type);
      for (size_t at = 0; at < tensor.size_bytes(); at += size)
        std::memcpy(tensor.mutable_bytes().data() + at, one.bytes().data(), size);
      return tensor;
    }
    if (in_.accept("hex")) return from_hex(type, dims, in_.quoted());
    if (in_.accept("blob")) {
      in_.take("(");
      const std::string hash = in_.quoted();
      in_.take(")");
      if (!blobs_) fail("graph text, line {}: blob(\"{}\") needs its elements", in_.line(), hash);
      return blobs_(hash, type, dims);
    }
    return listed(type, dims);
  }

  Tensor listed(DataType type, const Dims& dims) {
    if (is_float(type)) {
      std::vector<double> numbers;
      in_.list("[", "]", [&] { numbers.push_back(in_.number()); });
      check_count(dims, static_cast<int64_t>(numbers.size()));
      return from_numbers(type, dims, numbers);
    }
    std::vector<int64_t> numbers;  // double would lose the low bits of large i64
    in_.list("[", "]", [&] { numbers.push_back(in_.integer()); });
    check_count(dims, static_cast<int64_t>(numbers.size()));
    return Tensor::of(dims, numbers).converted(type);
  }

  void check_count(const Dims& dims, int64_t found) {
    if (found != volume(dims))
      fail("graph text, line {}: {} elements for shape {}, which needs {}", in_.line(), found,
           to_text(dims), volume(dims));
  }

  static Tensor from_numbers(DataType type, const Dims& dims, const std::vector<double>& numbers) {
    const std::vector<float> floats(numbers.begin(), numbers.end());
    return Tensor::of(dims, floats).converted(type);
  }

  Tensor from_hex(DataType type, const Dims& dims, const std::string& digits) {
    Tensor tensor(type, dims);
    if (digits.size() != 2 * tensor.size_bytes())
      fail("graph text, line {}: {} hex digits for {} bytes", in_.line(), digits.size(),
           tensor.size_bytes());
    for (size_t i = 0; i < tensor.size_bytes(); ++i)
      tensor.mutable_bytes()[i] =
          static_cast<std::byte>(std::strtol(digits.substr(2 * i, 2).c_str(), nullptr, 16));
    return tensor;
  }

  void node() {
    std::vector<std::string> names;  // empty: an absent output
    do names.push_back(in_.accept("_") ? "" : value_name());
    while (in_.accept(","));
    in_.take("=");
    const std::string op_name = in_.word();
    const auto op = parse_op(op_name);
    if (!op) fail("graph text, line {}: '{}' is no op", in_.line(), op_name);

    Node made;
    made.op = *op;
    made.attributes = default_attributes(*op);
    in_.list("(", ")", [&] { made.inputs.push_back(use()); });
    if (in_.accept("{")) attributes(made);
    in_.take(":");
    for (size_t i = 0; i < names.size(); ++i) {
      if (i > 0) in_.take(",");
      made.outputs.push_back(output(names[i]));
    }
    made.name = in_.peek("\"") ? in_.quoted() : names[0];
    made.origins = {made.name};
    if (in_.accept("from")) {
      made.origins.clear();
      in_.list("(", ")", [&] { made.origins.push_back(in_.quoted()); });
    }
    if (in_.accept("in")) made.precision = enumerator<DataType>("precision");
    if (in_.accept("on")) device(made);
    graph_.nodes.push_back(std::move(made));
  }

  ValueId output(const std::string& name) {
    if (name.empty()) {
      in_.take("_");
      return kNoValue;
    }
    Value value = value_type();
    value.name = name;
    return define(std::move(value));
  }

  void device(Node& made) {
    const std::string where = in_.word();
    if (where == "gpu") {
      made.device = Device::Gpu;
    } else if (where.rfind("dla", 0) == 0) {
      made.device = Device::Dla;
      if (where.size() > 3) made.segment = std::atoi(where.c_str() + 3);
    } else {
      fail("graph text, line {}: '{}' is no device; allowed: gpu, dla, dla<segment>", in_.line(),
           where);
    }
  }

  void attributes(Node& made) {
    if (in_.accept("}")) return;
    do {
      const std::string name = in_.word();
      in_.take("=");
      bool found = false;
      std::visit(
          [&](auto& held) {
            held.fields(held, [&](std::string_view field, auto& member) {
              if (field != name) return;
              found = true;
              read(member);
            });
          },
          made.attributes);
      if (!found)
        fail("graph text, line {}: {} has no attribute '{}'", in_.line(), info(made.op).text, name);
    } while (in_.accept(","));
    in_.take("}");
  }

  void read(bool& member) {
    if (in_.accept("true")) {
      member = true;
    } else {
      in_.take("false");
      member = false;
    }
  }
  void read(int64_t& member) { member = in_.integer(); }
  void read(float& member) { member = static_cast<float>(in_.number()); }
  void read(double& member) { member = in_.number(); }
  void read(std::string& member) { member = in_.quoted(); }
  void read(Ints& member) {
    member.clear();
    in_.list("[", "]", [&] { member.push_back(in_.integer()); });
  }
  void read(Floats& member) {
    member.clear();
    in_.list("[", "]", [&] { member.push_back(static_cast<float>(in_.number())); });
  }
  void read(Strings& member) {
    member.clear();
    in_.list("[", "]", [&] { member.push_back(in_.quoted()); });
  }
  void read(Subgraph& member) {
    if (in_.accept("none")) {
      member = nullptr;
      return;
    }
    member = std::make_shared<const Graph>(GraphParser(in_, blobs_).graph());
  }
  template <TextEnum Enum>
  void read(Enum& member) {
    member = enumerator<Enum>("value of this attribute");
  }

  TextReader& in_;
  const BlobSource& blobs_;
  Graph graph_;
  std::unordered_map<std::string, ValueId> known_;
};

/// splitmix64: small, well mixed, and the same everywhere.
uint64_t next_random(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Graph parse(std::string_view text, const BlobSource& blobs) {
  TextReader in(text);
  Graph graph = GraphParser(in, blobs).graph();
  if (!in.at_end()) in.expected("the end of the text");
  return graph;
}

Tensor seeded(DataType type, const Dims& dims, uint64_t seed) {
  Tensor tensor(type, dims);
  uint64_t state = seed;
  dispatch(type, [&]<class T>() {
    for (T& element : tensor.mutable_as<T>()) {
      const uint64_t bits = next_random(state);
      if constexpr (std::is_same_v<T, bool>) {
        element = bits & 1u;
      } else if constexpr (std::is_same_v<T, uint8_t>) {
        element = static_cast<uint8_t>(bits >> 56);
      } else if constexpr (std::is_integral_v<T>) {
        element = static_cast<T>(static_cast<int64_t>((bits >> 32) % 255) - 127);
      } else {
        element = static_cast<T>(static_cast<float>(bits >> 40) * 0x1p-23f - 1.0f);
      }
    }
  });
  return tensor;
}

}  // namespace dlaexec::ir
