/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: what variables a shell script sets, of the kind that GRUB's configuration is: assignments
 * with any quoting, comments, and references to other variables. Each byte of a value knows where in
 * which file it is, so that it can be cut out there. What goes beyond that, and only running the
 * script tells, is a doubt. The language is dash's: POSIX.1-2017, Shell Command Language.
 */
#pragma once

#include "base/text.h"

/* One byte of a variable's value, and where in which file it is. */
struct shell_piece {
	char byte;
	bool escaped; /* behind a backslash, which would be left behind without it */
	size_t file, offset;
};

struct shell_value {
	struct shell_piece *items;
	size_t count;
};

struct shell_variable {
	char *name;
	struct shell_value value;
	bool doubtful; /* only running the script tells what is in it */
};

/* Started as { .doubts = ..., .watched = ... }. */
struct shell {
	struct shell_variable *variables;
	size_t count;
	/* NULL at the end: what is reported about these is a doubt */
	const char *const *watched;
	struct strings *doubts; /* "/etc/default/grub, line 7" */
	bool opaque;		/* something was defined that may change any variable later */
	bool failed;		/* no memory */
};

void shell_done(struct shell *shell);
#define cleanup_shell cleanup(shell_done)

/* Reads a script as the shell does that sources it. `file` is the number that its pieces get. */
void shell_read(struct shell *shell, const char *path, const char *text, size_t file);

/* The value of a variable, or NULL. */
const struct shell_value *shell_find(const struct shell *shell, const char *name);

/* Adds a byte to a value. */
void shell_append(struct shell *shell, struct shell_value *value, struct shell_piece piece);

/* The number of the line that the byte is in, from 1. */
unsigned shell_line_at(const char *text, size_t offset);
