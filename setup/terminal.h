/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: the terminal that standard output is, if it is one.
 */
#pragma once

#include <sys/types.h>

#include "report/devices.h"

/*
 * Its width, 80 where there is none; colour only on a terminal, and not with NO_COLOR in the
 * environment (no-color.org), nor with TERM=dumb.
 */
struct terminal terminal_of_output(void);

/* The width of the terminal that a descriptor is; 0: it is not one. */
size_t terminal_width(int fd);

/* A step that takes its time says that it lives. Started as { 0 }. */
struct sign_of_life {
	pid_t pid; /* the child that says so; 0: none */
};

/*
 * From now on standard error says how long `what` has been going on: on a terminal in one line that
 * changes, elsewhere in a line each half minute.
 */
void sign_of_life_begin(struct sign_of_life *sign, const char *what);

/* No more of it; the line of the terminal is empty. Takes one that has not begun. */
void sign_of_life_end(struct sign_of_life *sign);
