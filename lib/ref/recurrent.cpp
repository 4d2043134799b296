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

struct Problem {
  int64_t length, batch, size, hidden, directions, gates;
};

}  // namespace

Tensors recurrence(const Call& call) {
  const auto& attributes = call.get<ir::RecurrentAttributes>();
  const ir::Op op = call.node().op;
  const bool first = attributes.batch_first;
  const Dims& x = call.dims(0);
  const bool both = attributes.direction == ir::RecurrentDirection::Bidirectional;
  const Problem p{x.at(first ? 1 : 0),
                  x.at(first ? 0 : 1),
                  x.at(2),
                  attributes.hidden_size,
                  both ? 2 : 1,
                  op == ir::Op::Lstm ? 4 : op == ir::Op::Gru ? 3 : 1};
  const std::vector<float> data = call.reals(0);
  const std::vector<float> w = call.reals(1);
  const std::vector<float> r = call.reals(2);
  const auto optional = [&](size_t at) {
    return call.has(at) ? call.reals(at) : std::vector<float>();
  };
  const std::vector<float> b = optional(3);
  const std::vector<int64_t> lengths = call.has(4) ? call.ints(4) : std::vector<int64_t>();
  const std::vector<float> first_h = optional(5);
  const std::vector<float> first_c = optional(6);
  const std::vector<float> peepholes = optional(7);
  const int64_t rows = p.gates * p.hidden;
  const auto needs = [](const std::vector<float>& given, int64_t count, const char* what) {
    if (!given.empty() && static_cast<int64_t>(given.size()) != count)
      fail("{} have {} elements; {} are needed", what, given.size(), count);
  };
  needs(w, p.directions * rows * p.size, "the input weights");
  needs(r, p.directions * rows * p.hidden, "the recurrent weights");
  needs(b, p.directions * 2 * rows, "the biases");
  needs(first_h, p.directions * p.batch * p.hidden, "the first states");
  needs(first_c, p.directions * p.batch * p.hidden, "the first cell states");
  needs(peepholes, p.directions * 3 * p.hidden, "the peepholes");

  std::vector<float> all(static_cast<size_t>(p.length * p.directions * p.batch * p.hidden), 0.0f);
  std::vector<float> last_h(static_cast<size_t>(p.directions * p.batch * p.hidden));
  std::vector<float> last_c(last_h.size());
  for (int64_t d = 0; d < p.directions; ++d) {
    const bool backwards = d == 1 || attributes.direction == ir::RecurrentDirection::Reverse;
    Cell cell{op,
              attributes,
              p.size,
              p.hidden,
              p.gates,
              w.data() + d * rows * p.size,
              r.data() + d * rows * p.hidden,
              {},
              {},
              {},
              functions_of(call, static_cast<size_t>(d))};
    const std::vector<float> zeros(static_cast<size_t>(rows), 0.0f);
    cell.wb = b.empty() ? zeros : part(b, d * 2 * rows, rows);
    cell.rb = b.empty() ? zeros : part(b, (d * 2 + 1) * rows, rows);
    if (!peepholes.empty()) cell.peepholes = part(peepholes, d * 3 * p.hidden, 3 * p.hidden);
    for (int64_t n = 0; n < p.batch; ++n) {
      // Where a state of this direction and sequence lies, in either layout.
      const int64_t state_at = (first ? n * p.directions + d : d * p.batch + n) * p.hidden;
      std::vector<double> h(static_cast<size_t>(p.hidden), 0.0);
      std::vector<double> c(h.size(), 0.0);
      if (!first_h.empty()) std::copy_n(first_h.begin() + state_at, p.hidden, h.begin());
      if (!first_c.empty()) std::copy_n(first_c.begin() + state_at, p.hidden, c.begin());
      const int64_t length =
          lengths.empty() ? p.length
                          : std::clamp<int64_t>(lengths.at(static_cast<size_t>(n)), 0, p.length);
      for (int64_t step = 0; step < length; ++step) {
        const int64_t t = backwards ? length - 1 - step : step;
        const int64_t row = first ? n * p.length + t : t * p.batch + n;
        cell.step(data.data() + row * p.size, h, c);
        const int64_t to = first ? (row * p.directions + d) * p.hidden
                                 : ((t * p.directions + d) * p.batch + n) * p.hidden;
        std::copy(h.begin(), h.end(), all.begin() + to);
      }
      std::copy(h.begin(), h.end(), last_h.begin() + state_at);
      std::copy(c.begin(), c.end(), last_c.begin() + state_at);
    }
  }
  const Dims state =
      first ? Dims{p.batch, p.directions, p.hidden} : Dims{p.directions, p.batch, p.hidden};
  const Dims y = first ? Dims{p.batch, p.length, p.directions, p.hidden}
                       : Dims{p.length, p.directions, p.batch, p.hidden};
  Tensors outputs(call.output_count());
  if (call.wants(0)) outputs[0] = call.from_reals(y, all, 0);
  if (call.wants(1)) outputs[1] = call.from_reals(state, last_h, 1);
  if (call.wants(2)) outputs[2] = call.from_reals(state, last_c, 2);
  return outputs;
}

}  // namespace dlaexec::ref
