/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: a stream that obeys nobody's control characters: what is quoted from a file or a process can
 * hold any, and a terminal would obey them. Whatever is printed passes here, once.
 * This room holds no domain word.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum output_form {
	OUTPUT_TEXT,   /* a control character becomes '?' */
	OUTPUT_COLOUR, /* the same, but for the colours of a terminal: ESC [ digits m */
	OUTPUT_JSON, /* it becomes \uXXXX; what may not be in a string as it is has become that before */
};

/* Stays where it is until output_close(): the stream points to it. */
struct output {
	FILE *stream;
	int fd;
	enum output_form form; /* may be changed between two writes */
	int fault;	       /* the first -errno; what comes after it is dropped */
	char held[4];	       /* the beginning of a character whose end is still to come */
	size_t held_size;
};

/*
 * Makes the stream for an open descriptor, which stays open. Buffered as stdio does it: whole, by
 * lines for a terminal, or not at all with `unbuffered`. 0 or -errno.
 */
int output_open(struct output *output, int fd, bool unbuffered);

/* Writes what is in the buffer and closes the stream. 0, or the first fault of all. */
int output_close(struct output *output);

/* Both of a program. */
struct outputs {
	struct output out, err;
};

/* `stdout` and `stderr` are these streams from now on. 0 or -errno. */
int outputs_open(struct outputs *outputs);

/*
 * Closes both; the last thing of main(). Where one of them could not be written, says so on the other
 * and returns false.
 */
bool outputs_close(struct outputs *outputs, const char *program);
