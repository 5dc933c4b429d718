/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: freeing by scope. A variable marked with one of these is released when it goes out of
 * scope; ownership is handed over with TAKE_PTR(), TAKE_FD() or TAKE_STRUCT().
 * This room holds no domain word.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(function)))

static inline void cleanup_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void close_and_reset(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void cleanup_close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define cleanup_free   cleanup(cleanup_free_pointer)
#define cleanup_close  cleanup(close_and_reset)
#define cleanup_fclose cleanup(cleanup_close_file)

/* The pointer's value; the variable becomes NULL, so its cleanup frees nothing. */
#define TAKE_PTR(pointer)                                                                          \
	__extension__({                                                                            \
		__typeof__(pointer) taken_ = (pointer);                                            \
		(pointer) = NULL;                                                                  \
		taken_;                                                                            \
	})

/* The descriptor; the variable becomes -1, so its cleanup closes nothing. */
#define TAKE_FD(fd)                                                                                \
	__extension__({                                                                            \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

/* The struct; the variable becomes empty, { 0 }, so its cleanup frees nothing. */
#define TAKE_STRUCT(variable)                                                                      \
	__extension__({                                                                            \
		__typeof__(variable) taken_ = (variable);                                          \
		(variable) = (__typeof__(variable)){ 0 };                                          \
		taken_;                                                                            \
	})
