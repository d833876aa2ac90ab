/* SPDX-License-Identifier: BSD-2-Clause */
/* Every MSR access can fault without a panic, as in Linux: RDMSR and WRMSR go
 * through FreeBSD's rdmsr_safe() and wrmsr_safe(), and an unexpected fault of a
 * "plain" access is reported once. */
#ifndef _LKC_ASM_MSR_H_
#define	_LKC_ASM_MSR_H_

#define native_read_msr		lx_no_native_read_msr
#define native_read_msr_safe	lx_no_native_read_msr_safe
#define native_write_msr	lx_no_native_write_msr
#define native_write_msr_safe	lx_no_native_write_msr_safe
#define __rdmsr			lx_no___rdmsr
#define __wrmsr			lx_no___wrmsr
#define wrmsr			lx_no_wrmsr
#define wrmsrl			lx_no_wrmsrl
#define wrmsr_safe		lx_no_wrmsr_safe
#define wrmsrl_safe		lx_no_wrmsrl_safe
#define rdmsrl_safe		lx_no_rdmsrl_safe
#define __wrmsrq		lx_no___wrmsrq
#define native_rdmsrq		lx_no_native_rdmsrq
#define wrmsrq			lx_no_wrmsrq
#define wrmsrq_safe		lx_no_wrmsrq_safe
#define rdmsrq_safe		lx_no_rdmsrq_safe
#define wrmsrns			lx_no_wrmsrns
#define rdtsc_ordered		lx_no_rdtsc_ordered
#include_next <asm/msr.h>
#undef native_read_msr
#undef native_read_msr_safe
#undef native_write_msr
#undef native_write_msr_safe
#undef __rdmsr
#undef __wrmsr
#undef native_rdmsr
#undef native_rdmsrl
#undef native_wrmsr
#undef native_wrmsrl
#undef rdmsr
#undef rdmsrl
#undef rdmsr_safe
#undef wrmsr
#undef wrmsrl
#undef wrmsr_safe
#undef wrmsrl_safe
#undef rdmsrl_safe
#undef __wrmsrq
#undef native_rdmsrq
#undef native_wrmsrq
#undef rdmsrq
#undef wrmsrq
#undef wrmsrq_safe
#undef rdmsrq_safe
#undef wrmsrns
#undef rdtsc_ordered

#ifndef __ASSEMBLY__
#if LX_RELEASE < 702	/* in asm/tsc.h */
static __always_inline u64 rdtsc_ordered(void)
{
	barrier_nospec();
	return rdtsc();
}
#endif
int rdmsrl_safe(u32 msr, u64 *value);
int wrmsrl_safe(u32 msr, u64 value);
u64 lx_rdmsr(u32 msr);
void lx_wrmsr(u32 msr, u64 value);

#define rdmsrl(msr, val)	((val) = lx_rdmsr(msr))
#define wrmsrl(msr, val)	lx_wrmsr(msr, val)
#define native_rdmsrl(msr)	lx_rdmsr(msr)
#define native_wrmsrl(msr, val)	lx_wrmsr(msr, val)
#define __rdmsr(msr)		lx_rdmsr(msr)
#define native_read_msr(msr)	lx_rdmsr(msr)

/* The names of later releases. */
#define rdmsrq(msr, val)	rdmsrl(msr, val)
#define wrmsrq(msr, val)	lx_wrmsr(msr, val)
#define wrmsrns(msr, val)	lx_wrmsr(msr, val)
#define native_rdmsrq(msr)	lx_rdmsr(msr)
#define native_wrmsrq(msr, val)	lx_wrmsr(msr, val)
#define rdmsrq_safe(msr, val)	rdmsrl_safe(msr, val)
#define wrmsrq_safe(msr, val)	wrmsrl_safe(msr, val)

#define rdmsr(msr, low, high) do {		\
	u64 __val = lx_rdmsr(msr);		\
	(low) = (u32)__val;			\
	(high) = (u32)(__val >> 32);		\
} while (0)
#define wrmsr(msr, low, high)	lx_wrmsr(msr, (u64)(high) << 32 | (u32)(low))
#define native_write_msr(msr, low, high) wrmsr(msr, low, high)
#define native_wrmsr(msr, low, high)	wrmsr(msr, low, high)

#define rdmsr_safe(msr, low, high) ({		\
	u64 __val = 0;				\
	int __err = rdmsrl_safe(msr, &__val);	\
	*(low) = (u32)__val;			\
	*(high) = (u32)(__val >> 32);		\
	__err;					\
})
static inline int wrmsr_safe(u32 msr, u32 low, u32 high)
{
	return wrmsrl_safe(msr, (u64)high << 32 | low);
}
#if LX_RELEASE >= 702
#define native_read_msr_safe(msr, val)	rdmsrl_safe(msr, val)
#define native_write_msr_safe(msr, val)	wrmsrl_safe(msr, val)
#else
static inline u64 native_read_msr_safe(u32 msr, int *err)
{
	u64 val = 0;

	*err = rdmsrl_safe(msr, &val);
	return val;
}
static inline int native_write_msr_safe(u32 msr, u32 low, u32 high)
{
	return wrmsr_safe(msr, low, high);
}
#endif
#endif

#endif
