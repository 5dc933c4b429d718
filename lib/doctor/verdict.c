/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: lines of doctor. Looks at nothing itself. */
#include "doctor/verdict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

static void verdict_done(struct verdict *verdict)
{
	free(verdict->id);
	free(verdict->subject);
	free(verdict->evidence);
	free(verdict->remedy);
}

/* Takes the strings over, or frees them. */
static int add(struct verdicts *verdicts, struct verdict *verdict, bool complete)
{
	if (!complete || array_reserve(&verdicts->items, verdicts->count, sizeof(*verdict)) < 0) {
		verdict_done(verdict);
		return -ENOMEM;
	}
	verdicts->items[verdicts->count++] = *verdict;
	return 0;
}

int verdict_add(struct verdicts *verdicts, enum verdict_level level, const char *id,
		const char *subject, const char *remedy, const char *evidence, ...)
{
	struct verdict verdict = {
		.level = level,
		.section = verdicts->section,
		.id = strdup(id),
		.subject = subject ? strdup(subject) : NULL,
		.remedy = remedy ? strdup(remedy) : NULL,
	};
	va_list arguments;

	va_start(arguments, evidence);
	verdict.evidence = text_format_list(evidence, arguments);
	va_end(arguments);
	return add(verdicts, &verdict,
		   verdict.id && verdict.evidence && (!subject || verdict.subject) &&
			   (!remedy || verdict.remedy));
}

enum verdict_level verdict_level_of(enum check_level level)
{
	static const enum verdict_level levels[] = {
		[LEVEL_ERROR] = VERDICT_ERROR,
		[LEVEL_WARNING] = VERDICT_WARNING,
		[LEVEL_INFO] = VERDICT_INFO,
	};

	return levels[level];
}

int verdicts_add_findings(struct verdicts *verdicts, const struct findings *findings)
{
	int r = 0;

	for (size_t i = 0; i < findings->count && r == 0; i++) {
		const struct finding *finding = &findings->items[i];

		r = verdict_add(verdicts,
				finding->allowed ? VERDICT_INFO : verdict_level_of(finding->level),
				check_describe(finding->id)->id, finding->subject,
				finding_remedy(finding), "%s%s", finding->evidence,
				finding->allowed ? " The settings allow it." : "");
	}
	return r;
}

size_t verdicts_count(const struct verdicts *verdicts, enum verdict_level level)
{
	size_t count = 0;

	for (size_t i = 0; i < verdicts->count; i++)
		count += verdicts->items[i].level == level;
	return count;
}

bool verdicts_are_well(const struct verdicts *verdicts)
{
	return verdicts_count(verdicts, VERDICT_ERROR) == 0 &&
	       verdicts_count(verdicts, VERDICT_UNKNOWN) == 0;
}

const char *verdict_level_name(enum verdict_level level)
{
	static const char *const names[] = {
		[VERDICT_OK] = "ok",	       [VERDICT_INFO] = "info",
		[VERDICT_WARNING] = "warning", [VERDICT_ERROR] = "error",
		[VERDICT_UNKNOWN] = "unknown",
	};

	return names[level];
}

void verdicts_done(struct verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++)
		verdict_done(&verdicts->items[i]);
	free(verdicts->items);
	*verdicts = (struct verdicts){ 0 };
}
