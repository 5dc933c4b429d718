/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: entries of systemd's journal, with fields, by its native protocol: a datagram an entry
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/).
 * This room holds no domain word.
 */
#pragma once

#include <stddef.h>

#define JOURNALD_SOCKET "/run/systemd/journal/socket"

/* The most that an entry has of one value; what is longer is cut. */
#define JOURNALD_VALUE_MAX 8192

/* `name` is of A-Z, 0-9 and '_', and begins with a letter; a field without a value is left out. */
struct journald_field {
	const char *name, *value;
};

/* A socket, or -1 where nobody listens at `path`. Does not block. */
int journald_connect(const char *path);

/*
 * Sends an entry; control characters of its values but tabs and ends of lines are replaced. -1:
 * nothing. What cannot be taken at once is dropped: nobody waits for a logger.
 */
void journald_send(int fd, const struct journald_field fields[], size_t count);
