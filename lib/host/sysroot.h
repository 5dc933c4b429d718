/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: the tree that is worked on. Every path of the programs is relative to one directory
 * descriptor: "/" on a node, another tree with --root and in tests.
 * Paths are written without a leading slash: "sys/bus/pci/devices".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct netlink_message;

/* The longest path the programs put together. */
#define SYSROOT_PATH_MAX 512

/* Limits for what is read whole. An attribute of sysfs is at most a page (sysfs.rst). */
#define ATTRIBUTE_MAX 4096

struct sysroot {
	int fd;	   /* the directory */
	bool live; /* it is the running machine's "/" */
	char *path;
	/*
	 * Stands in for write(2) to an attribute of sysfs, so that tests/fake can play a kernel
	 * that refuses or stalls; NULL in the programs. Returns 0 or -errno.
	 */
	int (*fake_write)(const struct sysroot *root, const char *path, const char *value);
	/* Says before open(2) of a path that it fails: 0 or -errno. NULL in the programs. */
	int (*fake_open)(const struct sysroot *root, const char *path);
	/* Answers a request of host/netlink.h: what recv(2) would give, or -errno. NULL in the programs. */
	int (*fake_netlink)(const struct sysroot *root, int protocol,
			    const struct netlink_message *request, uint8_t **ret_data,
			    size_t *ret_size);
	/* What is remembered of the tree while it is only looked at: use/child.h. NULL: nothing. */
	struct child_memory *children;
	/* What was read of it meanwhile: host/remembered.h. NULL: nothing is remembered. */
	struct remembered *remembered;
	/*
	 * What has not answered when the same was done before (base/guard.h), as whole paths of this
	 * machine: opening it, or what is below it, gives -ETIMEDOUT. NULL: nothing.
	 */
	const struct strings *silent;
	/* All is done anew without what does not answer, so nothing needs a lane to be read. */
	bool anew;
};

/* Opens the tree at `path` ("/" for the machine itself). */
int sysroot_open(const char *path, struct sysroot *ret, struct error *err) must_check;
void sysroot_done(struct sysroot *root);
#define cleanup_sysroot cleanup(sysroot_done)

/*
 * openat(2) below the root, always O_CLOEXEC. In a tree that is not live an absolute symbolic
 * link leads to the same tree, never out of it (openat2(2), RESOLVE_IN_ROOT).
 * Returns a descriptor or -errno.
 */
int sysroot_openat(const struct sysroot *root, const char *path, int flags);

/*
 * Opens a regular file for reading; another kind is not opened at all, since opening a device node
 * can move, reset or block the device. -EINVAL: it is of another kind. For names that somebody wrote
 * into a configuration.
 */
int sysroot_open_file(const struct sysroot *root, const char *path);

/* sysroot_openat() for a name in a folder that has been opened so; never through a symbolic link. */
int sysroot_openat_in(const struct sysroot *root, int folder, const char *name, int flags);

/* 1: it is there; 0: it is not; or -errno: that cannot be determined. */
int sysroot_find(const struct sysroot *root, const char *path) must_check;

/* The same where it does no harm to take what cannot be determined for what is not there. */
bool sysroot_exists(const struct sysroot *root, const char *path);

/*
 * The path that `path` leads to when all its links are followed, with a leading slash:
 * "/dev/dri/renderD128" for "dev/dri/by-path/pci-0000:01:00.0-render". Of a path at whose end there
 * is nothing only the last part's links are followed. Opens nothing but with O_PATH. 0 or -errno.
 */
int sysroot_resolve(const struct sysroot *root, const char *path, char **ret_path);

/* Reads a whole file of at most `max` bytes; see file_read_fd(). */
int sysroot_read(const struct sysroot *root, const char *path, size_t max, char **ret_data,
		 size_t *ret_size);

/* The same of what sysroot_open_file() opens. */
int sysroot_read_file(const struct sysroot *root, const char *path, size_t max, char **ret_data,
		      size_t *ret_size);

/*
 * Reads an attribute of sysfs or procfs, without its final newline. May block where the kernel
 * does: what waits for a device's lock is in ARCHITECTURE.md, "What can block".
 */
int sysroot_read_attribute(const struct sysroot *root, const char *path, char **ret_value);

/* The same of one of sysfs, in its folder, which is open. */
int sysroot_read_attribute_in(const struct sysroot *root, int folder, const char *name,
			      char **ret_value);

/* An attribute that is one number in hexadecimal, as PCI attributes are. */
int sysroot_read_hex(const struct sysroot *root, const char *path, unsigned *ret);

/*
 * Stores `value` in an attribute that exists, with exactly one write(2), as sysfs wants it.
 * Success says that the kernel took the value, not that it had the effect: read it back.
 */
int sysroot_write_attribute(const struct sysroot *root, const char *path, const char *value);

/*
 * Writes "FOLDER/NAME/ATTRIBUTE", or "FOLDER/NAME" for an empty ATTRIBUTE, cut where there is no room. Not
 * by snprintf(), for a look at a machine needs thousands of these.
 */
void sysroot_path(char path[SYSROOT_PATH_MAX], const char *folder, const char *name,
		  const char *attribute);

/* The last part of what a symbolic link points to, such as the driver's name. -ENOENT if none. */
int sysroot_link_name(const struct sysroot *root, const char *path, char **ret_name);

/* The names in a directory, sorted, without "." and "..". Added to `names`. */
int sysroot_list(const struct sysroot *root, const char *path, struct strings *names);
