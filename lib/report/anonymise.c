/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: what must not be posted. Looks at text alone. */
#include "report/anonymise.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "use/mdev.h"

#define UUID_SIZE    36
#define MAC_PARTS    6
#define SERIAL_PARTS 8

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* `count` pairs of hexadecimal digits with `between` between them; how long that is, or 0. */
static size_t match_pairs(const char *at, size_t count, char between)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		if (i > 0 && at[size++] != between)
			return 0;
		if (!isxdigit((unsigned char)at[size]) || !isxdigit((unsigned char)at[size + 1]))
			return 0;
		size += 2;
	}
	/* A longer row of pairs is something else. */
	return is_word(at[size]) || (at[size] == between && isxdigit((unsigned char)at[size + 1]))
		       ? 0
		       : size;
}

static size_t match_mac(const char *at)
{
	size_t size = match_pairs(at, MAC_PARTS, ':');

	return size ? size : match_pairs(at, MAC_PARTS, '-');
}

static size_t match_serial(const char *at)
{
	return match_pairs(at, SERIAL_PARTS, '-');
}

/* "8-4-4-4-12"; but not what Proxmox VE makes of a VM's number for a mediated device. */
static size_t match_uuid(const char *at)
{
	static const size_t parts[] = { 8, 4, 4, 4, 12 };
	char uuid[UUID_SIZE + 1];
	uint32_t vmid, number;
	size_t size = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (i > 0 && at[size++] != '-')
			return 0;
		for (size_t k = 0; k < parts[i]; k++)
			if (!isxdigit((unsigned char)at[size++]))
				return 0;
	}
	snprintf(uuid, sizeof(uuid), "%s", at);
	return is_word(at[size]) || mdev_uuid_parse(uuid, &vmid, &number) ? 0 : size;
}

/* Four numbers up to 255; one with more dots is a version. */
static size_t match_ipv4(const char *at)
{
	size_t size = 0;

	for (unsigned part = 0; part < 4; part++) {
		unsigned value = 0;
		size_t digits = 0;

		if (part > 0 && at[size++] != '.')
			return 0;
		for (; isdigit((unsigned char)at[size]) && digits < 4; digits++)
			value = value * 10 + (unsigned)(at[size++] - '0');
		if (digits == 0 || digits > 3 || value > 255)
			return 0;
	}
	return is_word(at[size]) || (at[size] == '.' && isdigit((unsigned char)at[size + 1]))
		       ? 0
		       : size;
}

/* With "::" or eight parts; a PCI address has neither. */
static size_t match_ipv6(const char *at)
{
	size_t size = 0, colons = 0;
	bool shortened = false;

	while (isxdigit((unsigned char)at[size]) || at[size] == ':') {
		if (at[size] == ':') {
			colons++;
			shortened |= at[size + 1] == ':';
		}
		size++;
	}
	if (is_word(at[size]) || colons > 8 || size < 4)
		return 0;
	return (shortened && colons >= 2) || colons == 7 ? size : 0;
}

/* "enx001122334455" */
static size_t match_interface(const char *at)
{
	size_t size = strlen("enx");

	if (!text_starts_with(at, "enx"))
		return 0;
	while (isxdigit((unsigned char)at[size]))
		size++;
	return size == strlen("enx") + 12 ? size : 0;
}

static size_t match_behind(const char *at, const char *start, const char *end)
{
	size_t length = strlen(start);

	return text_starts_with(at, start) ? length + strcspn(at + length, end) : 0;
}

static size_t match_serial_option(const char *at)
{
	return match_behind(at, "serial=", " ,;'\"\n");
}

static size_t match_disk(const char *at)
{
	return match_behind(at, "by-id/", " ,;'\"\n");
}

static const struct {
	size_t (*match)(const char *at);
	const char *instead;
} patterns[] = {
	{ match_uuid, "UUID" },
	{ match_serial, "SERIAL" },
	{ match_mac, "xx:xx:xx:xx:xx:xx" },
	{ match_interface, "enxMAC" },
	{ match_ipv4, "IP" },
	{ match_ipv6, "IP" },
	{ match_serial_option, "serial=SERIAL" },
	{ match_disk, "by-id/REMOVED" },
};

static bool ends_with(const char *text, const char *at, const char *end)
{
	size_t size = strlen(end);

	return (size_t)(at - text) >= size && memcmp(at - size, end, size) == 0;
}

/* Whether `at` is in the list of a line "nodes NAME,NAME", as storage.cfg has it. */
static bool is_in_list(const char *text, const char *at)
{
	const char *line = at;

	while (line > text && line[-1] != '\n')
		line--;
	line += strspn(line, " \t");
	if (!text_starts_with(line, "nodes ") && !text_starts_with(line, "nodes\t"))
		return false;
	line += strlen("nodes");
	line += strspn(line, " \t");
	return line == at || (line < at && at[-1] == ',' && line + strcspn(line, " \t\n") > at);
}

/*
 * Whether a node's name is what `at` can only be. Everywhere else it may be any word: a node can be
 * called "pve", "sys" or "a".
 */
static bool is_place_of_host(const char *text, const char *at)
{
	static const char *const before[] = { "node=", "nodes/", "node '", "hostname=" };

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		size_t size = strlen(before[i]);

		if (ends_with(text, at, before[i]) &&
		    ((size_t)(at - text) == size || !is_word(at[-(ptrdiff_t)size - 1])))
			return true;
	}
	return is_in_list(text, at);
}

/* The length of a name that ends at `at + size`, with the machine's domain where that follows. */
static size_t with_domain(const struct anonymiser *anonymiser, const char *at, size_t size,
			  bool *ret_found)
{
	size_t length = anonymiser->domain ? strlen(anonymiser->domain) : 0;

	*ret_found = length > 0 && at[size] == '.' &&
		     strncmp(at + size + 1, anonymiser->domain, length) == 0 &&
		     !is_word(at[size + 1 + length]) && at[size + 1 + length] != '-';
	return *ret_found ? size + 1 + length : size;
}

/* Its number from 1 on, or 0; the length of the name in `ret_size`. */
static size_t find_host(const struct anonymiser *anonymiser, const char *text, const char *at,
			size_t *ret_size)
{
	bool full;

	for (size_t i = 0; i < anonymiser->hosts.count; i++) {
		size_t size = strlen(anonymiser->hosts.items[i]);

		if (size == 0 || strncmp(at, anonymiser->hosts.items[i], size) != 0 ||
		    is_word(at[size]) || at[size] == '-')
			continue;
		*ret_size = with_domain(anonymiser, at, size, &full);
		if (full || is_place_of_host(text, at))
			return i + 1;
	}
	return 0;
}

/* What is at the beginning of a word: how much of it to take out, and what to write instead. */
static size_t match(const struct anonymiser *anonymiser, const char *text, const char *at,
		    char instead[32])
{
	size_t size = 0, host = find_host(anonymiser, text, at, &size);

	if (host > 0) {
		snprintf(instead, 32, "host%zu", host);
		return size;
	}
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		size = patterns[i].match(at);
		if (size > 0) {
			snprintf(instead, 32, "%s", patterns[i].instead);
			return size;
		}
	}
	return 0;
}

char *anonymise(const struct anonymiser *anonymiser, const char *text)
{
	struct text out = { 0 };
	const char *from = text;

	for (const char *at = text; *at;) {
		char instead[32];
		size_t size = 0;

		/* Within a word, or a version, nothing begins. */
		if (at == text || (!is_word(at[-1]) && !(at[-1] == '.' && at - text > 1 &&
							 isdigit((unsigned char)at[-2]))))
			size = match(anonymiser, text, at, instead);
		if (size == 0) {
			at++;
			continue;
		}
		text_add(&out, "%.*s%s", (int)(at - from), from, instead);
		at += size;
		from = at;
	}
	text_add(&out, "%s", from);
	return text_take(&out);
}

char *anonymise_host(const struct anonymiser *anonymiser, const char *name)
{
	for (size_t i = 0; i < anonymiser->hosts.count; i++)
		if (strlen(anonymiser->hosts.items[i]) == strcspn(name, ".") &&
		    text_starts_with(name, anonymiser->hosts.items[i]))
			return text_format("host%zu", i + 1);
	return strdup(name);
}

static int add_host(struct anonymiser *anonymiser, const char *name)
{
	/* Replacing what every machine is called would only confuse. */
	if (!*name || strcmp(name, "localhost") == 0 || strings_has(&anonymiser->hosts, name))
		return 0;
	return strings_add(&anonymiser->hosts, name);
}

int anonymiser_read(const struct sysroot *root, struct anonymiser *ret)
{
	cleanup_anonymiser struct anonymiser anonymiser = { 0 };
	cleanup_strings struct strings nodes = { 0 };
	cleanup_free char *name = NULL;

	if (sysroot_read_attribute(root, "proc/sys/kernel/hostname", &name) == 0) {
		char *domain = strchr(name, '.');

		if (domain && domain[1]) {
			anonymiser.domain = strdup(domain + 1);
			if (!anonymiser.domain)
				return -ENOMEM;
		}
		name[strcspn(name, ".")] = '\0';
		if (add_host(&anonymiser, name) < 0)
			return -ENOMEM;
	}
	(void)sysroot_list(root, "etc/pve/nodes", &nodes);
	for (size_t i = 0; i < nodes.count; i++)
		if (add_host(&anonymiser, nodes.items[i]) < 0)
			return -ENOMEM;
	*ret = TAKE_STRUCT(anonymiser);
	return 0;
}

void anonymiser_done(struct anonymiser *anonymiser)
{
	strings_done(&anonymiser->hosts);
	free(anonymiser->domain);
	anonymiser->domain = NULL;
}
