/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DIV and IDIV of x86 in C, without ever executing one that could fault.
 */
#ifndef _LKC_X86_DIV_H_
#define	_LKC_X86_DIV_H_

/*
 * Divide as DIV does.  bytes: operand size (1, 2, 4, 8).  The dividend is
 * *acc with 16 bits for size 1, else *hi:*acc, each of operand size; bits above
 * are ignored.  On success the quotient is in *acc and the remainder in *hi
 * (for size 1 in bits 8 to 15 of *acc).  False: the instruction raises #DE,
 * nothing is written.
 */
static inline _Bool x86_div(unsigned int bytes, unsigned long divisor,
    unsigned long *acc, unsigned long *hi)
{
	unsigned int bits = bytes * 8;
	unsigned long mask = bits == 64 ? ~0UL : (1UL << bits) - 1;
	unsigned long high, low, q, r;

	divisor &= mask;
	if (bytes == 1)
		high = (*acc >> 8) & mask;
	else
		high = *hi & mask;
	low = *acc & mask;
	/* high < divisor: neither zero nor a quotient that does not fit. */
	if (high >= divisor)
		return 0;
	if (bits == 64) {
		__asm__("divq %4" : "=a" (q), "=d" (r)
		    : "0" (low), "1" (high), "r" (divisor) : "cc");
	} else {
		low |= high << bits;
		q = low / divisor;
		r = low % divisor;
	}
	if (bytes == 1) {
		*acc = q | r << 8;
	} else {
		*acc = q;
		*hi = r;
	}
	return 1;
}

/* The same as IDIV does: truncating, the remainder has the dividend's sign. */
static inline _Bool x86_idiv(unsigned int bytes, unsigned long divisor,
    unsigned long *acc, unsigned long *hi)
{
	unsigned int bits = bytes * 8;
	unsigned long mask = bits == 64 ? ~0UL : (1UL << bits) - 1;
	unsigned long sign = 1UL << (bits - 1);
	unsigned long high, low, mag[2], q, r;
	_Bool nneg, dneg;

	divisor &= mask;
	if (bytes == 1)
		high = (*acc >> 8) & mask;
	else
		high = *hi & mask;
	low = *acc & mask;

	nneg = (high & sign) != 0;
	dneg = (divisor & sign) != 0;
	if (nneg) {
		low = -low & mask;
		high = (~high + (low == 0)) & mask;
	}
	if (dneg)
		divisor = -divisor & mask;

	mag[0] = bytes == 1 ? low | high << 8 : low;
	mag[1] = high;
	if (!x86_div(bytes, divisor, &mag[0], &mag[1]))
		return 0;
	q = bytes == 1 ? mag[0] & mask : mag[0];
	r = bytes == 1 ? mag[0] >> 8 : mag[1];

	if (q > sign - (nneg == dneg))
		return 0;
	if (nneg != dneg)
		q = -q & mask;
	if (nneg)
		r = -r & mask;
	if (bytes == 1) {
		*acc = q | r << 8;
	} else {
		*acc = q;
		*hi = r;
	}
	return 1;
}

#endif
