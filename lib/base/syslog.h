/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the system's log, by datagrams to /dev/log (RFC 3164, as syslog(3) sends them).
 * This room holds no domain word.
 */
#pragma once

#include <stddef.h>

/* A socket, or -1 where nobody listens. Does not block. */
int syslog_connect(void);

/* The same where somebody listens at `path`. */
int syslog_connect_to(const char *path);

/*
 * Sends a line of a program, with facility "daemon" and severity "info"; control characters are
 * replaced. -1: nothing. What cannot be taken at once is dropped: nobody waits for a logger.
 */
void syslog_send(int fd, const char *program, const char *line);

/* Sends a datagram as it is, in the same way. */
void syslog_send_raw(int fd, const void *datagram, size_t size);
