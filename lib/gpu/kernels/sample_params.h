// What sample.cu is launched with; read by the host and by the device code.
#pragma once

namespace dlaexec::gpu {

/// All tensors are dense. Grid samples: x [images][channels][in_h][in_w], points [images][out_h]
/// [out_w][2], y [images][channels][out_h][out_w]. Regions: points [regions][4], images [regions],
/// y [regions][channels][out_h][out_w].
struct SampleParams {
  const void* x;
  const void* points;
  const void* images;  ///< regions alone: which image each is of
  void* y;
  long long count;  ///< elements of y
  int all_images, channels, in_h, in_w, out_h, out_w;
  int ratio;      ///< regions: samples along each side of a bin; 0: as many as pixels
  int half;       ///< regions: pixels' centres lie at one half
  float spatial;  ///< regions: pixels of x for one of the coordinates
  float x_scale, y_inverse;
};

}  // namespace dlaexec::gpu
