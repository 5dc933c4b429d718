/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: changes to a VM's configuration. Writes no file: qm does. */
#include "pve/edit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "pve/pve.h"

const char *vm_config_value(const struct vm_config *config, const char *key)
{
	uint32_t number;

	if (text_starts_with(key, "hostpci") && parse_u32(key + strlen("hostpci"), &number) == 0)
		return number < HOSTPCI_COUNT && config->hostpci[number].present
			       ? config->hostpci[number].value
			       : NULL;
	return vm_config_get(config, key);
}

static void change_done(struct vm_change *change)
{
	free(change->key);
	free(change->before);
	free(change->after);
}

static struct vm_change *find(const struct vm_edit *edit, const char *key)
{
	for (size_t i = 0; i < edit->count; i++)
		if (strcmp(edit->items[i].key, key) == 0)
			return &edit->items[i];
	return NULL;
}

const struct vm_change *vm_edit_find(const struct vm_edit *edit, const char *key)
{
	return find(edit, key);
}

static void drop(struct vm_edit *edit, struct vm_change *change)
{
	size_t at = (size_t)(change - edit->items);

	change_done(change);
	edit->count--;
	memmove(change, change + 1, (edit->count - at) * sizeof(*change));
}

/* A copy of what may be NULL. False without memory. */
static bool copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret;
}

static int replace(struct vm_edit *edit, struct vm_change *change, const char *after,
		   const char *why)
{
	char *value;

	if (!copy(after, &value))
		return -ENOMEM;
	free(change->after);
	change->after = value;
	change->why = why;
	if (text_equal(change->before, change->after))
		drop(edit, change);
	return 0;
}

int vm_edit_set(struct vm_edit *edit, const char *key, const char *before, const char *after,
		const char *why)
{
	struct vm_change new = { .why = why }, *earlier = find(edit, key);

	if (earlier)
		return replace(edit, earlier, after, why);
	if (text_equal(before, after))
		return 0;
	if (!copy(key, &new.key) || !copy(before, &new.before) || !copy(after, &new.after) ||
	    array_reserve(&edit->items, edit->count, sizeof(new)) < 0) {
		change_done(&new);
		return -ENOMEM;
	}
	edit->items[edit->count++] = new;
	return 0;
}

const char *vm_edit_value(const struct vm_edit *edit, const struct vm_config *config,
			  const char *key)
{
	const struct vm_change *change = find(edit, key);

	return change ? change->after : vm_config_value(config, key);
}

unsigned vm_edit_free_hostpci(const struct vm_edit *edit, const struct vm_config *config)
{
	char key[SYSROOT_PATH_MAX];
	unsigned number = 0;

	for (; number < HOSTPCI_COUNT; number++) {
		snprintf(key, sizeof(key), "hostpci%u", number);
		if (!vm_edit_value(edit, config, key))
			break;
	}
	return number;
}

/* Whether the line gives a key that is changed. */
static bool is_changed(const struct vm_edit *edit, const char *line, size_t size)
{
	for (size_t i = 0; i < edit->count; i++) {
		size_t length = strlen(edit->items[i].key);

		if (size > length && memcmp(line, edit->items[i].key, length) == 0 &&
		    line[length] == ':')
			return true;
	}
	return false;
}

char *vm_edit_text(const struct vm_edit *edit, const char *config)
{
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < edit->count; i++)
		if (edit->items[i].after)
			text_add(&text, "%s: %s\n", edit->items[i].key, edit->items[i].after);
	while (*config && *config != '[') {
		size_t size = strcspn(config, "\n");

		if (!is_changed(edit, config, size))
			text_add(&text, "%.*s\n", (int)size, config);
		config += size + (config[size] == '\n');
	}
	return text_take(&text);
}

int vm_edit_words(const struct vm_edit *edit, uint32_t vmid, struct strings *words)
{
	cleanup_free char *id = text_format("%u", vmid), *gone = NULL;
	cleanup_text struct text deleted = { 0 };
	int r = id ? pve_words(words, "qm", "set", id) : -ENOMEM;

	for (size_t i = 0; i < edit->count && r == 0; i++) {
		const struct vm_change *change = &edit->items[i];
		cleanup_free char *option = text_format("--%s", change->key);

		if (!change->after)
			text_add(&deleted, "%s%s", deleted.size > 0 ? "," : "", change->key);
		else
			r = option ? pve_words(words, option, change->after) : -ENOMEM;
	}
	gone = text_take(&deleted);
	if (r == 0 && !gone)
		r = -ENOMEM;
	return r == 0 && *gone ? pve_words(words, "--delete", gone) : r;
}

void vm_edit_done(struct vm_edit *edit)
{
	for (size_t i = 0; i < edit->count; i++)
		change_done(&edit->items[i]);
	free(edit->items);
	*edit = (struct vm_edit){ 0 };
}
