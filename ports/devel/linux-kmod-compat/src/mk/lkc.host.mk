# SPDX-License-Identifier: BSD-2-Clause
#
# Compile the FreeBSD side and link the module: KMOD, of HOST_SRCS with the
# headers in HOST_INCS, and of the object LX_SIDE if there is one.  lkc.mk
# includes this; so does a module that has no Linux side.

.if defined(LKC_CROSS)
.include "lkc.cross.mk"
.else
.PATH: ${HOST_SRCS:H:u}
SRCS+=		${HOST_SRCS:T}
CFLAGS+=	${HOST_INCS:S,^,-I,}
OBJS+=		${LX_SIDE}
EXPORT_SYMS=	NO
# clang 14 reads the guard of the stack protector through relocations that kldload refuses.
MK_SSP=		no
.include <bsd.kmod.mk>
.endif
