/* SPDX-License-Identifier: BSD-2-Clause */
/* No counters of the host can be given to guests: creation fails and the
 * capability query reports none, so that KVM offers no vPMU. */
#ifndef _LINUX_PERF_EVENT_H
#define	_LINUX_PERF_EVENT_H

#include <uapi/linux/perf_event.h>
#include <linux/types.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/jump_label_ratelimit.h>
#include <linux/seqlock.h>
#include <linux/ktime.h>
/* For struct x86_pmu_capability and what goes with it. */
#define CONFIG_PERF_EVENTS 1
#include <asm/perf_event.h>
#undef CONFIG_PERF_EVENTS

struct task_struct;
struct perf_sample_data;
struct perf_event {
	int	state;
	struct perf_event_attr attr;
	void	*overflow_handler_context;
	struct {
		u64	config;
		int	idx;
	} hw;
};
#define PERF_EVENT_STATE_ACTIVE	1
#define PERF_GUEST_ACTIVE	0x01
#define PERF_GUEST_USER		0x02
struct perf_guest_info_callbacks {
	unsigned int	(*state)(void);
	unsigned long	(*get_ip)(void);
	unsigned int	(*handle_intel_pt_intr)(void);
	void		(*handle_mediated_pmi)(void);
};
typedef void (*perf_overflow_handler_t)(struct perf_event *,
    struct perf_sample_data *, struct pt_regs *);
static inline struct perf_event *perf_event_create_kernel_counter(
    struct perf_event_attr *attr, int cpu, struct task_struct *task,
    perf_overflow_handler_t handler, void *context)
{
	return ERR_PTR(-EOPNOTSUPP);
}
/* No event exists, so none of these is ever called. */
static inline int perf_event_release_kernel(struct perf_event *event)
{
	return 0;
}
static inline u64 perf_event_read_value(struct perf_event *event, u64 *enabled, u64 *running)
{
	return 0;
}
static inline void perf_event_enable(struct perf_event *event) {}
static inline void perf_event_disable(struct perf_event *event) {}
static inline u64 perf_event_pause(struct perf_event *event, bool reset)
{
	return 0;
}
static inline int perf_event_period(struct perf_event *event, u64 value)
{
	return -EOPNOTSUPP;
}
static inline bool is_sampling_event(struct perf_event *event)
{
	return false;
}
/* Nor can the counters be handed over: guests get no mediated PMU, and what
 * follows is never called. */
static inline int perf_create_mediated_pmu(void)
{
	return -EOPNOTSUPP;
}
static inline void perf_release_mediated_pmu(void) {}
static inline void perf_load_guest_context(void) {}
static inline void perf_put_guest_context(void) {}
static inline void perf_load_guest_lvtpc(u32 guest_lvtpc) {}
static inline void perf_put_guest_lvtpc(void) {}
static inline void perf_register_guest_info_callbacks(struct perf_guest_info_callbacks *cbs) {}
static inline void perf_unregister_guest_info_callbacks(struct perf_guest_info_callbacks *cbs) {}

#endif
