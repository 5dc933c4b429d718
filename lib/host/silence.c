/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: paths that do not answer. Asks none of them anything. */
#include "host/silence.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/blocked.h"
#include "base/file.h"

#define MOUNTINFO_MAX ((size_t)8 << 20)

/* What is served by another machine, or by a program, and so can fall silent as a whole. */
static bool is_remote(const char *type)
{
	static const char *const types[] = { "9p",  "ceph",	 "cifs", "fuse",  "gfs2",
					     "nfs", "glusterfs", "smb3", "ocfs2", "virtiofs" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (text_starts_with(type, types[i]))
			return true;
	return false;
}

/* "36 35 98:0 /root /point options - type source": the point, and the type. */
static bool split_line(char *line, char **ret_point, char **ret_type)
{
	char *rest = line, *dash;

	for (size_t i = 0; i < 4 && rest; i++)
		strsep(&rest, " ");
	*ret_point = rest ? strsep(&rest, " ") : NULL;
	dash = rest ? strstr(rest, " - ") : NULL;
	if (!dash)
		return false;
	*ret_type = dash + strlen(" - ");
	return true;
}

/* Points with blanks are written with escapes, and are not found: then the path itself is silent. */
static char *find_remote_mount(const char *path)
{
	cleanup_close int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	cleanup_free char *data = NULL;
	char *rest, *line, *point, *type, *found = NULL;
	size_t size, longest = 0;
	bool remote = false;

	if (fd < 0 || file_read_fd(fd, MOUNTINFO_MAX, &data, &size) < 0)
		return NULL;
	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		if (!split_line(line, &point, &type))
			continue;
		size = strlen(point);
		if (size < longest || strncmp(path, point, size) != 0 ||
		    (path[size] != '/' && path[size] != '\0'))
			continue;
		longest = size;
		found = point;
		remote = is_remote(type);
	}
	return found && remote ? strdup(found) : NULL;
}

bool silence_add(struct strings *silent, const char *path)
{
	cleanup_free char *mount = *path ? find_remote_mount(path) : NULL;

	if (mount)
		path = mount;
	if (!*path || strings_has(silent, path) || strings_add(silent, path) < 0)
		return false;
	return silent->count < SILENCE_MOST;
}

static const char *guess_reason(const char *path)
{
	if (strstr(path, "/sys/devices/pci") || strstr(path, "/sys/bus/pci/"))
		return ": a driver that hangs with this device may have its lock; see "
		       "'journalctl -k'";
	if (strstr(path, "/etc/pve"))
		return ": see 'systemctl status pve-cluster'";
	if (strcmp(path, BLOCKED_NETLINK) == 0)
		return ": a driver that hangs may have the kernel's lock on network interfaces; see "
		       "'journalctl -k'";
	if (strstr(path, "/mnt/pve/"))
		return ": see 'pvesm status'";
	return "";
}

char *silence_words(const struct guard_silence *silence)
{
	cleanup_free char *process = NULL;

	if (silence->stuck)
		process =
			text_format("; process %d stays in the kernel with it", (int)silence->pid);
	return text_format("%s has not answered within %u s%s%s",
			   *silence->path ? silence->path : "a file", silence->limit_ms / 1000,
			   guess_reason(silence->path), process ? process : "");
}
