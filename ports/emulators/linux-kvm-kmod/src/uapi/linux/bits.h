/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Masks, as KVM's headers use them.
 */
#ifndef _LINUX_KVM_UAPI_BITS_H_
#define	_LINUX_KVM_UAPI_BITS_H_

#define	__GENMASK_ULL(high, low)					\
	((~0ULL << (low)) & (~0ULL >> (63 - (high))))

#endif /* !_LINUX_KVM_UAPI_BITS_H_ */
