/* SPDX-License-Identifier: BSD-2-Clause */
/* No exception tables: see asm/asm.h. */
