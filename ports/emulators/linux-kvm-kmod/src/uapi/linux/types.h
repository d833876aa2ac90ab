/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The types that Linux's user-space headers use.  64 bits are "long long", as
 * there, so that format strings agree.
 */
#ifndef _LINUX_KVM_UAPI_TYPES_H_
#define	_LINUX_KVM_UAPI_TYPES_H_

typedef signed char		__s8;
typedef unsigned char		__u8;
typedef signed short		__s16;
typedef unsigned short		__u16;
typedef signed int		__s32;
typedef unsigned int		__u32;
typedef signed long long	__s64;
typedef unsigned long long	__u64;

typedef __u16	__le16;
typedef __u16	__be16;
typedef __u32	__le32;
typedef __u32	__be32;
typedef __u64	__le64;
typedef __u64	__be64;

#define	__aligned_u64	__u64 __attribute__((__aligned__(8)))

#endif /* !_LINUX_KVM_UAPI_TYPES_H_ */
