/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: the running kernel. Changes no parameter of it. */
#include "host/kernel.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/number.h"

#define DIGITS "0123456789"

int kernel_boot_id(const struct sysroot *root, char **ret, struct error *err)
{
	int r = sysroot_read_attribute(root, "proc/sys/kernel/random/boot_id", ret);

	if (r < 0)
		return error_set(err, r, "cannot read /proc/sys/kernel/random/boot_id: %s",
				 strerror(-r));
	return 0;
}

int kernel_version_parse(const char *release, struct kernel_version *ret)
{
	size_t first = strspn(release, DIGITS), second;
	uint64_t major, minor;

	if (release[first] != '.')
		return -EINVAL;
	second = strspn(release + first + 1, DIGITS);
	if (parse_number(release, first, 10, UINT16_MAX, &major) < 0 ||
	    parse_number(release + first + 1, second, 10, UINT16_MAX, &minor) < 0)
		return -EINVAL;
	*ret = (struct kernel_version){ (unsigned)major, (unsigned)minor };
	return 0;
}

int kernel_version_compare(struct kernel_version a, struct kernel_version b)
{
	if (a.major != b.major)
		return a.major < b.major ? -1 : 1;
	if (a.minor != b.minor)
		return a.minor < b.minor ? -1 : 1;
	return 0;
}

static bool is_name(const char *word, const char *name)
{
	for (; *name; word++, name++)
		if ((*word == '-' ? '_' : *word) != (*name == '-' ? '_' : *name))
			return false;
	return *word == '=' || *word == '\0';
}

/* A value in double quotes may hold blanks: next_arg() in lib/cmdline.c. */
static size_t word_length(const char *at)
{
	bool quoted = false;
	size_t size = 0;

	for (; at[size] && (quoted || !strchr(" \t\n", at[size])); size++)
		quoted ^= at[size] == '"';
	return size;
}

char *kernel_parameter(const char *command_line, const char *name)
{
	char *value = NULL;

	while (*command_line) {
		size_t size = word_length(command_line);
		cleanup_free char *word = strndup(command_line, size);

		if (!word)
			break;
		if (size > 0 && is_name(word, name)) {
			const char *sign = strchr(word, '=');

			free(value);
			value = strdup(sign ? sign + 1 : "");
		}
		command_line += size;
		command_line += strspn(command_line, " \t\n");
	}
	return value;
}
