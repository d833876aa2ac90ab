/*-
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of kvmfuzz share.  A round is a process; its threads are
 * workers that draw operations from a generator which depends on nothing but
 * seed, round and worker: the same three numbers give the same operations.
 */
#ifndef _FUZZ_H_
#define	_FUZZ_H_

#include <sys/types.h>

#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define	WORKERS		3		/* at most, in a round */
#define	FDS		16		/* of each kind that a round has */
#define	LAST		24		/* operations that are remembered */
#define	ARENA		(8u << 20)	/* memory that guests are given */
#define	PAGE		4096u
#define	REASONS		64		/* exit reasons that are counted */

/* Counts of all rounds, in memory that the processes share. */
struct totals {
	atomic_ulong	ops, ioctls, accepted, runs, exits, rounds, killed;
	atomic_ulong	forks, maps;
	atomic_ulong	reason[REASONS];
	/* What the workers of this round have done last. */
	struct {
		atomic_uint	at;
		char		text[LAST][96];
	} last[WORKERS];
};

/* The kinds of descriptors. */
enum kind { SYSTEM, VM, VCPU, DEVICE, EVENT, OTHER, KINDS };

struct worker {
	uint64_t	random;		/* state of the generator */
	int		number;
	bool		verbose;
	bool		can_recover;	/* a fault goes to recover */
	sigjmp_buf	recover;
	uint8_t		*scratch;	/* 16 pages, then one without access */
};

/* What a round works on; workers race for it on purpose. */
struct state {
	_Atomic int	fd[KINDS][FDS];	/* -1: none */
	uint8_t		*_Atomic run[FDS];	/* kvm_run of VCPU's descriptor */
	uint8_t		*arena;		/* ARENA bytes, anonymous */
	uint8_t		*file;		/* ARENA bytes of a shared file */
	int		file_fd;
	size_t		run_size;
};

extern struct totals *totals;
extern struct state st;

/* fuzz.c */
void	say(struct worker *w, const char *fmt, ...) __printflike(2, 3);
int	take_fd(struct worker *w, enum kind kind, int fd);
int	any_fd(struct worker *w, enum kind kind);

/* The generator (splitmix64). */
static inline uint64_t
rnd(struct worker *w)
{
	uint64_t z;

	z = w->random += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31);
}

static inline uint64_t
below(struct worker *w, uint64_t n)
{

	return (rnd(w) % n);
}

static inline bool
one_in(struct worker *w, unsigned n)
{

	return (below(w, n) == 0);
}

#define	PICK(w, list)	((list)[below(w, sizeof(list) / sizeof((list)[0]))])

/* fuzz_value.c: numbers and bytes that programs get wrong. */
uint64_t odd_number(struct worker *w);
uint64_t odd_address(struct worker *w);
void	odd_bytes(struct worker *w, void *p, size_t len);
void	spoil(struct worker *w, void *p, size_t len);

/* fuzz_guest.c: code and tables in guest memory. */
void	write_guest(struct worker *w);
void	set_mode(struct worker *w, int vcpu);

/* fuzz_ioctl.c: ioctl(2) on what is a descriptor of KVM. */
long	call(struct worker *w, const char *name, int fd, unsigned long cmd,
	    uint64_t arg);
void	op_ioctl(struct worker *w);

/* fuzz_machine.c: machines as clients make and run them. */
void	op_create(struct worker *w);
void	op_memory(struct worker *w);
void	op_run(struct worker *w);
void	op_setup(struct worker *w);

/* fuzz_host.c: everything else that a process can do to them. */
void	op_map(struct worker *w);
void	op_arena(struct worker *w);
void	op_descriptor(struct worker *w);
void	op_event(struct worker *w);
void	op_process(struct worker *w);
void	op_touch(struct worker *w);

#endif /* !_FUZZ_H_ */
