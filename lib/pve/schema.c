/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: the keys of a hostpci line on this node. Runs no Perl. */
#include "pve/schema.h"

#include <errno.h>
#include <string.h>

#include "pve/version.h"

#define PCI_PM_MAX     ((size_t)1 << 20)

#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-_"

bool pve_key_is_possible(const char *key)
{
	return *key >= 'a' && *key <= 'z' && !key[strspn(key, KEY_CHARACTERS)];
}

/* "    'x-vga' => {": the key of a line of a Perl hash; NULL when the line is none. */
static char *key_of_line(const char *line, size_t indent)
{
	const char *at = line + indent, *end;
	bool quoted = *at == '\'' || *at == '"';
	size_t size = strspn(at + quoted, KEY_CHARACTERS);

	at += quoted;
	end = at + size;
	if (size == 0 || (quoted && *end++ != at[-1]))
		return NULL;
	end += strspn(end, " \t");
	return text_starts_with(end, "=>") ? strndup(at, size) : NULL;
}

/* The hash's own keys have the indentation of its first; those of inner hashes have more. */
int hostpci_schema_parse(const char *text, struct strings *ret)
{
	cleanup_strings struct strings keys = { 0 };
	cleanup_free char *copy = NULL;
	const char *start = strstr(text, "$hostpci_fmt = {\n");
	char *rest, *line;
	size_t indent = 0;

	if (!start)
		return -EBADMSG;
	copy = strdup(strchr(start, '\n') + 1);
	rest = copy;
	if (!copy)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n")) && !text_starts_with(line, "};")) {
		size_t blanks = strspn(line, " \t");
		cleanup_free char *key = NULL;

		if (blanks == 0 || (indent > 0 && blanks != indent))
			continue;
		key = key_of_line(line, blanks);
		if (!key)
			continue;
		indent = blanks;
		if (strings_add(&keys, key) < 0)
			return -ENOMEM;
	}
	if (!line || !strings_has(&keys, "host"))
		return -EBADMSG;
	*ret = TAKE_STRUCT(keys);
	return 0;
}

enum key_knowledge hostpci_key_knowledge(const struct sysroot *root, const char *key, bool ours)
{
	cleanup_strings struct strings keys = { 0 };
	cleanup_free char *text = NULL, *version = NULL;
	size_t size;

	if (!pve_key_is_possible(key))
		return KEY_UNKNOWN;
	if (!root)
		return ours ? KEY_KNOWN : KEY_UNTOLD;
	if (sysroot_read(root, PCI_PM_PATH, PCI_PM_MAX, &text, &size) == 0 &&
	    hostpci_schema_parse(text, &keys) == 0)
		return strings_has(&keys, key) ? KEY_KNOWN : KEY_UNKNOWN;
	version = pve_version_read(root);
	if (!ours)
		return pve_version_is_known(version) ? KEY_UNKNOWN : KEY_UNTOLD;
	if (strcmp(key, "driver") == 0 && !pve_rule_holds_in(PVE_RULE_HOSTPCI_DRIVER, version))
		return KEY_UNKNOWN;
	return KEY_KNOWN;
}
