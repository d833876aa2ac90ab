/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Flexible arrays in unions, as KVM's headers use them.
 */
#ifndef _LINUX_KVM_UAPI_STDDEF_H_
#define	_LINUX_KVM_UAPI_STDDEF_H_

#define	__DECLARE_FLEX_ARRAY(type, name)				\
	struct {							\
		struct { } __empty_ ## name;				\
		type name[];						\
	}

#endif /* !_LINUX_KVM_UAPI_STDDEF_H_ */
