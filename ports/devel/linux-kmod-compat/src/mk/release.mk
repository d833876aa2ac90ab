# SPDX-License-Identifier: BSD-2-Clause
#
# The Linux release that LINUX holds, for makefiles and (as a macro) sources:
#
#	LX_RELEASE	612 for Linux 6.12, 702 for 7.2
#
# It is told by a header that came between the two, as a slim distfile does not
# have Linux's Makefile with the numbers.

.if exists(${LINUX}/arch/x86/include/asm/virt.h)
LX_RELEASE=	702
.else
LX_RELEASE=	612
.endif
