/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the sentence that goes with a negative return value.
 * This room holds no domain word.
 */
#pragma once

#define ERROR_MAX 1024

/*
 * A function that can fail returns 0 or -errno; where the code alone does not tell a person
 * enough it writes one sentence, once, where the facts are known. The caller owns the struct and
 * starts it as { 0 }; `main` prints it.
 */
struct error {
	char message[ERROR_MAX];
};

/*
 * Writes the sentence and returns `r`, so that a failing call ends in `return error_set(…)`.
 * A longer sentence is cut. `err` may be NULL: the caller does not want to know.
 */
int error_set(struct error *err, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The sentence for having no memory left; returns -ENOMEM. */
int error_set_memory(struct error *err);
