/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Marks of Linux's own checker, which mean nothing to a program.
 */
#ifndef _LINUX_KVM_UAPI_COMPILER_H_
#define	_LINUX_KVM_UAPI_COMPILER_H_

#define	__user

#endif /* !_LINUX_KVM_UAPI_COMPILER_H_ */
