// lstm, gru, rnn, as ONNX defines them. Inputs: x[length,batch,size], w[directions,gates*hidden,
// size], r[directions,gates*hidden,hidden], optional b[directions,2*gates*hidden], sequence
// lengths[batch], first h and (lstm) c [directions,batch,hidden], (lstm) peepholes
// p[directions,3*hidden].
#include <algorithm>
#include <cmath>

#include "ref/call.h"

namespace dlaexec::ref {
namespace {

struct Function {
  std::string name;
  double alpha, beta;

  double operator()(double x) const {
    if (name == "Sigmoid") return 1 / (1 + std::exp(-x));
    if (name == "Tanh") return std::tanh(x);
    if (name == "Relu") return std::max(0.0, x);
    if (name == "Affine") return alpha * x + beta;
    if (name == "LeakyRelu") return x < 0 ? alpha * x : x;
    if (name == "ThresholdedRelu") return x > alpha ? x : 0;
    if (name == "ScaledTanh") return alpha * std::tanh(beta * x);
    if (name == "HardSigmoid") return std::max(0.0, std::min(1.0, alpha * x + beta));
    if (name == "Elu") return x < 0 ? alpha * std::expm1(x) : x;
    if (name == "Softsign") return x / (1 + std::abs(x));
    if (name == "Softplus") return std::log1p(std::exp(x));
    fail(
        "the activation '{}' is not known; Sigmoid, Tanh, Relu, Affine, LeakyRelu, "
        "ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, Softsign and Softplus are",
        name);
  }
};

double default_alpha(const std::string& name) {
  if (name == "LeakyRelu") return 0.01;
  if (name == "HardSigmoid") return 0.2;
  return 1;
}

double default_beta(const std::string& name) {
  if (name == "HardSigmoid") return 0.5;
  return name == "ScaledTanh" ? 1 : 0;
}

/// The functions of one direction, in ONNX's order (f, g, h).
std::vector<Function> functions_of(const Call& call, size_t direction) {
  const auto& cell = call.get<ir::RecurrentAttributes>();
  const std::vector<std::string> defaults =
      call.node().op == ir::Op::Lstm  ? std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"}
      : call.node().op == ir::Op::Gru ? std::vector<std::string>{"Sigmoid", "Tanh"}
                                      : std::vector<std::string>{"Tanh"};
  std::vector<Function> functions;
  for (size_t i = 0; i < defaults.size(); ++i) {
    const size_t at = direction * defaults.size() + i;
    const std::string name = at < cell.activations.size() ? cell.activations[at] : defaults[i];
    functions.push_back(
        {name, at < cell.activation_alpha.size() ? cell.activation_alpha[at] : default_alpha(name),
         at < cell.activation_beta.size() ? cell.activation_beta[at] : default_beta(name)});
  }
  return functions;
}

/// Everything of one direction.
struct Cell {
  ir::Op op;
  const ir::RecurrentAttributes& attributes;
  int64_t size, hidden, gates;
  const float *w, *r;
  std::vector<float> wb, rb;     ///< biases, zeros when absent
  std::vector<float> peepholes;  ///< input, output, forget
  std::vector<Function> functions;

  double clipped(double x) const {
    const double limit = attributes.clip;
    return limit > 0 ? std::clamp(x, -limit, limit) : x;
  }
  double from_input(const float* x, int64_t row) const {
    double sum = wb[static_cast<size_t>(row)];
    for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(w[row * size + i]) * x[i];
    return sum;
  }
  double from_state(const std::vector<double>& h, int64_t row) const {
    double sum = rb[static_cast<size_t>(row)];
    for (int64_t i = 0; i < hidden; ++i)
      sum += static_cast<double>(r[row * hidden + i]) * h[static_cast<size_t>(i)];
    return sum;
  }
  /// Gate @p number's sum of unit @p unit.
  double gate(const float* x, const std::vector<double>& h, int64_t number, int64_t unit) const {
    const int64_t row = number * hidden + unit;
    return from_input(x, row) + from_state(h, row);
  }
  double peephole(int64_t number, int64_t unit) const {
    return peepholes.empty() ? 0 : peepholes[static_cast<size_t>(number * hidden + unit)];
  }

  void step(const float* x, std::vector<double>& h, std::vector<double>& c) const {
    if (op == ir::Op::Lstm) return step_lstm(x, h, c);
    if (op == ir::Op::Gru) return step_gru(x, h);
    std::vector<double> next(h.size());
    for (int64_t u = 0; u < hidden; ++u)
      next[static_cast<size_t>(u)] = functions[0](clipped(gate(x, h, 0, u)));
    h = next;
  }

  void step_lstm(const float* x, std::vector<double>& h, std::vector<double>& c) const {
    std::vector<double> next(h.size());
    for (int64_t u = 0; u < hidden; ++u) {
      double& state = c[static_cast<size_t>(u)];
      const double in = functions[0](clipped(gate(x, h, 0, u) + peephole(0, u) * state));
      const double forget = attributes.input_forget
                                ? 1 - in
                                : functions[0](clipped(gate(x, h, 2, u) + peephole(2, u) * state));
      const double candidate = functions[1](clipped(gate(x, h, 3, u)));
      state = forget * state + in * candidate;
      const double out = functions[0](clipped(gate(x, h, 1, u) + peephole(1, u) * state));
      next[static_cast<size_t>(u)] = out * functions[2](state);
    }
    h = next;
  }

  void step_gru(const float* x, std::vector<double>& h) const {
    std::vector<double> reset(h.size());
    for (int64_t u = 0; u < hidden; ++u)
      reset[static_cast<size_t>(u)] = functions[0](clipped(gate(x, h, 1, u)));
    std::vector<double> reset_h(h.size());
    for (size_t u = 0; u < h.size(); ++u) reset_h[u] = reset[u] * h[u];
    std::vector<double> next(h.size());
    for (int64_t u = 0; u < hidden; ++u) {
      const auto at = static_cast<size_t>(u);
      const int64_t row = 2 * hidden + u;
      const double update = functions[0](clipped(gate(x, h, 0, u)));
      const double recurrent = attributes.linear_before_reset ? reset[at] * from_state(h, row)
                                                              : from_state(reset_h, row);
      const double candidate = functions[1](clipped(from_input(x, row) + recurrent));
      next[at] = (1 - update) * candidate + update * h[at];
    }
    h = next;
  }
};

std::vector<float> part(const std::vector<float>& all, int64_t first, int64_t count) {
  return {all.begin() + first, all.begin() + first + count};
}

/// The sizes of a recurrence, and where sequences lie in its tensors: batch first or second.
struct Sizes {
  int64_t length, batch, size, hidden, directions, gates;
  bool batch_first;

  int64_t rows() const { return gates * hidden; }
  /// The row of sequence @p n at time @p t among the inputs.
  int64_t input_row(int64_t t, int64_t n) const {
    return batch_first ? n * length + t : t * batch + n;
  }
  /// Where a result of that row and direction begins.
  int64_t result_at(int64_t t, int64_t n, int64_t direction) const {
    return (batch_first ? input_row(t, n) * directions + direction
                        : (t * directions + direction) * batch + n) *
           hidden;
  }
  /// Where a state of that sequence and direction begins.
  int64_t state_at(int64_t n, int64_t direction) const {
    return (batch_first ? n * directions + direction : direction * batch + n) * hidden;
  }
  Dims states() const {
    return batch_first ? Dims{batch, directions, hidden} : Dims{directions, batch, hidden};
  }
  Dims results() const {
    return batch_first ? Dims{batch, length, directions, hidden}
                       : Dims{length, directions, batch, hidden};
  }
};

Sizes sizes_of(const Call& call) {
  const auto& attributes = call.get<ir::RecurrentAttributes>();
  const ir::Op op = call.node().op;
  const bool first = attributes.batch_first;
  const Dims& x = call.dims(0);
  return {x.at(first ? 1 : 0),
          x.at(first ? 0 : 1),
          x.at(2),
          attributes.hidden_size,
          attributes.direction == ir::RecurrentDirection::Bidirectional ? 2 : 1,
          op == ir::Op::Lstm  ? 4
          : op == ir::Op::Gru ? 3
                              : 1,
          first};
}

/// The inputs as numbers; empty where a node leaves one out.
struct Operands {
  std::vector<float> x, w, r, b, first_h, first_c, peepholes;
  std::vector<int64_t> lengths;

  int64_t length_of(int64_t n, int64_t longest) const {
    return lengths.empty() ? longest
                           : std::clamp<int64_t>(lengths.at(static_cast<size_t>(n)), 0, longest);
  }
};

Operands operands_of(const Call& call, const Sizes& s) {
  const auto reals = [&](size_t at) {
    return call.has(at) ? call.reals(at) : std::vector<float>();
  };
  Operands all{reals(0), reals(1), reals(2), reals(3), reals(5), reals(6), reals(7), {}};
  if (call.has(4)) all.lengths = call.ints(4);
  const auto needs = [](const std::vector<float>& given, int64_t count, const char* what) {
    if (!given.empty() && static_cast<int64_t>(given.size()) != count)
      fail("{} have {} elements; {} are needed", what, given.size(), count);
  };
  needs(all.w, s.directions * s.rows() * s.size, "the input weights");
  needs(all.r, s.directions * s.rows() * s.hidden, "the recurrent weights");
  needs(all.b, s.directions * 2 * s.rows(), "the biases");
  needs(all.first_h, s.directions * s.batch * s.hidden, "the first states");
  needs(all.first_c, s.directions * s.batch * s.hidden, "the first cell states");
  needs(all.peepholes, s.directions * 3 * s.hidden, "the peepholes");
  return all;
}

Cell cell_of(const Call& call, const Sizes& s, const Operands& in, int64_t direction) {
  const std::vector<float> zeros(static_cast<size_t>(s.rows()), 0.0f);
  const auto bias = [&](int64_t which) {
    return in.b.empty() ? zeros : part(in.b, (direction * 2 + which) * s.rows(), s.rows());
  };
  Cell cell{call.node().op,
            call.get<ir::RecurrentAttributes>(),
            s.size,
            s.hidden,
            s.gates,
            in.w.data() + direction * s.rows() * s.size,
            in.r.data() + direction * s.rows() * s.hidden,
            bias(0),
            bias(1),
            {},
            functions_of(call, static_cast<size_t>(direction))};
  if (!in.peepholes.empty())
    cell.peepholes = part(in.peepholes, direction * 3 * s.hidden, 3 * s.hidden);
  return cell;
}

struct Results {
  std::vector<float> all, last_h, last_c;
};

/// One sequence in one direction.
void walk(const Cell& cell, const Sizes& s, const Operands& in, int64_t n, int64_t direction,
          Results& results) {
  const bool backwards =
      direction == 1 || cell.attributes.direction == ir::RecurrentDirection::Reverse;
  const int64_t state = s.state_at(n, direction);
  std::vector<double> h(static_cast<size_t>(s.hidden), 0.0);
  std::vector<double> c(h.size(), 0.0);
  if (!in.first_h.empty()) std::copy_n(in.first_h.begin() + state, s.hidden, h.begin());
  if (!in.first_c.empty()) std::copy_n(in.first_c.begin() + state, s.hidden, c.begin());
  const int64_t length = in.length_of(n, s.length);
  for (int64_t step = 0; step < length; ++step) {
    const int64_t t = backwards ? length - 1 - step : step;
    cell.step(in.x.data() + s.input_row(t, n) * s.size, h, c);
    std::copy(h.begin(), h.end(), results.all.begin() + s.result_at(t, n, direction));
  }
  std::copy(h.begin(), h.end(), results.last_h.begin() + state);
  std::copy(c.begin(), c.end(), results.last_c.begin() + state);
}

}  // namespace

Tensors recurrence(const Call& call) {
  const Sizes s = sizes_of(call);
  const Operands in = operands_of(call, s);
  const auto zeros = [](const Dims& dims) {
    return std::vector<float>(static_cast<size_t>(ir::volume(dims)), 0.0f);
  };
  Results results{zeros(s.results()), zeros(s.states()), zeros(s.states())};
  for (int64_t direction = 0; direction < s.directions; ++direction) {
    const Cell cell = cell_of(call, s, in, direction);
    for (int64_t n = 0; n < s.batch; ++n) walk(cell, s, in, n, direction, results);
  }
  Tensors outputs(call.output_count());
  if (call.wants(0)) outputs[0] = call.from_reals(s.results(), results.all, 0);
  if (call.wants(1)) outputs[1] = call.from_reals(s.states(), results.last_h, 1);
  if (call.wants(2)) outputs[2] = call.from_reals(s.states(), results.last_c, 2);
  return outputs;
}

}  // namespace dlaexec::ref
