/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: doctor's lines. Judges nothing. */
#include "report/verdicts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "report/words.h"

static const struct {
	const char *mark, *colour;
} styles[] = {
	[VERDICT_OK] = { "ok", "\033[32m" },	       [VERDICT_INFO] = { "info", "\033[36m" },
	[VERDICT_WARNING] = { "WARNING", "\033[33m" }, [VERDICT_ERROR] = { "ERROR", "\033[31m" },
	[VERDICT_UNKNOWN] = { "UNKNOWN", "\033[35m" },
};
TABLE_FOLLOWS(styles, VERDICT_LEVEL_COUNT);

/* The marks are in a column of 8, after two blanks. */
#define MARK_WIDTH 7
#define INDENT	   "         "

/* Wrapped as if the mark were plain, which has the same width; `remedy` may be NULL. */
static void add_marked(struct text *text, enum verdict_level level, const char *words,
		       const char *remedy, const struct terminal *terminal)
{
	cleanup_text struct text line = { 0 };

	words_wrap(&line, terminal->width, INDENT, INDENT, words);
	if (remedy)
		words_wrap(&line, terminal->width, INDENT " ->", INDENT "   ", remedy);
	if (line.failed) {
		text->failed = true;
		return;
	}
	text_add(text, "  %s%-*s%s%s", terminal->colour ? styles[level].colour : "", MARK_WIDTH,
		 styles[level].mark, terminal->colour ? "\033[0m" : "", line.data + strlen(INDENT));
}

/* "SUBJECT: EVIDENCE"; to be freed, NULL without memory. */
static char *verdict_words(const struct verdict *verdict)
{
	return text_format("%s%s%s", verdict->subject ? verdict->subject : "",
			   verdict->subject ? ": " : "", verdict->evidence);
}

static void add_verdict(struct text *text, const struct verdict *verdict,
			const struct terminal *terminal)
{
	cleanup_free char *words = verdict_words(verdict);

	if (words)
		add_marked(text, verdict->level, words, verdict->remedy, terminal);
	else
		text->failed = true;
}

/* What has to be looked at, the worst first. */
static const enum verdict_level problems[] = { VERDICT_ERROR, VERDICT_UNKNOWN, VERDICT_WARNING };

#define PROBLEM_LEVELS (ARRAY_SIZE(problems))

static bool is_problem(const struct verdict *verdict)
{
	return verdict->level != VERDICT_OK && verdict->level != VERDICT_INFO;
}

int verdicts_problems_first(struct verdicts *verdicts)
{
	cleanup_free struct verdict *sorted = calloc(verdicts->count + 1, sizeof(*sorted));
	size_t count = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t level = 0; level < PROBLEM_LEVELS; level++)
		for (size_t i = 0; i < verdicts->count; i++)
			if (verdicts->items[i].level == problems[level])
				sorted[count++] = verdicts->items[i];
	for (size_t i = 0; i < count; i++)
		sorted[i].section = "What is wrong, or could not be checked";
	for (size_t i = 0; i < verdicts->count; i++)
		if (!is_problem(&verdicts->items[i]))
			sorted[count++] = verdicts->items[i];
	if (count > 0)
		memcpy(verdicts->items, sorted, count * sizeof(*sorted));
	return 0;
}

static void add_problems(struct text *text, const struct verdicts *verdicts,
			 const struct terminal *terminal)
{
	for (size_t level = 0; level < PROBLEM_LEVELS; level++)
		for (size_t i = 0; i < verdicts->count; i++)
			if (verdicts->items[i].level == problems[level])
				add_verdict(text, &verdicts->items[i], terminal);
}

/* The end of the section that begins at `at`, and how many of each level it has. */
static size_t count_section(const struct verdicts *verdicts, size_t at,
			    size_t counts[VERDICT_LEVEL_COUNT])
{
	const char *section = verdicts->items[at].section;

	memset(counts, 0, VERDICT_LEVEL_COUNT * sizeof(*counts));
	for (; at < verdicts->count && strcmp(verdicts->items[at].section, section) == 0; at++)
		counts[verdicts->items[at].level]++;
	return at;
}

/* Its name, and what the view shows of it; a section of which nothing is shown has no name. */
static void add_section(struct text *text, const struct verdicts *verdicts, size_t at,
			enum verdicts_view view, const struct terminal *terminal)
{
	size_t counts[VERDICT_LEVEL_COUNT], end = count_section(verdicts, at, counts);
	bool all = view == VIEW_ALL;

	if (counts[VERDICT_INFO] + (all ? counts[VERDICT_OK] : 0) == 0)
		return;
	text_add(text, "%s%s%s%s", text->size ? "\n" : "", terminal->colour ? "\033[1m" : "",
		 verdicts->items[at].section, terminal->colour ? "\033[0m" : "");
	if (!all && counts[VERDICT_OK] > 0)
		text_add(text, ": %zu ok", counts[VERDICT_OK]);
	text_add(text, "\n");
	for (; at < end; at++)
		if (verdicts->items[at].level == VERDICT_INFO ||
		    (all && verdicts->items[at].level == VERDICT_OK))
			add_verdict(text, &verdicts->items[at], terminal);
}

/* The sections that have nothing to show, in one paragraph. */
static void add_well(struct text *text, const struct verdicts *verdicts,
		     const struct terminal *terminal)
{
	cleanup_text struct text words = { 0 };
	size_t counts[VERDICT_LEVEL_COUNT];

	for (size_t at = 0, end; at < verdicts->count; at = end) {
		end = count_section(verdicts, at, counts);
		if (counts[VERDICT_OK] > 0 && counts[VERDICT_INFO] == 0)
			text_add(&words, "%s%s (%zu)", words.size ? ", " : "",
				 verdicts->items[at].section, counts[VERDICT_OK]);
	}
	if (words.size && text->size)
		text_add(text, "\n");
	if (words.size)
		add_marked(text, VERDICT_OK, words.data, NULL, terminal);
}

char *verdicts_words(const struct verdicts *verdicts, enum verdicts_view view,
		     const struct terminal *terminal)
{
	struct text text = { 0 };
	size_t counts[VERDICT_LEVEL_COUNT];

	add_problems(&text, verdicts, terminal);
	for (size_t at = 0; view != VIEW_PROBLEMS && at < verdicts->count;
	     at = count_section(verdicts, at, counts))
		add_section(&text, verdicts, at, view, terminal);
	if (view == VIEW_SHORT)
		add_well(&text, verdicts, terminal);
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
	add_count(&text, verdicts_count(verdicts, VERDICT_UNKNOWN),
		  "thing that could not be determined", "things that could not be determined");
	add_count(&text, verdicts_count(verdicts, VERDICT_WARNING), "warning", "warnings");
	if (!text.size)
		text_add(&text, "Nothing is wrong");
	text_add(&text, ".");
	return text_take(&text);
}

/* One line of a problem, cut where the terminal ends. */
static void add_line(struct text *text, const struct verdict *verdict,
		     const struct terminal *terminal)
{
	const char *colour = terminal->colour ? styles[verdict->level].colour : "";
	cleanup_free char *words = verdict_words(verdict);
	size_t room = terminal->width - strlen(INDENT) - 1;

	if (!words) {
		text->failed = true;
		return;
	}
	text_add(text, "  %s%-*s%s ", colour, MARK_WIDTH, styles[verdict->level].mark,
		 *colour ? "\033[0m" : "");
	if (strlen(words) <= room) {
		text_add(text, "%s\n", words);
		return;
	}
	/* not within a character of several bytes */
	for (room--; room > 0 && ((unsigned char)words[room] & 0xc0) == 0x80; room--)
		;
	text_add(text, "%.*s~\n", (int)room, words);
}

char *verdicts_end(const struct verdicts *verdicts, enum verdicts_view view,
		   const struct terminal *terminal)
{
	cleanup_free char *summary = verdicts_summary(verdicts);
	size_t count = 0;
	struct text text = { 0 };

	for (size_t i = 0; i < verdicts->count; i++)
		count += is_problem(&verdicts->items[i]);
	if (view != VIEW_PROBLEMS && count > 0 && count < verdicts->count)
		for (size_t level = PROBLEM_LEVELS; level-- > 0;)
			for (size_t i = 0; i < verdicts->count; i++)
				if (verdicts->items[i].level == problems[level])
					add_line(&text, &verdicts->items[i], terminal);
	text_add(&text, "%s\n", summary ? summary : "");
	return text_take(&text);
}
