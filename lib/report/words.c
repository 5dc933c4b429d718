/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: sentences for people. Writes to no stream. */
#include "report/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

char *words_device(struct pci_names *names, const struct sysroot *root, const char *address)
{
	cleanup_pci_device struct pci_device device = { 0 };
	cleanup_free char *name = NULL;
	struct pci_address parsed;

	if (pci_address_parse(address, &parsed) < 0 ||
	    pci_device_read(root, parsed, &device, NULL) < 0)
		return strdup(address);
	name = pci_name(names, root, &device);
	return text_format("%s %s", address, name ? name : "");
}

static const char *driver_words(const char *driver)
{
	return driver ? driver : "no driver";
}

static char *words_bind(struct pci_names *names, const struct sysroot *root,
			enum run_direction direction, const struct action *action,
			const struct run_result *result)
{
	cleanup_free char *device = words_device(names, root, action->target);
	const char *from = driver_words(action->before), *to = driver_words(action->wanted);

	if (!device)
		return NULL;
	if (direction == RUN_REVERT) {
		to = from;
		from = driver_words(action->wanted);
	}
	if (result->result < 0)
		return text_format("%s: FAILED %s -> %s: %s", device, from, to, result->text);
	if (*result->text)
		return text_format("%s: %s, %s", device, to, result->text);
	if (strcmp(from, to) == 0)
		return text_format("%s: %s already", device, to);
	return text_format("%s: %s -> %s, %.2f s", device, from, to,
			   (double)result->took_us / 1000000);
}

char *words_result(struct pci_names *names, const struct sysroot *root,
		   enum run_direction direction, const struct action *action,
		   const struct run_result *result)
{
	if (result->result == -ECANCELED)
		return NULL;
	if (action->type == ACTION_BIND)
		return words_bind(names, root, direction, action, result);
	if (result->result < 0)
		return text_format("module %s: FAILED: %s", action->target, result->text);
	if (direction == RUN_REVERT)
		return NULL;
	return text_format("module %s: loaded, %.2f s", action->target,
			   (double)result->took_us / 1000000);
}

/* Adds `words` broken at blanks; the first line is behind `first`, the others behind `indent`. */
static void add_wrapped(struct text *text, const char *first, const char *indent, const char *words)
{
	size_t column = strlen(first);

	text_add(text, "%s", first);
	while (*words) {
		size_t size = strcspn(words, " ");

		if (column + 1 + size > WORDS_WIDTH && column > strlen(indent)) {
			text_add(text, "\n%s", indent);
			column = strlen(indent);
		}
		text_add(text, " %.*s", (int)size, words);
		column += 1 + size;
		words += size;
		words += strspn(words, " ");
	}
	text_add(text, "\n");
}

static void add_finding(struct text *text, const struct finding *finding)
{
	const struct check_description *description = check_describe(finding->id);
	cleanup_free char *head = text_format("%s %s [%s]:", check_level_name(description->level),
					      finding->subject, description->id);

	text_add(text, "%s\n", head ? head : "");
	add_wrapped(text, " ", " ", finding->evidence);
	add_wrapped(text, "  What to do:", " ", description->remedy);
}

char *words_findings(const struct findings *findings)
{
	static const enum check_level levels[] = { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO };
	struct text text = { 0 };

	for (size_t level = 0; level < sizeof(levels) / sizeof(*levels); level++)
		for (size_t i = 0; i < findings->count; i++)
			if (check_describe(findings->items[i].id)->level == levels[level])
				add_finding(&text, &findings->items[i]);
	return text_take(&text);
}
