// The whole public API.
#pragma once

#include "dlaexec/builder.h"
#include "dlaexec/calibrator.h"
#include "dlaexec/network.h"
#include "dlaexec/parser.h"
#include "dlaexec/runtime.h"
#include "dlaexec/types.h"
