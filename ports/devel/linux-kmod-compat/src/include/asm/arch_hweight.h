/* SPDX-License-Identifier: BSD-2-Clause */
/* The assembly __sw_hweight*() have their own calling convention; C does not. */
#include <asm-generic/bitops/arch_hweight.h>
