/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: the lines of doctor, as text for a terminal and as JSON. Markdown and HTML are made of
 * the same rows, in page.h.
 */
#pragma once

#include <jansson.h>

#include "doctor/verdict.h"
#include "report/devices.h"

/* By section, what is well in one line each; the caller frees it. NULL without memory. */
char *verdicts_words(const struct verdicts *verdicts, const struct terminal *terminal);

/* An array of objects. NULL without memory. */
json_t *verdicts_json(const struct verdicts *verdicts);

/* "2 errors, 1 warning, nothing untold" at the end; the caller frees it. */
char *verdicts_summary(const struct verdicts *verdicts);
