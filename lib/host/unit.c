/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: systemd units. Asks systemctl for nothing but is-active, show, stop and start. */
#include "host/unit.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"

#define OUTPUT_MAX   4096
#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@"
#define SERVICE	     ".service"
#define SCOPE	     ".scope"
#define SLICE	     ".slice"
#define CONTAINER    "pve-container@"

/* Of systemctl(1), "Exit status": what is-active tells of a unit that is not, or is not there. */
#define STATUS_INACTIVE 3
#define STATUS_UNKNOWN	4

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), tail = strlen(end);

	return size > tail && strcmp(text + size - tail, end) == 0;
}

bool unit_name_is_service(const char *name)
{
	return *name != '-' && ends_with(name, SERVICE) && strlen(name) < 256 &&
	       name[strspn(name, NAME_LETTERS)] == '\0';
}

/* What systemctl has said, as part of a sentence. */
static const char *one_line(char *output)
{
	size_t size = strlen(output);

	while (size > 0 && output[size - 1] == '\n')
		output[--size] = '\0';
	for (char *c = output; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return output;
}

static int systemctl(const char *verb, const char *unit, unsigned deadline_ms,
		     struct process_end *end, struct error *err)
{
	const char *const argv[] = { "systemctl", "--no-ask-password", verb, "--", unit, NULL };

	return process_run(argv, deadline_ms, OUTPUT_MAX, end, err);
}

/* What pve-container@200.service starts moves to a control group of its own: lxc/200. */
static bool container_is_there(const struct sysroot *root, const char *unit)
{
	size_t size = strlen(unit), before = strlen(CONTAINER), after = strlen(SERVICE);
	char path[SYSROOT_PATH_MAX];

	if (size <= before + after || strncmp(unit, CONTAINER, before) != 0)
		return false;
	snprintf(path, sizeof(path), "sys/fs/cgroup/lxc/%.*s", (int)(size - before - after),
		 unit + before);
	return sysroot_exists(root, path);
}

static bool is_there(const struct sysroot *root, const char *unit)
{
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "sys/fs/cgroup/system.slice/%s", unit);
	return sysroot_exists(root, path) || container_is_there(root, unit);
}

int unit_is_active(const struct sysroot *root, const char *unit, bool *ret, struct error *err)
{
	cleanup_process_end struct process_end end = { 0 };
	int r;

	if (!root->live) {
		*ret = is_there(root, unit);
		return 0;
	}
	r = systemctl("is-active", unit, UNIT_ASK_MS, &end, err);
	if (r < 0)
		return r;
	if (end.status != 0 && end.status != STATUS_INACTIVE && end.status != STATUS_UNKNOWN)
		return error_set(err, -EIO, "systemctl is-active %s: %s", unit,
				 one_line(end.output));
	*ret = end.status == 0;
	return 0;
}

int unit_is_coming(const struct sysroot *root, const char *unit, bool *ret, struct error *err)
{
	const char *const argv[] = { "systemctl", "show", "--property=ActiveState,Job",
				     "--",	  unit,	  NULL };
	cleanup_process_end struct process_end end = { 0 };
	const char *job;
	int r;

	if (!root->live) {
		*ret = is_there(root, unit);
		return 0;
	}
	r = process_run(argv, UNIT_ASK_MS, OUTPUT_MAX, &end, err);
	if (r < 0)
		return r;
	if (end.status != 0)
		return error_set(err, -EIO, "systemctl show %s: %s", unit, one_line(end.output));
	/* "Job=1234", or "Job=" of a unit without one */
	job = strstr(end.output, "Job=");
	*ret = (!strstr(end.output, "ActiveState=inactive") &&
		!strstr(end.output, "ActiveState=failed")) ||
	       (job && isdigit((unsigned char)job[strlen("Job=")]));
	return 0;
}

bool unit_system_is_stopping(const struct sysroot *root)
{
	static const char *const argv[] = { "systemctl", "is-system-running", NULL };
	cleanup_process_end struct process_end end = { 0 };

	return root->live && process_run(argv, UNIT_ASK_MS, OUTPUT_MAX, &end, NULL) == 0 &&
	       text_starts_with(end.output, "stopping");
}

static int change(const struct sysroot *root, const char *verb, const char *unit, bool wanted,
		  unsigned deadline_ms, struct error *err)
{
	cleanup_process_end struct process_end end = { 0 };
	bool active = false;
	int r;

	if (!root->live)
		return error_set(err, -EOPNOTSUPP, "no unit can be changed in '%s'", root->path);
	r = systemctl(verb, unit, deadline_ms, &end, err);
	if (r < 0)
		return r;
	if (end.status != 0)
		return error_set(err, -EIO, "systemctl %s %s: %s", verb, unit,
				 one_line(end.output));
	r = unit_is_active(root, unit, &active, err);
	if (r == 0 && active != wanted)
		return error_set(err, -EIO, "systemctl %s %s went well, but the unit is %s", verb,
				 unit, active ? "active" : "not active");
	return r;
}

int unit_stop(const struct sysroot *root, const char *unit, unsigned deadline_ms, struct error *err)
{
	return change(root, "stop", unit, false, deadline_ms, err);
}

int unit_start(const struct sysroot *root, const char *unit, unsigned deadline_ms,
	       struct error *err)
{
	return change(root, "start", unit, true, deadline_ms, err);
}

/*
 * "0::/user.slice/user-1000.slice/user@1000.service/app.slice/pipewire.service": above the unit
 * there are slices alone. In "0::/lxc/101/ns/system.slice/x.service" it is a container's.
 */
static char *find_unit(char *line)
{
	char *rest = strchr(line, '/');
	char *part;

	while (rest && (part = strsep(&rest, "/"))) {
		if (ends_with(part, SERVICE) || ends_with(part, SCOPE))
			return strdup(part);
		if (*part && !ends_with(part, SLICE))
			return NULL;
	}
	return NULL;
}

char *unit_of_process(const struct sysroot *root, pid_t pid)
{
	cleanup_free char *groups = NULL;
	char path[SYSROOT_PATH_MAX];
	char *rest, *line;

	snprintf(path, sizeof(path), "proc/%d/cgroup", (int)pid);
	if (sysroot_read_attribute(root, path, &groups) < 0)
		return NULL;
	rest = groups;
	/* Version 2 has the line "0::…", version 1 one of "name=systemd". */
	while ((line = strsep(&rest, "\n")))
		if (text_starts_with(line, "0::") || strstr(line, ":name=systemd:")) {
			char *unit = find_unit(line);

			if (unit)
				return unit;
		}
	return NULL;
}
