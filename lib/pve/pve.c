/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: Proxmox VE's own commands. Starts no shell and edits nothing below /etc/pve itself. */
#include "pve/pve.h"

#include <errno.h>
#include <string.h>

#include "base/process.h"

/* qm waits 10 s for the VM's lock, pvesh longer for the cluster's. */
#define DEADLINE_MS 60000

/* More than the list of all volumes of a storage takes. */
#define OUTPUT_MAX ((size_t)4 << 20)

/* What needs no quotes in a shell. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%"

int pve_words_add(struct strings *words, const char *const list[])
{
	int r = 0;

	for (; *list && r == 0; list++)
		r = strings_add(words, *list);
	return r;
}

static void add_quoted(struct text *text, const char *word)
{
	if (*word && strspn(word, PLAIN) == strlen(word)) {
		text_add(text, "%s", word);
		return;
	}
	text_add(text, "'");
	for (; *word; word++)
		if (*word == '\'')
			text_add(text, "'\\''");
		else
			text_add(text, "%c", *word);
	text_add(text, "'");
}

char *pve_command_line(const struct strings *words)
{
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < words->count; i++) {
		if (i > 0)
			text_add(&text, " ");
		add_quoted(&text, words->items[i]);
	}
	return text_take(&text);
}

/* "qm set": what the command is called in a message. */
static const char *verb(const struct strings *words)
{
	return words->count > 1 ? words->items[1] : "";
}

int pve_run(const struct strings *words, char **ret_output, struct error *err)
{
	cleanup_free const char **argv = calloc(words->count + 1, sizeof(*argv));
	cleanup_process_end struct process_end end = { 0 };
	int r;

	if (!argv)
		return error_set_memory(err);
	for (size_t i = 0; i < words->count; i++)
		argv[i] = words->items[i];
	r = process_run(argv, DEADLINE_MS, OUTPUT_MAX, &end, err);
	if (r < 0)
		return r;
	while (end.size > 0 && end.output[end.size - 1] == '\n')
		end.output[--end.size] = '\0';
	if (end.status != 0)
		return error_set(err, -EIO, "'%s %s' failed (%d): %s", argv[0], verb(words),
				 end.status, *end.output ? end.output : "it says nothing");
	if (ret_output)
		*ret_output = TAKE_PTR(end.output);
	return 0;
}

/* The answer begins a line; warnings of perl are ahead of it. */
static const char *find_answer(const char *output)
{
	for (const char *line = output; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (*line == '[' || *line == '{')
			return line;
	}
	return NULL;
}

int pve_query(struct strings *words, json_t **ret, struct error *err)
{
	cleanup_free char *output = NULL;
	const char *answer;
	json_error_t fault;
	json_t *json;
	int r;

	if (pve_words(words, "--output-format", "json") < 0)
		return error_set_memory(err);
	r = pve_run(words, &output, err);
	if (r < 0)
		return r;
	answer = find_answer(output);
	json = answer ? json_loads(answer, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &fault)
		      : NULL;
	if (!json)
		return error_set(err, -EBADMSG, "'%s %s' answers with no JSON: %.200s",
				 words->items[0], verb(words), output);
	*ret = json;
	return 0;
}
