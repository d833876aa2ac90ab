# SPDX-License-Identifier: BSD-2-Clause
#
# What bsd.kmod.mk does, for hosts that do not have it.  Set LKC_CROSS, and
#
#	FREEBSD_VERSION	__FreeBSD_version to build for, like 1400097
#	FREEBSD_INCS	directories with FreeBSD's installed headers, in order
# or
#	SYSDIR		FreeBSD's sys directory
#	KERNBUILDDIR	where that kernel was configured (opt_*.h, *_if.h, machine)
#
# DEBUG_KERNEL=yes builds for a kernel with INVARIANTS and WITNESS; with
# KERNBUILDDIR its own options decide.

HOST_CFLAGS=	--target=x86_64-unknown-freebsd -O2 -pipe -std=gnu11 -nostdinc \
		-D_KERNEL -DKLD_MODULE -DSMP -fno-strict-aliasing -fno-common \
		-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer \
		-mcmodel=kernel -mno-red-zone -mno-mmx -mno-sse -msoft-float \
		-fno-asynchronous-unwind-tables -ffreestanding -fwrapv \
		-fno-stack-protector ${HOST_INCS:S,^,-I,}
HOST_WARNS=	-Wall -Werror -Wredundant-decls -Wnested-externs \
		-Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
		-Wcast-qual -Wundef -Wno-pointer-sign \
		-Wno-address-of-packed-member

.if defined(SYSDIR)
HOST_CFLAGS:=	${HOST_CFLAGS:N-DSMP} -DHAVE_KERNEL_OPTION_HEADERS \
		-include ${KERNBUILDDIR}/opt_global.h -I${KERNBUILDDIR} \
		-I${SYSDIR} -I${SYSDIR}/contrib/ck/include
.elif defined(FREEBSD_INCS) && defined(FREEBSD_VERSION)
HOST_CFLAGS+=	-D__FreeBSD_version=${FREEBSD_VERSION} \
		${FREEBSD_INCS:S,^,-isystem ,}
.  if ${DEBUG_KERNEL:Uno} == "yes"
HOST_CFLAGS+=	-DINVARIANTS -DINVARIANT_SUPPORT -DWITNESS
.  endif
.else
.error lkc.cross.mk: set SYSDIR and KERNBUILDDIR, or FREEBSD_INCS and FREEBSD_VERSION
.endif

.for s in ${HOST_SRCS}
HOST_OBJS+=	${s:T:R}.o
${s:T:R}.o: $s
	${CC} ${HOST_CFLAGS} ${HOST_WARNS} -MD -MF ${.TARGET:R}.d -MT ${.TARGET} \
	    -c $s -o ${.TARGET}
.dinclude "${.OBJDIR}/${s:T:R}.d"
.endfor

.MAIN: ${KMOD}.ko

# As EXPORT_SYMS=NO of bsd.kmod.mk: no symbol stays global.
${KMOD}.ko: ${HOST_OBJS} ${LX_SIDE}
	${LD} -r -d -o ${.TARGET}.all ${HOST_OBJS} ${LX_SIDE}
	${OBJCOPY} --keep-global-symbol=no_symbol_is_exported ${.TARGET}.all ${.TARGET}
	rm ${.TARGET}.all

clean:
	rm -rf ${CLEANFILES} ${CLEANDIRS} ${HOST_OBJS} ${HOST_OBJS:.o=.d} ${KMOD}.ko
