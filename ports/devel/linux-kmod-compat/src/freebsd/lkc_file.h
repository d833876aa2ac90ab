/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The way from an ioctl(2) to the Linux side, shared by descriptors and the
 * character device.
 */
#ifndef _LKC_FILE_H_
#define	_LKC_FILE_H_

int	lkc_ioctl(void *lfile, u_long com, caddr_t data, struct thread *td);

#endif /* !_LKC_FILE_H_ */
