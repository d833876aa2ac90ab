/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _LKC_LINUX_PROFILE_H_
#define	_LKC_LINUX_PROFILE_H_

#define KVM_PROFILING		4
#define prof_on			0
#define profile_hit(type, ip)	do { (void)(ip); } while (0)

#endif
