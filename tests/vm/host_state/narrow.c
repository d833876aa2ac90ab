/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A 32-bit program without libraries that looks at its registers for ever, and
 * exits when one is not as it was.
 */

#define	SYS_exit	1
#define	SYS_getpid	20
#define	SYS_sysarch	165
#define	SYS_sched_yield	331
#define	I386_SET_GSBASE	10

static int
call(int number, int a, void *b)
{
	int result;

	__asm__ volatile ("pushl %3; pushl %2; pushl $0; int $0x80;"
	    "addl $12, %%esp" :
	    "=a" (result) : "0" (number), "r" (a), "r" (b) : "memory", "cc");
	return (result);
}

void
_start(void)
{
	static unsigned int word = 0x600df00d, *base = &word;
	unsigned int ds, now, seen, value;
	unsigned short mode = 0x0f7f, x87;
	float number = 1234.5f, result;
	int pid;

	call(SYS_sysarch, I386_SET_GSBASE, &base);
	__asm__ volatile ("mov %%ds, %0" : "=r" (ds));
	__asm__ volatile ("fldcw %0; flds %1" : : "m" (mode), "m" (number));
	pid = call(SYS_getpid, 0, (void *)0);
	for (;;) {
		__asm__ volatile ("mov %%ds, %0" : "=r" (now));
		__asm__ volatile ("movl %%gs:0, %0" : "=r" (seen));
		__asm__ volatile ("fnstcw %0; fsts %1" : "=m" (x87), "=m" (result));
		value = call(SYS_getpid, 0, (void *)0);
		if (now != ds || seen != word || x87 != mode ||
		    result != number || value != (unsigned int)pid)
			call(SYS_exit, 1, (void *)0);
		call(SYS_sched_yield, 0, (void *)0);
	}
}
