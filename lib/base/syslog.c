/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: the system's log. Waits for no logger. */
#include "base/syslog.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

/* Facility daemon (3) and severity info (6). */
#define PRIORITY (3 * 8 + 6)

int syslog_connect(void)
{
	return syslog_connect_to("/dev/log");
}

int syslog_connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return TAKE_FD(fd);
}

void syslog_send(int fd, const char *program, const char *line)
{
	cleanup_free char *log = NULL;

	if (fd < 0)
		return;
	log = text_format("<%d>%s[%d]: %s", PRIORITY, program, (int)getpid(), line);
	if (!log)
		return;
	text_clean(log, "\t");
	syslog_send_raw(fd, log, strlen(log));
}

void syslog_send_raw(int fd, const void *datagram, size_t size)
{
	(void)!send(fd, datagram, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}
