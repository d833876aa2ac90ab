/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace points compile to nothing. */
#ifndef _LINUX_TRACEPOINT_H
#define	_LINUX_TRACEPOINT_H

#include <linux/types.h>
#include <linux/cpumask.h>
#define PARAMS(args...)		args
#define TP_PROTO(args...)	args
#define TP_ARGS(args...)	args
#define TP_CONDITION(args...)	args
#define EXPORT_TRACEPOINT_SYMBOL_GPL(name)
#define DECLARE_TRACE(name, proto, args)				\
static inline void trace_##name(proto) {}				\
static inline bool trace_##name##_enabled(void)				\
{									\
	return false;							\
}
#define TRACE_EVENT(name, proto, args, str, assign, print)		\
	DECLARE_TRACE(name, PARAMS(proto), PARAMS(args))
#define TRACE_EVENT_CONDITION(name, proto, args, cond, str, assign, print) \
	DECLARE_TRACE(name, PARAMS(proto), PARAMS(args))
#define TRACE_EVENT_FN(name, proto, args, str, assign, print, reg, unreg) \
	DECLARE_TRACE(name, PARAMS(proto), PARAMS(args))
#define DECLARE_EVENT_CLASS(name, proto, args, str, assign, print)
#define DEFINE_EVENT(class, name, proto, args)				\
	DECLARE_TRACE(name, PARAMS(proto), PARAMS(args))
#define TRACE_DEFINE_ENUM(x)

#endif
