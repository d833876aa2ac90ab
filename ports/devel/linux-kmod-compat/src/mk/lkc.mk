# SPDX-License-Identifier: BSD-2-Clause
#
# Build a FreeBSD kernel module from a Linux driver and linux-kmod-compat.
# This is the one list of sources and flags: natively bsd.kmod.mk links what it
# makes, elsewhere lkc.cross.mk does (bmake on a host with clang and lld).
#
# A module's Makefile sets, then includes this file:
#
#	KMOD		name of the module
#	LINUX		Linux source tree with the module's series applied
#	LKC		this directory's parent
#	LX_SRCS		upstream sources, relative to LINUX
#	LX_GLUE		the module's own Linux-side sources
#	LX_INCS		its directories with shadow headers and configuration
#	LX_EXPORTS	functions of the Linux side that its FreeBSD side calls
#	HOST_SRCS	its FreeBSD-side sources
#	HOST_INCS	directories with their headers
#	LX_EXTRA_GEN	headers that it generates itself (optional)
#	LX_MODNAME.<dir> KBUILD_MODNAME of upstream sources in <dir> (optional)

.include "release.mk"

# --- what the compatibility layer consists of -------------------------------

LKC_GLUE=	alternative block core cpufeature eventfd files fpu gup lock memory \
		mm param pins pintable printk reaper smp srcu srcu_call timer \
		uaccess workqueue x86_cpu
# Upstream's own, used as it is.
LKC_LIB=	bitmap bsearch ctype find_bit hweight interval_tree kstrtox \
		llist ratelimit rbtree refcount sort string xarray
LKC_HOST=	block copy cpu dev errno eventfd file fpu log mem mm mmap module param \
		rcu sched signal sx task timer watch

LX_SRCS+=	${LKC_LIB:S,^,lib/,:S,$,.c,}
LX_GLUE+=	${LKC_GLUE:S,^,${LKC}/linux/,:S,$,.c,}
HOST_SRCS+=	${LKC_HOST:S,^,${LKC}/freebsd/lkc_,:S,$,.c,}
HOST_INCS+=	${LKC}/bridge ${LKC}/freebsd
LX_EXPORTS+=	lkcl_task_size lkcl_task_init lkcl_task_fini lkcl_init lkcl_exit \
		lkcl_lowmem lkcl_param_count lkcl_param_info lkcl_param_get \
		lkcl_param_set lkcl_dev_open lkcl_file_ioctl \
		lkcl_file_linux_ioctl lkcl_file_read \
		lkcl_file_mmap lkcl_file_mmap_page lkcl_file_release

# --- tools ------------------------------------------------------------------

CC?=		clang
LD?=		ld.lld
OBJCOPY?=	llvm-objcopy
NM?=		llvm-nm

LX_CC_MAJOR!=	${CC} -dumpversion | sed 's/\..*//'

# --- headers that Linux's build would generate ------------------------------

GEN=		${.OBJDIR}/lkc-gen

# Wrappers of asm-generic headers.
LX_ASM_GENERIC=	early_ioremap irq_regs kdebug kmap_size local64 mcs_spinlock \
		mmiowb mmzone module.lds ring_buffer rwonce
LX_UAPI_GENERIC= bpf_perf_event errno fcntl ioctl ioctls ipcbuf param poll \
		resource socket sockios termbits termios types
# Headers of subsystems that are left out: nothing in them is needed.
LX_EMPTY=	linux/context_tracking_irq linux/context_tracking_state \
		linux/cred linux/entry-common linux/fwnode linux/hugetlb \
		linux/hyperv linux/iommu linux/irqdomain linux/kernel_stat \
		linux/mempolicy linux/mm_types_task linux/pagemap linux/pci \
		linux/pseudo_fs linux/psp-sev \
		linux/reboot linux/suspend linux/syscalls linux/sysfs \
		linux/tboot asm/mwait asm/stacktrace asm/switch_to \
		trace/events/ipi trace/define_trace
# Headers that only lead to another one: from=to.
LX_FORWARD=	linux/hrtimer_types=linux/hrtimer linux/mutex_types=linux/mutex \
		linux/mmu_context=asm/mmu_context linux/ptrace=asm/ptrace \
		linux/swap=linux/mm_types linux/trace_events=linux/tracepoint
.if ${LX_RELEASE} >= 702
LX_FORWARD+=	asm/cpuid=asm/cpuid/api
.endif

# A new shadow header changes its directory, and may hide one of upstream's.
LX_SHADOW_DIRS!= find ${LKC}/include ${LX_INCS} -type d

${GEN}/stamp: ${.PARSEDIR}/lkc.mk ${LX_SHADOW_DIRS}
	rm -rf ${GEN}
	mkdir -p ${GEN}/generated ${GEN}/arch/asm ${GEN}/arch/uapi/asm \
	    ${GEN}/shadow/linux ${GEN}/shadow/asm ${GEN}/shadow/trace/events
	for h in ${LX_ASM_GENERIC}; do \
		echo "#include <asm-generic/$$h.h>" > ${GEN}/arch/asm/$$h.h; done
	for h in ${LX_UAPI_GENERIC}; do \
		echo "#include <asm-generic/$$h.h>" > ${GEN}/arch/uapi/asm/$$h.h; done
	for h in ${LX_EMPTY}; do : > ${GEN}/shadow/$$h.h; done
	for h in ${LX_FORWARD}; do \
		echo "#include <$${h#*=}.h>" > ${GEN}/shadow/$${h%=*}.h; done
	# With HZ = 1000 no conversion constants are used.
	: > ${GEN}/generated/timeconst.h
	echo '#define ALT_INSTR_SIZE 14' > ${GEN}/generated/asm-offsets.h
	printf '#define NR_PAGEFLAGS 24\n#define MAX_NR_ZONES 4\n' > ${GEN}/generated/bounds.h
	touch ${.TARGET}

# --- flags of the Linux side ------------------------------------------------

LX_CPPFLAGS=	-U__FreeBSD__ -nostdinc ${LX_INCS:S,^,-I,} -I${LKC}/include \
		-I${GEN}/shadow -I${LKC}/bridge -I${GEN} \
		-I${LINUX}/arch/x86/include -I${GEN}/arch \
		-I${LINUX}/include -I${LINUX}/arch/x86/include/uapi \
		-I${GEN}/arch/uapi -I${LINUX}/include/uapi \
		-include ${LINUX}/include/linux/compiler-version.h \
		-include ${LINUX}/include/linux/kconfig.h \
		-include ${LINUX}/include/linux/compiler_types.h \
		-D__KERNEL__ -DLX_RELEASE=${LX_RELEASE} -fmacro-prefix-map=${LINUX}/=
# No stack protector: its canary is at %gs:40 on Linux, which is FreeBSD's
# pcpu here, and clang 14 emits relocations for it that kldload refuses.
LX_CFLAGS=	--target=x86_64-unknown-freebsd -O2 -std=gnu11 \
		-fshort-wchar -funsigned-char -fno-common -fno-pic -fno-PIE \
		-fno-strict-aliasing -ffreestanding -mno-sse -mno-mmx -mno-sse2 \
		-mno-avx -m64 -mno-80387 -mstack-alignment=8 -mskip-rax-setup \
		-mno-red-zone -mcmodel=kernel -fno-asynchronous-unwind-tables \
		-fno-delete-null-pointer-checks -fno-stack-protector \
		-fno-omit-frame-pointer -fno-strict-overflow -fno-stack-check \
		-falign-functions=16 -ftrivial-auto-var-init=zero
.if ${LX_CC_MAJOR} < 16
LX_CFLAGS+=	-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
.endif
# What upstream's build disables, no more.
LX_WARNS=	-Wall -Werror -Wundef -Wno-sign-compare -Wno-pointer-sign \
		-Wno-unused-but-set-variable -Wno-unused-const-variable \
		-Wno-gnu -Wno-address-of-packed-member -Wno-initializer-overrides \
		-Wno-tautological-constant-out-of-range-compare -Wno-frame-address \
		-Wno-missing-field-initializers

# Upstream has these on, too, but not every configuration passes.
LX_GLUE_WARNS=	-Wmissing-prototypes -Wmissing-declarations

LX_COMPILE=	${CC} ${LX_CPPFLAGS} ${LX_CFLAGS} ${LX_WARNS}

LX_LANG.S=	-D__ASSEMBLY__

# --- objects of the Linux side ----------------------------------------------

LX_READY=	${GEN}/stamp ${LX_EXTRA_GEN}

.for s in ${LX_SRCS}
LX_OBJS+=	lx_${s:S,/,_,g:R}.o
lx_${s:S,/,_,g:R}.o: ${LINUX}/$s ${LX_READY}
	${LX_COMPILE} ${LX_LANG.${s:E}} \
	    -I${LINUX}/${s:H} -DKBUILD_BASENAME='"${s:T:R}"' \
	    -DKBUILD_MODNAME='"${LX_MODNAME.${s:H}:U${KMOD}}"' \
	    -D__KBUILD_MODNAME=kmod_${LX_MODNAME.${s:H}:U${KMOD}} \
	    -MD -MF ${.TARGET:R}.d -MT ${.TARGET} -c ${LINUX}/$s -o ${.TARGET}
.dinclude "${.OBJDIR}/lx_${s:S,/,_,g:R}.d"
.endfor

.for s in ${LX_GLUE}
LX_OBJS+=	lx_glue_${s:H:H:T}_${s:T:R}.o
lx_glue_${s:H:H:T}_${s:T:R}.o: $s ${LX_READY}
	${LX_COMPILE} ${LX_GLUE_WARNS} ${LX_LANG.${s:E}} \
	    -DKBUILD_BASENAME='"${s:T:R}"' -DKBUILD_MODNAME='"${KMOD}"' \
	    -D__KBUILD_MODNAME=kmod_${KMOD} \
	    -MD -MF ${.TARGET:R}.d -MT ${.TARGET} -c $s -o ${.TARGET}
.dinclude "${.OBJDIR}/lx_glue_${s:H:H:T}_${s:T:R}.d"
.endfor

# One object whose only global symbols are those of the bridge.  The others are
# local and get a prefix: FreeBSD's loader resolves a module's undefined symbols
# with the module's own local ones first (debug.link_elf_obj_leak_locals), so
# Linux's fget() would stand in for FreeBSD's.  Sections with tables get names
# that are C identifiers, which the loader finds the ends of.
LX_SIDE=	lx_${KMOD}_side.o

${LX_SIDE}: ${LX_OBJS}
	${LD} -r -o ${.TARGET}.all ${LX_OBJS}
	${NM} --defined-only ${.TARGET}.all | \
	    awk '$$3 !~ /^(lx_|lkcl_|kvml_|__lx_)/ && !seen[$$3]++ \
	    { print $$3, "lx_" $$3 }' > ${.TARGET}.names
	${OBJCOPY} --rename-section .altinstructions=lx_altinstructions \
	    --remove-section .llvm_addrsig --remove-section .comment \
	    --redefine-syms=${.TARGET}.names \
	    ${LX_EXPORTS:S,^,--keep-global-symbol=,} ${.TARGET}.all ${.TARGET}
	rm ${.TARGET}.all

CLEANFILES+=	${LX_OBJS} ${LX_OBJS:.o=.d} ${LX_SIDE} ${LX_SIDE}.names
CLEANDIRS+=	${GEN}

.include "lkc.host.mk"
