/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: work whose every access to a file has a deadline. It runs in a child, and this process only
 * waits for it: one that sleeps in the kernel cannot be ended, not even by SIGKILL, so it must not be
 * the one that somebody waits for.
 * This room holds no domain word.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/output.h"

/* An access that took too long. */
struct guard_silence {
	const char *path; /* "" where it has no name */
	unsigned limit_ms;
	pid_t pid;  /* the child */
	bool stuck; /* SIGKILL has not ended it: it is still there */
};

/* What the child has of the process that waits for it. */
struct guard_link {
	unsigned *limit_ms; /* how long one access may take; it may set that anew at any time */
	int ask;	    /* for relay_settle(): base/relay.h */
};

struct guarded {
	/* In the child: the work; what it returns is the exit status. */
	int (*run)(const struct guard_link *link, void *context);
	/*
	 * In this process: the child has waited longer than that, and was killed. True: the work is
	 * begun anew, with what is known now.
	 */
	bool (*silent)(const struct guard_silence *silence, void *context);
	void *context;
	unsigned limit_ms;
	bool reads_input;	 /* standard input is the child's also where it is a socket */
	struct outputs *outputs; /* take the fault where what the child says cannot be passed on */
};

/*
 * Does it and returns the exit status, in both processes: the child, too, goes on with main(), which
 * returns it. Where an access took too long it is `on_silence`. Signals that ask this process to end
 * are passed on to the child; one that ends the child ends this process too. To be called before
 * anything is printed. Where no child can be started the work is done here, without a deadline.
 *
 * Standard output and error that are a pipe or a socket are passed on (base/relay.h). After the child
 * has returned this waits for all others who got them from it, as a reader would; after one that was
 * killed for nobody.
 */
int guard_run(const struct guarded *guarded, int on_silence);

/* Says so on standard error, which takes none. */
void guard_tell_no_memory(void);

/*
 * From now on what jansson cannot allocate ends this process, and its children, with that word: it would be
 * missing in what is written, or shown, without an error. It is as if the process were killed, which costs
 * nothing: what it does is announced before.
 */
void guard_json(void);
