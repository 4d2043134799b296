// What the convolution kernels share: reading tiles of the implicit matrix, and the ways out.
#pragma once
#include "conv_direct.cuh"
#include "conv_feed.cuh"
#include "conv_finish.cuh"
