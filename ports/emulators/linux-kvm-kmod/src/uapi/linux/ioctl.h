/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Linux's ioctl command macros, for programs that use KVM on FreeBSD.
 *
 * Linux uses direction and size in a command only to tell commands apart;
 * FreeBSD's kernel acts on them and copies the argument.  KVM copies by
 * itself, and often more than the size says.  So KVM's commands are IOC_VOID
 * with size 0, and the direction is added to the group, because some numbers
 * are used in two directions:
 *
 *	_IO	group 0xae
 *	_IOW	group 0xaf
 *	_IOR	group 0xb0
 *	_IOWR	group 0xb1
 *
 * The size is not needed: the kernel side (linux/ioctl.c of the module) knows
 * it from the number and the kind of file.  Other groups keep FreeBSD's
 * encoding, since macros expand where they are used.
 */
#ifndef _LINUX_KVM_UAPI_IOCTL_H_
#define	_LINUX_KVM_UAPI_IOCTL_H_

#include <sys/ioccom.h>

#define	_KVM_UAPI_GROUP	0xae
#define	_KVM_UAPI_IOC(dir, inout, group, num, type)			\
	((group) == _KVM_UAPI_GROUP ?					\
	    _IOC(IOC_VOID, _KVM_UAPI_GROUP + (dir), (num), 0) :		\
	    _IOC((inout), (group), (num), sizeof(type)))

#undef _IOW
#undef _IOR
#undef _IOWR
#define	_IOW(group, num, type)	_KVM_UAPI_IOC(1, IOC_IN, group, num, type)
#define	_IOR(group, num, type)	_KVM_UAPI_IOC(2, IOC_OUT, group, num, type)
#define	_IOWR(group, num, type)	_KVM_UAPI_IOC(3, IOC_INOUT, group, num, type)

#endif /* !_LINUX_KVM_UAPI_IOCTL_H_ */
