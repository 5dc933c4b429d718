/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: pieces of work that run side by side, each in a child process with a deadline, because
 * what they touch may block for ever in the kernel, where not even SIGKILL ends it.
 * This room holds no domain word.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LANE_TEXT_MAX 1024
#define LANE_PATH_MAX 512

/* What a lane tells its parent about one step of its work. `step` is the lane's own number. */
struct lane_report {
	size_t step;
	int result; /* 0 or -errno */
	uint64_t took_us;
	char text[LANE_TEXT_MAX]; /* an error's sentence, or the value that was read */
};

enum lane_end {
	LANE_FINISHED, /* its function returned */
	LANE_DIED,     /* killed by another, or crashed */
	LANE_LATE,     /* killed at the deadline, and gone */
	LANE_STUCK,    /* SIGKILL was sent and did not end it: it sleeps in the kernel */
};

struct lane {
	void *work;	   /* set by the caller, seen by both callbacks */
	enum lane_end end; /* set by lanes_run() */
	pid_t pid;	   /* set by lanes_run(): the child, whose fate `end` tells */
	int fd;		   /* lanes_run()'s own */
	bool late;	   /* lanes_run()'s own */
	/* set by lanes_run() for one that is late or stuck: the file it waited for, or "" */
	char path[LANE_PATH_MAX];
};

struct lanes_callbacks {
	/*
	 * In the child: does the work and sends a report after each step (lane_send()). Standard
	 * input, output and error are /dev/null there, so that a child that never ends keeps no
	 * pipe of the caller's open. It must not return to the caller's code: lanes_run() ends
	 * the child when the function returns.
	 */
	void (*run)(int fd, void *work, void *context);
	/* In the parent, for each report, while others still run. */
	void (*report)(const struct lane_report *report, struct lane *lane, void *context);
	/*
	 * In the parent, for each lane that still runs after 5 s, 10 s, 20 s and so on: a sign of life
	 * for who waits. May be NULL.
	 */
	void (*still)(struct lane *lane, unsigned waited_s, void *context);
};

/*
 * Runs all lanes and returns when each has ended or `deadline_ms` has passed; at most half a second
 * more passes while it sees whether a late lane's SIGKILL took effect. Children die with their parent.
 * SIGCHLD has its default from then on, since a status that a parent had us ignore is lost.
 * Returns 0 (look at each lane's end), or -errno where a child could not be started: then none
 * of the lanes that were not started has done anything, and `end` of these is LANE_DIED.
 */
int lanes_run(struct lane *lanes, size_t count, unsigned deadline_ms,
	      const struct lanes_callbacks *callbacks, void *context);

/*
 * From within a lane: how long it still has, for work that can be done in part and said to be so.
 * UINT_MAX elsewhere.
 */
unsigned lane_left_ms(void);

/* From within a lane: sends one report. */
void lane_send(int fd, const struct lane_report *report);
