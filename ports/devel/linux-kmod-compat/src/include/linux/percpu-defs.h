/* SPDX-License-Identifier: BSD-2-Clause */
/* Static per-CPU data in a section with a C name, which the linker of FreeBSD delimits. */
#ifndef _LKC_LINUX_PERCPU_DEFS_H_
#define	_LKC_LINUX_PERCPU_DEFS_H_

#define PER_CPU_BASE_SECTION	"lx_percpu"
#include_next <linux/percpu-defs.h>
#undef PER_CPU_SHARED_ALIGNED_SECTION
#undef PER_CPU_ALIGNED_SECTION
#undef PER_CPU_FIRST_SECTION
#define PER_CPU_SHARED_ALIGNED_SECTION	""
#define PER_CPU_ALIGNED_SECTION		""
#define PER_CPU_FIRST_SECTION		""
/* All flavours go to the one section. */
#undef DECLARE_PER_CPU_SECTION
#undef DEFINE_PER_CPU_SECTION
#define DECLARE_PER_CPU_SECTION(type, name, sec)			\
	extern __percpu __section("lx_percpu") __typeof__(type) name
#define DEFINE_PER_CPU_SECTION(type, name, sec)				\
	__percpu __section("lx_percpu") __typeof__(type) name

#endif
