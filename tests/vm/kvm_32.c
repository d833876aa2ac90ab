/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A 32-bit program without libraries: /dev/kvm cannot be opened (ENODEV), and a
 * descriptor of it that was passed on (its number is the argument) takes no
 * ioctl (EINVAL).  Exits with 0 when both are so, else with what happened.
 */

#define	SYS_exit	1
#define	SYS_open	5
#define	SYS_ioctl	54
#define	EINVAL		22
#define	ENODEV		19

/* errno, or 0. */
static int
call(int number, int a, int b, int c)
{
	int result;
	char failed;

	__asm__ volatile ("pushl %4; pushl %3; pushl %2; pushl $0;"
	    "int $0x80; setc %1; addl $16, %%esp" :
	    "=a" (result), "=qm" (failed) :
	    "r" (a), "r" (b), "r" (c), "0" (number) : "memory", "cc");
	return (failed ? result : 0);
}

void
start(char *number)
{
	int error;

	error = call(SYS_open, (int)"/dev/kvm", 2, 0);
	if (error == ENODEV)
		error = call(SYS_ioctl, number[0] - '0', 0x2000ae00, 0) -
		    EINVAL;
	call(SYS_exit, error, 0, 0);
}

/* On the stack: argc, argv[0], argv[1]. */
__asm__(".globl _start\n_start: movl 8(%esp), %eax; pushl %eax; call start");
