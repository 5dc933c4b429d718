/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the standard streams of a child, passed on through this process. Whoever reads a pipe waits for
 * all who have it open, and a child that sleeps in the kernel has it open for ever. So where a stream
 * is a pipe or a socket, the child gets a pipe of ours. A file or a terminal, which nobody waits for, is
 * the child's own.
 * This room holds no domain word.
 */
#pragma once

#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/* One stream. All but `fault` is relay.c's own. */
struct relay {
	int stream;   /* the descriptor of this process to which it goes */
	int from, in; /* both ends of our pipe; -1: closed, or there is none */
	int fault;    /* the first -errno; what comes after it is dropped */
	size_t begin, end;
	char data[PIPE_BUF];
};

/* Begins as RELAYS_EMPTY. */
struct relays {
	struct relay out, err;
	int asked, ask; /* the ends of this process and of the child */
	bool owed;	/* the child waits for an answer */
};

#define RELAYS_EMPTY                                                                               \
	{                                                                                          \
		.out = { .stream = 1, .from = -1, .in = -1 },                                      \
		.err = { .stream = 2, .from = -1, .in = -1 }, .asked = -1, .ask = -1,              \
	}

/* As many entries relays_wants() fills. */
#define RELAYS_POLLED 3

/*
 * Before the child is started: makes what it needs. Where both streams are one file they stay one, and
 * so keep their order. A stream for which no pipe can be made is the child's own.
 */
void relays_open(struct relays *relays);

/*
 * After that, in the child and in this process. The child's standard input is /dev/null where it is a
 * socket, which could be the same that is written to, but not with `reads_input`.
 */
void relays_enter(struct relays *relays, bool reads_input);
void relays_begin(struct relays *relays);

/* For poll(2), and what is to be done after it; true where that was anything. Neither blocks. */
void relays_wants(const struct relays *relays, struct pollfd polled[RELAYS_POLLED]);
bool relays_step(struct relays *relays, const struct pollfd polled[RELAYS_POLLED]);

/* Something was read that its reader has not taken yet. */
bool relays_pending(const struct relays *relays);

/* Everybody who could write has ended, and all is passed on. */
bool relays_ended(const struct relays *relays);

void relays_close(struct relays *relays);

/*
 * In the child, with `ask` of its relays, or -1: waits until all that it has written has been passed on.
 * False where that of standard output could not be.
 */
bool relay_settle(int ask);
