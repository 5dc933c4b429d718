/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: another program, run from an argument vector: no shell, a fixed PATH and environment, no
 * descriptor but the standard ones, and a deadline. SIGCHLD has its default from then on, since a
 * status that a parent had us ignore is lost.
 * This room holds no domain word.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Where programs are looked for, and the PATH they get. */
#define PROCESS_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

/* How a program ended. */
struct process_end {
	int status;   /* its exit status; 128 and the signal's number where one ended it */
	char *output; /* both streams in one, with a NUL behind; cut off at the limit */
	size_t size;
};

void process_end_done(struct process_end *end);
#define cleanup_process_end cleanup(process_end_done)

/*
 * Runs argv[0], a name without a slash or an absolute path; the vector ends with NULL. Standard
 * input is empty. Returns 0 when the program has run, however it ended; -ENOENT when there is no
 * such program; -ETIMEDOUT when it was killed at the deadline; -errno. Output beyond `output_max`
 * bytes is read and dropped. A program that SIGKILL does not end is left behind.
 */
int process_run(const char *const argv[], unsigned deadline_ms, size_t output_max,
		struct process_end *ret, struct error *err) must_check;

/*
 * Runs argv[0], an absolute path, as if this program became it and came back: with its environment
 * and `variable` ("NAME=VALUE") besides, its standard streams, and no deadline. 0 with the status
 * as above, or -errno when it could not be started.
 */
int process_pass(const char *const argv[], const char *variable, int *ret_status,
		 struct error *err) must_check;

/*
 * The same for a program that must not be cut short: it is in a session of its own, so that no
 * signal of the terminal reaches it, and goes on to its end when this program is killed.
 */
int process_run_to_end(const char *const argv[], unsigned deadline_ms, size_t output_max,
		       struct process_end *ret, struct error *err);

/* And with `input` on its standard input. */
int process_run_fed(const char *const argv[], const char *input, unsigned deadline_ms,
		    size_t output_max, struct process_end *ret, struct error *err) must_check;
