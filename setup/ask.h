/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: questions to a person, on standard error, answered on standard input.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/*
 * Asks until the answer is y or n: 1 or 0. -ECANCELED, without a sentence, when the input ends, as
 * it does at once where nobody is there.
 */
int ask_yes_no(const char *question);
