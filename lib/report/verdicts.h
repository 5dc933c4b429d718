/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: the lines of doctor, as text for a terminal and as JSON. Markdown and HTML are made of
 * the same rows, in page.h.
 */
#pragma once

#include <jansson.h>

#include "doctor/verdict.h"
#include "report/devices.h"

enum verdicts_view {
	VIEW_SHORT,    /* problems; then by section what is worth knowing, and how many are ok */
	VIEW_ALL,      /* what is ok in one line each, too */
	VIEW_PROBLEMS, /* errors, what could not be determined, warnings: nothing else */
};

/*
 * The problems, the worst first, then the rest by section; the caller frees it. NULL without memory.
 */
char *verdicts_words(const struct verdicts *verdicts, enum verdicts_view view,
		     const struct terminal *terminal);

/* The problems come first, in a section of their own, the worst of them first. 0 or -ENOMEM. */
int verdicts_problems_first(struct verdicts *verdicts);

/* An array of objects. NULL without memory. */
json_t *verdicts_json(const struct verdicts *verdicts);

/* "2 errors, 1 warning."; the caller frees it. NULL without memory. */
char *verdicts_summary(const struct verdicts *verdicts);

/*
 * The end of a screen: how many problems there are, and each of them in one line as wide as the
 * terminal where the view has shown other things since; the caller frees it. NULL without memory.
 */
char *verdicts_end(const struct verdicts *verdicts, enum verdicts_view view,
		   const struct terminal *terminal);
