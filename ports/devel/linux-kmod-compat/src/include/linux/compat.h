/* SPDX-License-Identifier: BSD-2-Clause */
/* 32-bit processes are refused by the FreeBSD side. */
#define is_compat_task()	false
