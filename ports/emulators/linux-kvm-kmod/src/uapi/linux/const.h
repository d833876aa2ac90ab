/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Constants with a type in C, as KVM's headers use them.
 */
#ifndef _LINUX_KVM_UAPI_CONST_H_
#define	_LINUX_KVM_UAPI_CONST_H_

#define	_BITUL(n)	(1UL << (n))
#define	_BITULL(n)	(1ULL << (n))

#endif /* !_LINUX_KVM_UAPI_CONST_H_ */
