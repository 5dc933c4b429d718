/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: what `doctor` says: one line for each thing it checked, also for what is well. This is
 * the row that text, JSON, Markdown and HTML are made from.
 */
#pragma once

#include "check/finding.h"

enum verdict_level {
	VERDICT_OK,
	VERDICT_INFO,	 /* worth knowing; nothing to do */
	VERDICT_WARNING, /* may be the cause of trouble */
	VERDICT_ERROR,	 /* is: no start, or a start that harms */
	VERDICT_UNKNOWN, /* could not be determined */
};

#define VERDICT_LEVEL_COUNT 5

struct verdict {
	enum verdict_level level;
	const char *section; /* "IOMMU" */
	char *id;	     /* "iommu-active"; never changes */
	char *subject;	     /* whom it concerns: "0000:01:00.0", "VM 101"; NULL: the node */
	char *evidence;	     /* what was seen, in a sentence */
	char *remedy;	     /* what to do; NULL: nothing */
};

/* Started as { 0 }. */
struct verdicts {
	struct verdict *items;
	size_t count;
	const char *section; /* of those that are added next */
};

/* Adds one; `subject` and `remedy` may be NULL. 0 or -ENOMEM. */
int verdict_add(struct verdicts *verdicts, enum verdict_level level, const char *id,
		const char *subject, const char *remedy, const char *evidence, ...)
	__attribute__((format(printf, 6, 7)));

/* An id of its own (a finding's and a quirk's are in their tables), and what it is on. */
struct verdict_id {
	const char *id, *what;
};

/* The row of the table, or NULL behind the last. */
const struct verdict_id *verdict_id_at(size_t at);

/* How bad a finding of that level is to doctor. */
enum verdict_level verdict_level_of(enum check_level level);

/* Adds the findings of a start, with their ids and remedies. 0 or -ENOMEM. */
int verdicts_add_findings(struct verdicts *verdicts, const struct findings *findings);

size_t verdicts_count(const struct verdicts *verdicts, enum verdict_level level);

/* Nothing is wrong, and nothing that could be wrong was left untold. */
bool verdicts_are_well(const struct verdicts *verdicts);

/* "ok", "info", "warning", "error", "unknown". */
const char *verdict_level_name(enum verdict_level level);
void verdicts_done(struct verdicts *verdicts);
#define cleanup_verdicts cleanup(verdicts_done)
