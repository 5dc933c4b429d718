/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: doctor's lines. Judges nothing. */
#include "report/verdicts.h"

#include <string.h>

#include "report/words.h"

static const struct {
	const char *mark, *colour;
} styles[VERDICT_LEVEL_COUNT] = {
	[VERDICT_OK] = { "ok", "\033[32m" },	       [VERDICT_INFO] = { "info", "\033[36m" },
	[VERDICT_WARNING] = { "WARNING", "\033[33m" }, [VERDICT_ERROR] = { "ERROR", "\033[31m" },
	[VERDICT_UNKNOWN] = { "UNKNOWN", "\033[35m" },
};

/* The marks stand in a column of 8, with two blanks ahead. */
#define MARK_WIDTH 7
#define INDENT	   "         "

static void add_verdict(struct text *text, const struct verdict *verdict,
			const struct terminal *terminal)
{
	const char *mark = styles[verdict->level].mark;
	cleanup_free char *words = text_format("%s%s%s", verdict->subject ? verdict->subject : "",
					       verdict->subject ? ": " : "", verdict->evidence);
	cleanup_text struct text line = { 0 };

	if (!words) {
		text->failed = true;
		return;
	}
	/* Wrapped as if the mark were plain, which has the same width. */
	words_wrap(&line, terminal->width, INDENT, INDENT, words);
	if (verdict->remedy)
		words_wrap(&line, terminal->width, INDENT " ->", INDENT "   ", verdict->remedy);
	if (line.failed) {
		text->failed = true;
		return;
	}
	text_add(text, "  %s%-*s%s%s", terminal->colour ? styles[verdict->level].colour : "",
		 MARK_WIDTH, mark, terminal->colour ? "\033[0m" : "", line.data + strlen(INDENT));
}

char *verdicts_words(const struct verdicts *verdicts, const struct terminal *terminal)
{
	struct text text = { 0 };
	const char *section = "";

	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		if (strcmp(verdict->section, section) != 0)
			text_add(&text, "%s%s%s%s\n", i > 0 ? "\n" : "",
				 terminal->colour ? "\033[1m" : "", verdict->section,
				 terminal->colour ? "\033[0m" : "");
		section = verdict->section;
		add_verdict(&text, verdict, terminal);
	}
	return text_take(&text);
}

json_t *verdicts_json(const struct verdicts *verdicts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < verdicts->count; i++) {
		const struct verdict *verdict = &verdicts->items[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s?}", "id",
						verdict->id, "level",
						verdict_level_name(verdict->level), "section",
						verdict->section, "subject", verdict->subject,
						"evidence", verdict->evidence, "remedy",
						verdict->remedy));
	}
	return array;
}

static void add_count(struct text *text, size_t count, const char *one, const char *many)
{
	if (count > 0)
		text_add(text, "%s%zu %s", text->size ? ", " : "", count, count > 1 ? many : one);
}

char *verdicts_summary(const struct verdicts *verdicts)
{
	struct text text = { 0 };

	add_count(&text, verdicts_count(verdicts, VERDICT_ERROR), "error", "errors");
	add_count(&text, verdicts_count(verdicts, VERDICT_UNKNOWN), "thing that could not be told",
		  "things that could not be told");
	add_count(&text, verdicts_count(verdicts, VERDICT_WARNING), "warning", "warnings");
	if (!text.size)
		text_add(&text, "Nothing is wrong");
	text_add(&text, ".");
	return text_take(&text);
}
