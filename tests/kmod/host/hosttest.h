/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the test module and its client agree on.  Commands are encoded as the
 * products' are: _IOC(IOC_VOID, group, nr, 0).
 */
#ifndef _HOSTTEST_H_
#define	_HOSTTEST_H_

#define	HT_CMD(nr)	(0x20000000ul | 'T' << 8 | (nr))

/* Run kernel test N; 0, or ENOENT after the last. */
#define	HT_RUN		0x00
/* A new descriptor with one page to map; arg: 1 for close-on-exec. */
#define	HT_MKFD		0x01
/* Reserve a descriptor and give it up again. */
#define	HT_CANCEL	0x02
/* How many objects of the module exist. */
#define	HT_OBJECTS	0x03
/* Overwrite all FPU registers in a taken FPU. */
#define	HT_FPU		0x04
/* Hold the page at arg for writing, put a mark in it, let it go. */
#define	HT_POKE		0x05
/* Children shall not inherit the page at arg. */
#define	HT_NOFORK	0x06
/* Copy from arg without faults; compare and exchange at arg, 1 to 2. */
#define	HT_NOFAULT	0x07
#define	HT_CAS		0x08
/* eventfd arg: signal 3, take, watch, count of calls, unwatch, on or off, closed? */
#define	HT_EV_SIGNAL	0x10
#define	HT_EV_TAKE	0x11
#define	HT_EV_WATCH	0x12
#define	HT_EV_CALLS	0x13
#define	HT_EV_UNWATCH	0x14
#define	HT_EV_SWITCH	0x15
#define	HT_EV_DESERTED	0x16
/* Map a page into the process; -> address.  Unmap it. */
#define	HT_MAP		0x20
#define	HT_UNMAP	0x21
/* Remember the address space; 1 if it is the caller's.  Hold page arg of it. */
#define	HT_MM_KEEP	0x30
#define	HT_MM_SAME	0x31
#define	HT_MM_HOLD	0x32
/* Sleep interruptibly until a signal; EINTR. */
#define	HT_SLEEP	0x33

#define	HT_MARK		0x6d61726bu
#define	HT_LOAD_MAGIC	0x706167650000ull

#endif /* !_HOSTTEST_H_ */
