/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: the node's network configuration. Brings nothing up. */
#include "use/ifupdown.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"

#define FILE_PATH   "etc/network/interfaces"
#define FOLDER_PATH "etc/network/interfaces.d"
#define FILE_MAX    ((size_t)1 << 20)

/* A file while it is read. */
struct reading {
	const char *path;
	unsigned line;
	char *stanza; /* the name after the last "iface" */
	struct ifupdown *ifupdown;
};

static int add(struct reading *reading, const char *word, const char *what, const char *of)
{
	struct ifupdown *ifupdown = reading->ifupdown;
	struct ifupdown_name *added;

	if (array_reserve(&ifupdown->items, ifupdown->count, sizeof(*added)) < 0)
		return -ENOMEM;
	added = &ifupdown->items[ifupdown->count];
	added->name = strndup(word, strcspn(word, "."));
	added->reason = text_format("%s%s, line %u of /%s", what, of, reading->line, reading->path);
	ifupdown->count++;
	return added->name && added->reason ? 0 : -ENOMEM;
}

static int read_words(struct reading *reading, char *line)
{
	/* in the order of the manual pages of ifupdown2's addons: bridge, bond, and Open vSwitch's */
	static const char *const ports[] = { "bridge-ports", "bridge_ports", "bond-slaves",
					     "bond_slaves",  "ovs_ports",    "ovs_bonds" };
	char *rest = line, *first = NULL, *word;
	bool starts, builds;
	int r = 0;

	while (!first && (word = strsep(&rest, " \t\r")))
		first = *word ? word : NULL;
	if (!first || *first == '#')
		return 0;
	starts = strcmp(first, "auto") == 0 || strcmp(first, "allow-auto") == 0;
	builds = TABLE_FIND(ports, first) >= 0;
	while (r == 0 && rest && (word = strsep(&rest, " \t\r"))) {
		if (!*word)
			continue;
		if (strcmp(first, "iface") == 0) {
			free(reading->stanza);
			reading->stanza = strdup(word);
			return reading->stanza ? 0 : -ENOMEM;
		}
		if (starts)
			r = add(reading, word, "auto", "");
		else if (builds && reading->stanza && strcmp(word, "none") != 0)
			r = add(reading, word, "a port of ", reading->stanza);
	}
	return r;
}

static int read_file(const struct sysroot *root, const char *path, struct ifupdown *ifupdown)
{
	struct reading reading = { .path = path, .ifupdown = ifupdown };
	cleanup_free char *data = NULL;
	char *rest, *line;
	size_t size;
	int r = sysroot_read_file(root, path, FILE_MAX, &data, &size);

	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	rest = data;
	while (r == 0 && (line = strsep(&rest, "\n"))) {
		reading.line++;
		r = read_words(&reading, line);
	}
	free(reading.stanza);
	return r;
}

int ifupdown_read(const struct sysroot *root, struct ifupdown *ret)
{
	cleanup_ifupdown struct ifupdown ifupdown = { 0 };
	cleanup_strings struct strings names = { 0 };
	int r = read_file(root, FILE_PATH, &ifupdown);

	if (r == 0)
		r = sysroot_list(root, FOLDER_PATH, &names);
	if (r == -ENOENT)
		r = 0;
	for (size_t i = 0; i < names.count && r == 0; i++) {
		cleanup_free char *path = text_format("%s/%s", FOLDER_PATH, names.items[i]);

		r = path ? read_file(root, path, &ifupdown) : -ENOMEM;
	}
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(ifupdown);
	return 0;
}

const char *ifupdown_reason(const struct ifupdown *ifupdown, const char *name)
{
	for (size_t i = 0; i < ifupdown->count; i++)
		if (strcmp(ifupdown->items[i].name, name) == 0)
			return ifupdown->items[i].reason;
	return NULL;
}

void ifupdown_done(struct ifupdown *ifupdown)
{
	for (size_t i = 0; i < ifupdown->count; i++) {
		free(ifupdown->items[i].name);
		free(ifupdown->items[i].reason);
	}
	free(ifupdown->items);
	*ifupdown = (struct ifupdown){ 0 };
}

/* A letter and the decimal number behind it; without the letter `ret` stays, if it may. */
static bool take_number(const char **at, char letter, bool may_lack, uint64_t most, unsigned *ret)
{
	size_t digits;
	uint64_t number;

	if (**at != letter)
		return may_lack;
	digits = strspn(*at + 1, "0123456789");
	if (parse_number(*at + 1, digits, 10, most, &number) < 0)
		return false;
	*ret = (unsigned)number;
	*at += 1 + digits;
	return true;
}

bool ifupdown_name_address(const char *name, char ret_address[16])
{
	unsigned domain = 0, bus = 0, slot = 0, function = 0, port = 0;
	const char *at = name;

	if (!text_starts_with(at, "en"))
		return false;
	at += strlen("en");
	if (!take_number(&at, 'P', true, 0xffff, &domain) ||
	    !take_number(&at, 'p', false, 0xff, &bus) || !take_number(&at, 's', false, 31, &slot) ||
	    !take_number(&at, 'f', true, 7, &function))
		return false;
	if (at[0] == 'n' && at[1] == 'p') {
		at++;
		if (!take_number(&at, 'p', false, 255, &port))
			return false;
	}
	if (*at != '\0')
		return false;
	snprintf(ret_address, 16, "%04x:%02x:%02x.%u", domain, bus, slot, function);
	return true;
}
