/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio metrics. The node at a glance for Prometheus; changes nothing of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "report/metrics.h"
#include "setup/setup.h"

/* In a moment the file has all of it, or what it had: node_exporter may read it just then. */
static int write_file(const char *path, const char *text, struct error *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	const char *name = slash ? slash + 1 : path;
	cleanup_close int fd = -1;
	int r;

	if (!folder)
		return error_set_memory(err);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : file_replace_mode_at(fd, name, text, strlen(text), 0644);
	return r < 0 ? error_set(err, r, "cannot write '%s': %s", path, strerror(-r)) : 0;
}

int verb_metrics(struct command *command, struct error *err)
{
	const char *path = command_value(command, "-o");
	cleanup_glance struct glance glance = { 0 };
	cleanup_free char *text = NULL;
	int r = glance_read(&command->root, &glance, err);

	if (r < 0)
		return r;
	text = metrics_text(&glance, command_has(command, "--openmetrics"));
	if (!text)
		return error_set_memory(err);
	if (path)
		return write_file(path, text, err);
	fputs(text, stdout);
	return 0;
}
