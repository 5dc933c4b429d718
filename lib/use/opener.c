/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: processes that have device nodes open. Signals nobody. */
#include "use/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/directory.h"
#include "base/lanes.h"
#include "host/remembered.h"
#include "use/pids.h"

#define DELETED " (deleted)"

/* Documentation/admin-guide/devices.txt */
#define MAJOR_MEMORY	1
#define MAJOR_TERMINAL	5 /* /dev/tty, /dev/ptmx */
#define MAJOR_PTS_FIRST 136
#define MAJOR_PTS_LAST	143

/* The same of the paths in a tree. */
static const char *const everyones[] = { "/dev/null",	 "/dev/zero", "/dev/full", "/dev/random",
					 "/dev/urandom", "/dev/tty",  "/dev/ptmx" };

static bool is_everyones(const struct node_id *id)
{
	return id->type == 'c' && (id->major == MAJOR_MEMORY || id->major == MAJOR_TERMINAL ||
				   (id->major >= MAJOR_PTS_FIRST && id->major <= MAJOR_PTS_LAST));
}

static bool is_everyones_path(const char *path)
{
	return TABLE_FIND(everyones, path) >= 0 || text_starts_with(path, "/dev/pts/");
}

/* Takes the path over. `first` is where the process's entries begin. */
static int add(struct openings *openings, size_t first, const struct opening *opening)
{
	for (size_t i = first; i < openings->count; i++) {
		const struct opening *known = &openings->items[i];

		if (known->id.type == opening->id.type && known->id.major == opening->id.major &&
		    known->id.minor == opening->id.minor &&
		    (known->id.type || strcmp(known->path, opening->path) == 0)) {
			free(opening->path);
			return 0;
		}
	}
	if (array_reserve(&openings->items, openings->count, sizeof(*opening)) < 0) {
		free(opening->path);
		return -ENOMEM;
	}
	openings->items[openings->count++] = *opening;
	return 0;
}

static ssize_t read_link(int fds, const char *name, char target[PATH_MAX])
{
	ssize_t size = readlinkat(fds, name, target, PATH_MAX - 1);

	target[size < 0 ? 0 : size] = '\0';
	return size;
}

/* On the machine the link leads to the file itself, in whatever namespace it is. */
static int look_at_descriptor(struct openings *openings, size_t first, pid_t pid, int fds,
			      const char *name)
{
	struct opening opening = { .pid = pid };
	char target[PATH_MAX];
	struct statx status;

	if (statx(fds, name, AT_STATX_DONT_SYNC, STATX_TYPE, &status) < 0 ||
	    (!S_ISCHR(status.stx_mode) && !S_ISBLK(status.stx_mode)))
		return 0;
	opening.id = (struct node_id){ S_ISCHR(status.stx_mode) ? 'c' : 'b', status.stx_rdev_major,
				       status.stx_rdev_minor };
	if (is_everyones(&opening.id) || read_link(fds, name, target) < 0)
		return 0;
	opening.path = strdup(target);
	return opening.path ? add(openings, first, &opening) : -ENOMEM;
}

/* The look at the processes of a tree. */
struct looking {
	const struct sysroot *root;
	struct remembered
		plain; /* paths that lead to no node: many processes have the same files open */
};

/* In a tree it is a text. "/dev/sda (deleted)": another node has that path now, or none. */
static int look_at_link(struct looking *looking, struct openings *openings, size_t first, pid_t pid,
			int fds, const char *name)
{
	struct opening opening = { .pid = pid };
	char target[PATH_MAX];
	size_t size;

	if (read_link(fds, name, target) < 0 || *target != '/' || is_everyones_path(target) ||
	    remembered_find(&looking->plain, target))
		return 0;
	size = strlen(target);
	if (size > strlen(DELETED) && strcmp(target + size - strlen(DELETED), DELETED) == 0)
		target[size - strlen(DELETED)] = '\0';
	if (node_look(looking->root, target + 1, &opening.id, &opening.path) < 0) {
		opening.path = strdup(target);
		if (!opening.path)
			return -ENOMEM;
	}
	if (opening.id.type ? is_everyones(&opening.id)
			    : !text_starts_with(opening.path, "/dev/")) {
		remembered_add(&looking->plain, target, 0, NULL, 0);
		free(opening.path);
		return 0;
	}
	return add(openings, first, &opening);
}

static int look_at_process(struct looking *looking, pid_t pid, struct openings *openings)
{
	const struct sysroot *root = looking->root;
	cleanup_close int fd = -1;
	size_t first = openings->count;
	struct directory directory;
	char path[SYSROOT_PATH_MAX];
	const char *name;
	int r;

	snprintf(path, sizeof(path), "proc/%d/fd", (int)pid);
	fd = sysroot_openat(root, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd == -ENOENT || fd == -ESRCH ? 0 : fd;
	directory_begin(&directory, fd);
	while ((r = directory_next(&directory, &name, NULL)) > 0) {
		if (root->live)
			r = look_at_descriptor(openings, first, pid, fd, name);
		else
			r = look_at_link(looking, openings, first, pid, fd, name);
		if (r < 0)
			return r;
	}
	/* ESRCH: it has ended meanwhile. */
	return r == -ESRCH || r == -ENOENT ? 0 : r;
}

/* ---- by several processes */

/*
 * From so many processes on the look at them is shared out. A descriptor takes the kernel some microseconds
 * (proc_fd_instantiate() and tid_fd_revalidate() in fs/proc/fd.c) whatever it is asked, and nothing but its
 * number tells a node; so what helps is that processors share it.
 */
#define CROWD	      1000u
#define SHARES_MOST   16u
#define SHARE_LATE_MS 60000u

struct crowd {
	const struct sysroot *root;
	const struct pids *pids;
	size_t shares;
	struct openings *openings; /* of the parent */
	int result;
};

/* In a lane: one report for each that was found: its node, and behind it the path. */
static void send_openings(int fd, const struct openings *openings)
{
	for (size_t i = 0; i < openings->count; i++) {
		const struct opening *opening = &openings->items[i];
		struct lane_report report = { .step = (size_t)opening->pid };
		const size_t room = sizeof(report.text) - sizeof(opening->id);

		memcpy(report.text, &opening->id, sizeof(opening->id));
		/* only in a tree it is the path that counts */
		if (snprintf(report.text + sizeof(opening->id), room, "%s", opening->path) >=
			    (int)room &&
		    !opening->id.type)
			report.result = -ENAMETOOLONG;
		lane_send(fd, &report);
	}
}

static void look_at_share(int fd, void *work, void *context)
{
	const struct crowd *crowd = context;
	struct looking looking = { .root = crowd->root };
	size_t first = *(const size_t *)work;

	for (size_t i = first; i < crowd->pids->count; i += crowd->shares) {
		cleanup_openings struct openings openings = { 0 };
		const struct process_id *id = &crowd->pids->items[i];
		int r = id->kernels && pid_is_thread(crowd->root, id)
				? 0
				: look_at_process(&looking, id->pid, &openings);

		if (r < 0)
			lane_send(fd, &(struct lane_report){ .result = r });
		send_openings(fd, &openings);
	}
}

static int add_report(const struct lane_report *report, struct openings *openings)
{
	struct opening opening = { .pid = (pid_t)report->step };

	if (report->result < 0)
		return report->result;
	memcpy(&opening.id, report->text, sizeof(opening.id));
	opening.path = strdup(report->text + sizeof(opening.id));
	return opening.path ? add(openings, openings->count, &opening) : -ENOMEM;
}

static void note_report(const struct lane_report *report, struct lane *lane, void *context)
{
	struct crowd *crowd = context;
	int r = add_report(report, crowd->openings);

	(void)lane;
	if (crowd->result == 0)
		crowd->result = r;
}

static size_t count_shares(const struct pids *pids)
{
	size_t processes = 0;
	cpu_set_t cpus;

	for (size_t i = 0; i < pids->count; i++)
		processes += !pids->items[i].kernels;
	if (processes < CROWD)
		return 1;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return SHARES_MOST;
	return CPU_COUNT(&cpus) < (int)SHARES_MOST ? (size_t)CPU_COUNT(&cpus) : SHARES_MOST;
}

/* Where one share was not looked at to its end, nothing is known. */
static int look_at_crowd(const struct sysroot *root, const struct pids *pids, size_t shares,
			 struct openings *openings)
{
	static const struct lanes_callbacks callbacks = { .run = look_at_share,
							  .report = note_report };
	struct crowd crowd = { root, pids, shares, openings, 0 };
	struct lane lanes[SHARES_MOST] = { 0 };
	size_t first[SHARES_MOST];
	int r;

	for (size_t i = 0; i < shares; i++) {
		first[i] = i;
		lanes[i].work = &first[i];
	}
	r = lanes_run(lanes, shares, SHARE_LATE_MS, &callbacks, &crowd);
	if (r == 0)
		r = crowd.result;
	for (size_t i = 0; i < shares && r == 0; i++)
		if (lanes[i].end != LANE_FINISHED)
			r = lanes[i].end == LANE_DIED ? -ECHILD : -ETIMEDOUT;
	return r;
}

static int look_at_all(const struct sysroot *root, const struct pids *pids,
		       struct openings *openings)
{
	struct looking looking = { .root = root };
	int r = 0;

	for (size_t i = 0; r == 0 && i < pids->count; i++)
		if (!pids->items[i].kernels || !pid_is_thread(root, &pids->items[i]))
			r = look_at_process(&looking, pids->items[i].pid, openings);
	remembered_done(&looking.plain);
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct opening *left = a, *right = b;

	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return strcmp(left->path, right->path);
}

void openings_read(const struct sysroot *root, struct openings *ret)
{
	cleanup_openings struct openings openings = { 0 };
	cleanup_pids struct pids pids = { 0 };
	int r = pids_list(root, &pids);
	size_t shares = count_shares(&pids);

	if (r == 0)
		r = shares > 1 ? look_at_crowd(root, &pids, shares, &openings)
			       : look_at_all(root, &pids, &openings);
	if (r < 0) {
		ret->unseen = error_set(&ret->why, r,
					"cannot read which files the processes have open: %s",
					strerror(-r));
		return;
	}
	if (openings.count > 1)
		qsort(openings.items, openings.count, sizeof(*openings.items), compare);
	*ret = TAKE_STRUCT(openings);
}

int openings_take(struct openings *openings, pid_t pid, struct openings *ret)
{
	size_t kept = 0, count = openings->count;
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		const struct opening *opening = &openings->items[i];

		if (r == 0 && opening->pid == pid)
			r = add(ret, 0, opening);
		else
			openings->items[kept++] = *opening;
	}
	openings->count = kept;
	return r;
}

void openings_done(struct openings *openings)
{
	for (size_t i = 0; i < openings->count; i++)
		free(openings->items[i].path);
	free(openings->items);
	*openings = (struct openings){ 0 };
}
