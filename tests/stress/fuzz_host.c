/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a process can do to its memory, descriptors and itself while virtual
 * machines use them.
 */
#include <sys/param.h>
#include <sys/event.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "fuzz.h"

/* Map a descriptor in odd ways, use the mapping, leave it half the time. */
void
op_map(struct worker *w)
{
	volatile uint8_t *p;
	size_t len;
	off_t offset;
	int fd, flags, prot;

	fd = any_fd(w, one_in(w, 6) ? below(w, KINDS) : VCPU);
	len = one_in(w, 8) ? odd_number(w) & 0xffffff : (1 + below(w, 8)) * PAGE;
	offset = one_in(w, 2) ? 0 : one_in(w, 3) ? (off_t)odd_number(w) :
	    (off_t)below(w, 80) * PAGE;
	prot = below(w, 8);
	flags = one_in(w, 4) ? MAP_PRIVATE : MAP_SHARED;
	say(w, "mmap(%zx, %d, %d, %d, %jx)", len, prot, flags, fd,
	    (intmax_t)offset);
	atomic_fetch_add(&totals->maps, 1);
	p = mmap(NULL, len, prot, flags, fd, offset);
	if (p == MAP_FAILED)
		return;
	w->can_recover = true;
	if (sigsetjmp(w->recover, 1) == 0) {
		switch (below(w, 6)) {
		case 0:
			(void)mprotect((void *)(uintptr_t)p, PAGE, below(w, 8));
			break;
		case 1:
			(void)mlock((void *)(uintptr_t)p, len);
			break;
		case 2:
			(void)madvise((void *)(uintptr_t)p, len, below(w, 12));
			break;
		case 3:
			(void)minherit((void *)(uintptr_t)p, len, below(w, 4));
			break;
		}
		if (one_in(w, 2))
			p[below(w, len)] = rnd(w);
		else
			(void)p[below(w, len)];
	}
	w->can_recover = false;
	if (one_in(w, 8))
		(void)msync((void *)(uintptr_t)p, len, MS_SYNC);
	(void)munmap((void *)(uintptr_t)p, one_in(w, 8) ? PAGE : len);
}

/* Guest memory changes under the guest. */
void
op_arena(struct worker *w)
{
	uint8_t *p;
	size_t len;
	int flags;

	p = (one_in(w, 3) ? st.file : st.arena) + below(w, ARENA / PAGE) * PAGE;
	len = MIN((1 + below(w, 64)) * PAGE,
	    (p >= st.file && p < st.file + ARENA ? st.file : st.arena) + ARENA - p);
	flags = MAP_FIXED | MAP_ANON | (one_in(w, 2) ? MAP_PRIVATE : MAP_SHARED);
	switch (below(w, 10)) {
	case 0:
		say(w, "munmap(%p, %zx)", p, len);
		(void)munmap(p, len);
		/* FALLTHROUGH */
	case 1:
		say(w, "mmap(%p, %zx)", p, len);
		(void)mmap(p, len, PROT_READ | PROT_WRITE, flags, -1, 0);
		break;
	case 2:
		say(w, "mmap(%p, %zx) of the file", p, len);
		(void)mmap(p, len, PROT_READ | PROT_WRITE, MAP_FIXED |
		    (one_in(w, 2) ? MAP_SHARED : MAP_PRIVATE), st.file_fd, 0);
		break;
	case 3:
		say(w, "mprotect(%p, %zx)", p, len);
		(void)mprotect(p, len, below(w, 4));
		break;
	case 4:
		say(w, "mprotect(%p, %zx, rw)", p, len);
		(void)mprotect(p, len, PROT_READ | PROT_WRITE);
		break;
	case 5:
		say(w, "madvise(%p, %zx)", p, len);
		(void)madvise(p, len, one_in(w, 2) ? MADV_FREE : MADV_DONTNEED);
		break;
	case 6:
		say(w, "mlock(%p, %zx)", p, len);
		(void)mlock(p, len);
		break;
	case 7:
		say(w, "munlock(%p, %zx)", p, len);
		(void)munlock(p, len);
		break;
	case 8:
		say(w, "ftruncate");
		(void)ftruncate(st.file_fd, below(w, 2) * ARENA);
		(void)ftruncate(st.file_fd, ARENA);
		break;
	default:
		say(w, "minherit(%p, %zx)", p, len);
		(void)minherit(p, len, below(w, 4));
		break;
	}
}

/* To ourselves through a socket; sometimes it stays in the queue. */
static void
pass(struct worker *w, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { &control, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	if (sendmsg(pair[0], &msg, 0) >= 0 && !one_in(w, 3) &&
	    recvmsg(pair[1], &msg, MSG_DONTWAIT) >= 0 &&
	    msg.msg_controllen >= CMSG_LEN(sizeof(int))) {
		memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
		take_fd(w, OTHER, fd);
	}
	(void)close(pair[0]);
	(void)close(pair[1]);
}

void
op_descriptor(struct worker *w)
{
	static const int requests[] = {
		F_GETFD, F_SETFD, F_GETFL, F_GETOWN, F_SETOWN,
		F_DUPFD_CLOEXEC, F_ISUNIONSTACK, F_ADD_SEALS, F_GET_SEALS,
		F_RDAHEAD, F_READAHEAD, F_GETLK, F_KINFO,
	};
	struct kevent kev;
	struct pollfd pfd;
	struct stat sb;
	enum kind kind;
	uint8_t buf[512];
	long cmd;
	int at, fd, kq;

	kind = below(w, KINDS);
	at = below(w, FDS);
	fd = any_fd(w, kind);
	switch (below(w, 14)) {
	default:
		fd = atomic_exchange(&st.fd[kind][at], -1);
		say(w, "close(%d)", fd);
		if (fd >= 0)
			(void)close(fd);
		break;
	case 5:
		say(w, "dup(%d)", fd);
		take_fd(w, kind, dup(fd));
		break;
	case 6:
		cmd = PICK(w, requests);
		say(w, "fcntl(%d, %ld)", fd, cmd);
		take_fd(w, OTHER, cmd == F_DUPFD_CLOEXEC ? fcntl(fd, cmd, 3) :
		    (fcntl(fd, cmd, one_in(w, 2) ? (uintptr_t)&buf : 0), -1));
		break;
	case 7:
		say(w, "pass(%d)", fd);
		pass(w, fd);
		break;
	case 8:
		say(w, "read(%d)", fd);
		if (kind != EVENT && kind != OTHER)
			(void)pread(fd, one_in(w, 4) ? (void *)odd_address(w) :
			    buf, one_in(w, 4) ? odd_number(w) & 0xffff :
			    sizeof(buf), one_in(w, 2) ? 0 : odd_number(w));
		break;
	case 9:
		say(w, "write(%d)", fd);
		if (kind != EVENT && kind != OTHER)
			(void)write(fd, buf, sizeof(buf));
		break;
	case 10:
		say(w, "fstat, lseek, fchmod, ftruncate(%d)", fd);
		(void)fstat(fd, &sb);
		(void)lseek(fd, odd_number(w), below(w, 3));
		if (kind != OTHER) {
			(void)fchmod(fd, 0600);
			(void)ftruncate(fd, odd_number(w));
		}
		break;
	case 11:
		say(w, "kqueue of %d", fd);
		kq = kqueue();
		EV_SET(&kev, fd, -1 - (int)below(w, 13), EV_ADD, 0, 0, NULL);
		(void)kevent(kq, &kev, 1, NULL, 0, NULL);
		take_fd(w, OTHER, kq);
		break;
	case 12:
		say(w, "poll(%d)", fd);
		pfd = (struct pollfd){ .fd = fd, .events = 0x1ff };
		(void)poll(&pfd, 1, 0);
		break;
	case 13:
		say(w, "open(/dev/kvm)");
		take_fd(w, SYSTEM, open("/dev/kvm", below(w, 3)));
		break;
	}
}

void
op_event(struct worker *w)
{
	uint64_t n = 1;
	int fd;

	fd = any_fd(w, EVENT);
	if (one_in(w, 3)) {
		take_fd(w, EVENT, eventfd(below(w, 2), EFD_NONBLOCK |
		    (one_in(w, 4) ? EFD_SEMAPHORE : 0)));
	} else if (one_in(w, 3)) {
		say(w, "read event %d", fd);
		(void)read(fd, &n, sizeof(n));
	} else {
		if (one_in(w, 8))
			n = odd_number(w);
		say(w, "write event %d", fd);
		(void)write(fd, &n, sizeof(n));
	}
}

/* A child that has our descriptors; copy-on-write meets guest memory. */
void
op_process(struct worker *w)
{
	pid_t pid;
	int how, status;

	how = below(w, 4);
	say(w, "fork %d", how);
	atomic_fetch_add(&totals->forks, 1);
	pid = how == 3 ? vfork() : fork();
	if (pid == 0) {
		if (how != 3)
			(void)signal(SIGSEGV, SIG_DFL);
		switch (how) {
		case 0:
			(void)ioctl(any_fd(w, VCPU), KVM_RUN, 0);
			(void)ioctl(any_fd(w, VM), KVM_CREATE_VCPU, 9);
			(void)mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
			    any_fd(w, VCPU), 0);
			(void)ioctl(any_fd(w, SYSTEM), KVM_CREATE_VM, 0);
			break;
		case 1:
			(void)*(volatile uint8_t *)st.arena;
			break;
		case 2:
		case 3:
			(void)execl("/bin/sh", "sh", "-c", ":", NULL);
			break;
		}
		_exit(0);
	}
	if (pid > 0) {
		if (one_in(w, 4))
			(void)kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
}

/* Write to guest memory, which starts copies and copy-on-write. */
void
op_touch(struct worker *w)
{

	w->can_recover = true;
	if (sigsetjmp(w->recover, 1) == 0) {
		if (one_in(w, 2)) {
			say(w, "guest code");
			write_guest(w);
		} else {
			say(w, "touch");
			(one_in(w, 2) ? st.file : st.arena)[below(w, ARENA)] =
			    rnd(w);
		}
	}
	w->can_recover = false;
}
