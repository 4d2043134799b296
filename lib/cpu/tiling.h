// Cutting a product of matrices into register tiles and tasks: strips of rows, panels of outputs.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "cpu/kernels/tile.h"
#include "cpu/layout.h"

namespace dlaexec::cpu {

/// Neighbouring pixels of one row of an image (or rows of a matrix): a register tile's inputs.
struct Strip {
  int64_t y, x;
  int width;
};

/// An image cut into strips of nearly equal width.
class Strips {
 public:
  Strips() = default;
  Strips(int64_t image_height, int64_t image_width, int most)
      : width(image_width), height_(image_height), per_row_(divide_up(image_width, most)) {}
  int64_t count() const { return height_ * per_row_; }
  Strip at(int64_t index) const {
    const int64_t y = index / per_row_, part = index % per_row_;
    const int64_t first = part * width / per_row_, last = (part + 1) * width / per_row_;
    return {y, first, static_cast<int>(last - first)};
  }

  int64_t width = 0;

 private:
  int64_t height_ = 0, per_row_ = 1;
};

/// One or two neighbouring blocks of outputs, whose weights lie together term by term.
struct Panel {
  int64_t group;
  int64_t first_block;  ///< among all blocks of outputs
  int blocks;
  int64_t weights;  ///< where its weights begin
  int64_t weight_count;
};

/// Packed weights. Groups must be whole blocks when there are several.
struct Panels {
  int64_t groups = 1;
  std::vector<Panel> panels;
  std::vector<float> weights;
  std::vector<float> bias;  ///< whole blocks; zeros without one

  int64_t count() const { return static_cast<int64_t>(panels.size()); }
  int64_t bytes() const { return static_cast<int64_t>(weights.size()) * 4; }
  void set_bias(const std::vector<float>& values, int64_t outputs_per_group);
};

/// What weights are packed from: weight(group, output, term).
struct PanelSource {
  int64_t groups = 1, outputs = 0, terms = 0;  ///< outputs and terms of one group
  std::function<float(int64_t group, int64_t output, int64_t term)> weight;
};

Panels pack_panels(const PanelSource& source, int most_blocks);

/// The size of a product, for cutting it into tasks.
struct Work {
  int64_t panels, strips;
  int64_t weight_bytes, input_bytes;
};

/// A rectangle of tiles that one thread works off, some strips at once against panel after panel.
struct Task {
  int64_t first_panel, last_panel, first_strip, last_strip;
  int64_t strips_at_once;
};

struct Tasks {
  Work work;
  int64_t across_panels, across_strips;
  int64_t strips_at_once;
  int64_t count() const { return across_panels * across_strips; }
  Task at(int64_t index) const;
};

/// Lets a tile fetch its share of what the next panel needs: part @p index of @p parts.
void fetch_share(const Panels& panels, const Panel& next, int64_t index, int64_t parts, Tile& tile);

/// Cuts work so that every thread has enough to do and little is read twice. What an output's sum
/// is made of does not depend on it.
Tasks split_work(const Work& work, int threads);

}  // namespace dlaexec::cpu
