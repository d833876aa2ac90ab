/* SPDX-License-Identifier: BSD-2-Clause */
#include "srcu_shim.h"
