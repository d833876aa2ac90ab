/* SPDX-License-Identifier: BSD-2-Clause */
#define CALLER_ADDR0	((unsigned long)__builtin_return_address(0))
