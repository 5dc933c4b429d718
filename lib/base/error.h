/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the sentence that goes with a negative return value.
 * This room holds no domain word.
 */
#pragma once

#include "base/attribute.h"

#define ERROR_MAX  1024
#define REMEDY_MAX 256

/* What an error means to who has called the program. `main` alone makes an exit status of it. */
enum error_kind {
	ERROR_FAILED,  /* it could not be done */
	ERROR_REFUSED, /* it could be done, and is not: a check, or a person, is against it */
	ERROR_USAGE,   /* the command line */
};

/*
 * A function that can fail returns 0 or -errno; where the code alone does not tell a person
 * enough it writes one sentence, once, where the facts are known. The caller owns the struct and
 * starts it as { 0 }; `main` prints it.
 */
struct error {
	enum error_kind kind;
	char message[ERROR_MAX];
	char remedy
		[REMEDY_MAX]; /* what to do about it, where the sentence does not say so; or "" */
};

/*
 * Writes the sentence of what has failed and returns `r`, so that a failing call ends in
 * `return error_set(…)`. A longer sentence is cut. `err` may be NULL: the caller does not want to know.
 */
int error_set(struct error *err, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same of what is refused: -EPERM. And of a command line that asks for no such thing: -EINVAL. */
int error_refuse(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
int error_misuse(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds what to do about the error that has just been set: "see 'pve-vfio status'". Returns `r`. */
int error_advise(struct error *err, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A refusal whose reasons have been printed: no sentence. -EPERM. */
int error_refuse_silently(struct error *err);

/*
 * Makes a refusal of the failure `r` that has just been set: what was asked for does not fit. Lack of
 * memory stays a failure. Returns `r`.
 */
int error_as_refusal(struct error *err, int r);

/* The sentence for having no memory left; returns -ENOMEM. */
int error_set_memory(struct error *err);
