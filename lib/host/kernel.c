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

/* The number after `sign` at *at, which moves behind it; 0 where there is none. */
static unsigned next_number(const char **at, char sign)
{
	size_t size = **at == sign ? strspn(*at + 1, DIGITS) : 0;
	uint64_t number;

	if (size == 0 || parse_number(*at + 1, size, 10, UINT16_MAX, &number) < 0)
		return 0;
	*at += 1 + size;
	return (unsigned)number;
}

int kernel_version_parse(const char *release, struct kernel_version *ret)
{
	size_t first = strspn(release, DIGITS), second;
	struct kernel_version version = { 0 };
	uint64_t major, minor;

	if (release[first] != '.')
		return -EINVAL;
	second = strspn(release + first + 1, DIGITS);
	if (parse_number(release, first, 10, UINT16_MAX, &major) < 0 ||
	    parse_number(release + first + 1, second, 10, UINT16_MAX, &minor) < 0)
		return -EINVAL;
	release += first + 1 + second;
	version.major = (unsigned)major;
	version.minor = (unsigned)minor;
	version.patch = next_number(&release, '.');
	version.build = next_number(&release, '-');
	*ret = version;
	return 0;
}

bool kernel_is_flavour(const char *release, const char *flavour)
{
	size_t size = strlen(release), length = strlen(flavour);

	return size > length && release[size - length - 1] == '-' &&
	       strcmp(release + size - length, flavour) == 0;
}

static int compare(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

int kernel_version_compare(struct kernel_version a, struct kernel_version b)
{
	int order = compare(a.major, b.major);

	if (order == 0)
		order = compare(a.minor, b.minor);
	if (order == 0)
		order = compare(a.patch, b.patch);
	return order ? order : compare(a.build, b.build);
}

bool kernel_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char)c == 0xa0;
}

bool kernel_word_next(const char *line, size_t *at, size_t *ret_size, bool *ret_open)
{
	bool quoted = false;
	size_t end;

	while (kernel_is_blank(line[*at]))
		(*at)++;
	for (end = *at; line[end] && (quoted || !kernel_is_blank(line[end])); end++)
		quoted ^= line[end] == '"';
	*ret_size = end - *at;
	*ret_open = quoted;
	return end > *at;
}

size_t kernel_word_name_size(const char *word)
{
	return *word ? 1 + strcspn(word + 1, "=") : 0;
}

char *kernel_word_text(const char *word, size_t size)
{
	bool quoted = *word == '"';
	char *text = strndup(word + quoted, size - quoted), *value;
	size_t length = size - quoted;

	if (!text || length == 0)
		return text;
	value = text + kernel_word_name_size(text);
	value += *value == '=';
	if (*value != '"')
		value = NULL;
	/* one quote at the end goes, whichever of the two it closes */
	if ((quoted || value) && text[length - 1] == '"')
		text[length - 1] = '\0';
	if (value && *value)
		memmove(value, value + 1, strlen(value));
	return text;
}

static bool is_name(const char *word, const char *name)
{
	size_t size = kernel_word_name_size(word);

	if (strlen(name) != size)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((word[i] == '-' ? '_' : word[i]) != (name[i] == '-' ? '_' : name[i]))
			return false;
	return true;
}

char *kernel_parameter(const char *command_line, const char *name)
{
	char *value = NULL;
	size_t size;
	bool open;

	for (size_t at = 0; kernel_word_next(command_line, &at, &size, &open); at += size) {
		cleanup_free char *word = kernel_word_text(command_line + at, size);

		if (!word)
			break;
		if (is_name(word, name)) {
			const char *sign = word + kernel_word_name_size(word);

			free(value);
			value = strdup(*sign ? sign + 1 : "");
		}
	}
	return value;
}
