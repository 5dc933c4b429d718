/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: entries of systemd's journal. Waits for no logger. */
#include "base/journald.h"

#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/syslog.h"
#include "base/text.h"

/* "NAME\n", the value's size in eight bytes, the value, '\n' */
#define BESIDES 10

int journald_connect(const char *path)
{
	return syslog_connect_to(path);
}

static char *put(char *at, const char *data, size_t size)
{
	memcpy(at, data, size);
	return at + size;
}

/* "NAME=VALUE\n"; a value of several lines has its size before it, as a little-endian number. */
static char *put_field(char *at, const char *name, const char *value, size_t size)
{
	at = put(at, name, strlen(name));
	if (!memchr(value, '\n', size)) {
		*at++ = '=';
	} else {
		*at++ = '\n';
		for (unsigned byte = 0; byte < sizeof(uint64_t); byte++)
			*at++ = (char)((uint64_t)size >> (8 * byte));
	}
	at = put(at, value, size);
	*at++ = '\n';
	return at;
}

void journald_send(int fd, const struct journald_field fields[], size_t count)
{
	cleanup_free char *entry = NULL;
	size_t most = 0;
	char *at;

	for (size_t i = 0; i < count; i++)
		most += strlen(fields[i].name) + JOURNALD_VALUE_MAX + BESIDES;
	entry = fd < 0 ? NULL : malloc(most + 1);
	if (!entry)
		return;
	at = entry;
	for (size_t i = 0; i < count; i++) {
		cleanup_free char *value = NULL;

		if (!fields[i].value)
			continue;
		value = strndup(fields[i].value, JOURNALD_VALUE_MAX);
		if (!value)
			return;
		text_clean(value, "\t\n");
		at = put_field(at, fields[i].name, value, strlen(value));
	}
	syslog_send_raw(fd, entry, (size_t)(at - entry));
}
