/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: questions to a person, on standard error, answered on standard input.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* Whether a person is at a terminal, who can be asked for more than yes or no. */
bool ask_is_possible(void);

/*
 * The next line without its end, cut where it is longer. -ECANCELED, without a sentence, when the input
 * ends, as it does at once where nobody is there.
 */
int ask_line(char *answer, size_t size);

/* Asks until the answer is y or n: 1 or 0; an empty line is no. -ECANCELED as above. */
int ask_yes_no(const char *question);

/*
 * Asks which of the choices, a line each: its number in `ret`, from 0 on. An answer is its number, or
 * its first word; an empty line is `usual`, or with ASK_NO_USUAL no answer. -ECANCELED as above.
 */
#define ASK_NO_USUAL SIZE_MAX
int ask_choice(const char *question, const struct strings *choices, size_t usual, size_t *ret);
