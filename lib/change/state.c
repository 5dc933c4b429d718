/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: the state directory and its locks. Follows no symbolic link in there. */
#include "change/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static int open_directory(const struct sysroot *root, bool create, struct error *err)
{
	const char *name = strrchr(STATE_PATH, '/') + 1;
	cleanup_close int run = sysroot_openat(root, "run", O_PATH | O_DIRECTORY);
	int fd;

	if (run == -ENOENT && !create)
		return run;
	if (run < 0)
		return error_set(err, run, "cannot open /run: %s", strerror(-run));
	if (create && mkdirat(run, name, 0700) < 0 && errno != EEXIST)
		return error_set(err, -errno, "cannot make %s: %s%s", STATE_PATH, strerror(errno),
				 errno == EACCES ? "; this needs root" : "");
	fd = openat(run, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT && !create)
		return -ENOENT;
	return error_set(err, -errno, "cannot open %s: %s%s", STATE_PATH, strerror(errno),
			 errno == EACCES ? "; this needs root" : "");
}

int state_open(const struct sysroot *root, bool create, struct state *ret, struct error *err)
{
	cleanup_close int fd = open_directory(root, create, err);
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		return error_set(err, -errno, "cannot look at %s: %s", STATE_PATH, strerror(errno));
	if (status.st_uid != geteuid() || (status.st_mode & 077) != 0)
		return error_set(err, -EPERM,
				 "%s is not this program's: it belongs to uid %u with mode %o, and "
				 "must belong to uid %u with mode 700; remove it",
				 STATE_PATH, (unsigned)status.st_uid,
				 (unsigned)status.st_mode & 0777, (unsigned)geteuid());
	ret->fd = TAKE_FD(fd);
	return 0;
}

void state_done(struct state *state)
{
	close_and_reset(&state->fd);
	state->fd = -1;
}

static int lock(const struct state *state, const char *name, struct deadline deadline,
		struct error *err)
{
	cleanup_close int fd = -1;
	unsigned step = 0;

	fd = openat(state->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, -errno, "cannot open %s/%s: %s", STATE_PATH, name,
				 strerror(errno));
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_set(err, -errno, "cannot lock %s/%s: %s", STATE_PATH, name,
					 strerror(errno));
		if (!deadline_wait_step(deadline, &step))
			return error_set(err, -EWOULDBLOCK, "%s/%s is locked by another process",
					 STATE_PATH, name);
	}
	return TAKE_FD(fd);
}

int state_lock_vm(const struct state *state, uint32_t vmid, struct deadline deadline,
		  struct error *err)
{
	char name[32];

	snprintf(name, sizeof(name), "%u.lock", vmid);
	return lock(state, name, deadline, err);
}

static void physical_name(const char *physical, char name[64])
{
	snprintf(name, 64, "sriov-%s.lock", physical);
}

int state_lock_physical(const struct state *state, const char *physical, struct deadline deadline,
			struct error *err)
{
	char name[64];

	physical_name(physical, name);
	return lock(state, name, deadline, err);
}

bool state_physical_is_locked(const struct state *state, const char *physical)
{
	cleanup_close int fd = -1;
	char name[64];

	physical_name(physical, name);
	fd = openat(state->fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int state_lock_claims(const struct state *state, struct deadline deadline, struct error *err)
{
	return lock(state, "claims.lock", deadline, err);
}
