// What nms.cu is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

inline constexpr int kNmsThreads = 1024;

/// A box without its numbers' order: what lies between the low and the high of either axis.
struct alignas(16) Frame {
  float low_y, low_x, high_y, high_x;
};

/// A row is one class of one image. Its kept boxes lie best first at row * most.
struct NmsParams {
  const float* boxes;   ///< [images][candidates][4]
  const float* scores;  ///< [rows][candidates]
  int* kept;
  Frame* frames;     ///< of the kept
  int* counts;       ///< how many are kept of each row
  long long* out;    ///< [kept of all rows][image, class, box]
  long long* count;  ///< how many are kept of all rows
  double overlap;    ///< more than this of their union is too much
  float score;       ///< candidates have more
  int candidates, classes, rows;
  int most;  ///< of a row that are kept
};

}  // namespace dlaexec::gpu
