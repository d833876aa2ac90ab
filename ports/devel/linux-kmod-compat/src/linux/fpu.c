// SPDX-License-Identifier: BSD-2-Clause
/*
 * The FPU state of guests, in save areas of the standard format.
 *
 * While a guest's state is to be in the registers, current->lx_fpu points to
 * it; TIF_NEED_FPU_LOAD says that it is not there at the moment.  Guests and
 * their managers fill the areas, so everything that XRSTOR would fault on is
 * refused when it comes in: unknown components, reserved header bytes, reserved
 * bits of MXCSR.
 */
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/errno.h>
#include <linux/slab.h>
#include <asm/cpuid.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/cpufeature.h>
#include <uapi/asm/kvm.h>
#include <lkc/block.h>
#include "lkc_bridge.h"

unsigned int mxcsr_feature_mask __read_mostly;

static struct lkc_fpu_info info;
static u64 components;		/* that guests may have; 0: FXSAVE only */
static struct {
	u32	offset, size;	/* in the standard format */
} layout[XFEATURE_MAX];

#define HEADER_OFFSET	offsetof(struct xregs_state, header)
#define FXSAVE_SIZE	512
/* PKRU is KVM's own matter: it is switched with the guest, not with the FPU. */
#define SUPPORTED	(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | \
    XFEATURE_MASK_BNDREGS | XFEATURE_MASK_BNDCSR | XFEATURE_MASK_AVX512)

void lx_fpu_init(void)
{
	u32 eax, ebx, ecx, edx;
	unsigned int i;

	lkc_fpu_info(&info);
	mxcsr_feature_mask = info.mxcsr_mask;
	components = info.xcr0 & SUPPORTED;
	for (i = 2; i < XFEATURE_MAX; i++) {
		if (!(info.xcr0 & BIT_ULL(i)))
			continue;
		cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
		layout[i].size = eax;
		layout[i].offset = ebx;
	}
}

/* --- registers ---------------------------------------------------------- */

static void save(struct fpstate *fps)
{
	if (components)
		asm volatile("xsave64 %0" : "+m" (fps->regs.xsave) :
		    "a" ((u32)components), "d" ((u32)(components >> 32)) : "memory");
	else
		asm volatile("fxsave64 %0" : "=m" (fps->regs.fxsave));
}

static void restore(struct fpstate *fps)
{
	if (components)
		asm volatile("xrstor64 %0" :: "m" (fps->regs.xsave),
		    "a" ((u32)components), "d" ((u32)(components >> 32)) : "memory");
	else
		asm volatile("fxrstor64 %0" :: "m" (fps->regs.fxsave));
}

static void load(void)
{
	lkc_fpu_take();
	restore(current->lx_fpu->fpstate);
	clear_thread_flag(TIF_NEED_FPU_LOAD);
}

void lx_fpu_put(void)
{
	save(current->lx_fpu->fpstate);
	lkc_fpu_drop();
	set_thread_flag(TIF_NEED_FPU_LOAD);
}

void switch_fpu_return(void)
{
	if (WARN_ON_ONCE(!current->lx_fpu))
		return;
	load();
}

int fpu_swap_kvm_fpstate(struct fpu_guest *gfpu, bool enter_guest)
{
	preempt_disable();
	if (enter_guest) {
		current->lx_fpu = gfpu;
		load();
	} else {
		if (!test_thread_flag(TIF_NEED_FPU_LOAD))
			lx_fpu_put();
		clear_thread_flag(TIF_NEED_FPU_LOAD);
		current->lx_fpu = NULL;
	}
	gfpu->fpstate->in_use = enter_guest;
	preempt_enable();
	return 0;
}

/* --- save areas --------------------------------------------------------- */

bool fpu_alloc_guest_fpstate(struct fpu_guest *gfpu)
{
	size_t size = offsetof(struct fpstate, regs) + max_t(u32, info.size,
	    sizeof(struct xregs_state));
	struct fpstate *fps;

	fps = LX_BLOCKING(lkc_malloc(size, 64, LKC_M_WAIT | LKC_M_ZERO));
	if (!fps)
		return false;
	fps->size = fps->user_size = max_t(u32, info.size, FXSAVE_SIZE);
	fps->xfeatures = fps->user_xfeatures = components ? components : XFEATURE_MASK_FPSSE;
	fps->is_guest = true;
	fps->regs.fxsave.cwd = 0x37f;
	fps->regs.fxsave.mxcsr = MXCSR_DEFAULT;
	gfpu->fpstate = fps;
	gfpu->xfeatures = fps->xfeatures;
#if LX_RELEASE < 702
	gfpu->perm = fps->xfeatures;
#endif
	gfpu->uabi_size = max_t(u32, sizeof(struct kvm_xsave), info.size);
	return true;
}

void fpu_free_guest_fpstate(struct fpu_guest *gfpu)
{
	kfree(gfpu->fpstate);
	gfpu->fpstate = NULL;
}

void fpstate_clear_xstate_component(struct fpstate *fps, unsigned int xfeature)
{
	if (xfeature >= 2 && xfeature < XFEATURE_MAX && (components & BIT_ULL(xfeature)))
		memset((char *)&fps->regs + layout[xfeature].offset, 0,
		    layout[xfeature].size);
}

void fpu_copy_guest_fpstate_to_uabi(struct fpu_guest *gfpu, void *buf,
    unsigned int size, u64 xfeatures, u32 pkru)
{
	union fpregs_state *to = buf, *from = &gfpu->fpstate->regs;
	u64 present;
	unsigned int i;

	memset(buf, 0, size);
	memcpy(&to->fxsave, &from->fxsave, FXSAVE_SIZE);
	if (!components) {
		to->xsave.header.xfeatures = XFEATURE_MASK_FPSSE;
		return;
	}
	/* What is not in the area is in its initial state. */
	if (!(from->xsave.header.xfeatures & XFEATURE_MASK_FP)) {
		memset(&to->fxsave, 0, offsetof(struct fxregs_state, mxcsr));
		to->fxsave.cwd = 0x37f;
		memset(to->fxsave.st_space, 0, sizeof(to->fxsave.st_space));
	}
	if (!(from->xsave.header.xfeatures & XFEATURE_MASK_SSE))
		memset(to->fxsave.xmm_space, 0, sizeof(to->fxsave.xmm_space));
	/* Linux leaves these bytes of the legacy area to software: 0. */
	memset((char *)buf + 464, 0, 48);

	present = from->xsave.header.xfeatures & xfeatures & components;
	for (i = 2; i < XFEATURE_MAX; i++) {
		if (!(present & BIT_ULL(i)) || layout[i].offset + layout[i].size > size)
			continue;
		memcpy((char *)buf + layout[i].offset, (char *)from + layout[i].offset,
		    layout[i].size);
	}
	if ((xfeatures & XFEATURE_MASK_PKRU) && layout[XFEATURE_PKRU].size &&
	    layout[XFEATURE_PKRU].offset + sizeof(pkru) <= size) {
		memcpy((char *)buf + layout[XFEATURE_PKRU].offset, &pkru, sizeof(pkru));
		present |= XFEATURE_MASK_PKRU;
	}
	to->xsave.header.xfeatures = present | XFEATURE_MASK_FPSSE;
}

static bool header_is_clean(const struct xstate_header *header)
{
	unsigned int i;

	if (header->xcomp_bv)
		return false;
	for (i = 0; i < ARRAY_SIZE(header->reserved); i++)
		if (header->reserved[i])
			return false;
	return true;
}

int fpu_copy_uabi_to_guest_fpstate(struct fpu_guest *gfpu, const void *buf, u64 xcr0,
    u32 *vpkru)
{
	const union fpregs_state *from = buf;
	union fpregs_state *to = &gfpu->fpstate->regs;
	u64 present = from->xsave.header.xfeatures;
	unsigned int i;

	if (from->fxsave.mxcsr & ~mxcsr_feature_mask)
		return -EINVAL;
	if (!components) {
		if (present & ~XFEATURE_MASK_FPSSE)
			return -EINVAL;
		memcpy(&to->fxsave, &from->fxsave, FXSAVE_SIZE);
		return 0;
	}
	if (present & ~xcr0 || present & ~(components | XFEATURE_MASK_PKRU) ||
	    !header_is_clean(&from->xsave.header))
		return -EINVAL;

	memcpy(&to->fxsave, &from->fxsave, FXSAVE_SIZE);
	for (i = 2; i < XFEATURE_MAX; i++)
		if (present & components & BIT_ULL(i))
			memcpy((char *)to + layout[i].offset,
			    (const char *)buf + layout[i].offset, layout[i].size);
	to->xsave.header.xfeatures = present & components;
	if (vpkru && (present & XFEATURE_MASK_PKRU))
		memcpy(vpkru, (const char *)buf + layout[XFEATURE_PKRU].offset,
		    sizeof(*vpkru));
	return 0;
}

/* --- permissions: no dynamically enabled components (AMX) ---------------- */

u64 xstate_get_guest_group_perm(void)
{
	return info.xcr0 & (SUPPORTED | XFEATURE_MASK_PKRU);
}

int fpu_enable_guest_xfd_features(struct fpu_guest *gfpu, u64 xfeatures)
{
	return xfeatures & ~gfpu->xfeatures ? -EPERM : 0;
}

/* Only called with X86_FEATURE_XFD, which is never set. */
void fpu_update_guest_xfd(struct fpu_guest *gfpu, u64 xfd)
{
	WARN_ON_ONCE(xfd);
}

void fpu_sync_guest_vmexit_xfd_state(void) {}
