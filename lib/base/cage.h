/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: what a process gives up before it works, so that a fault in it can do little: files, by Landlock
 * (landlock(7), from Linux 5.13), and system calls, by a filter (seccomp(2)). None of it comes back, and
 * children have it too. What the kernel cannot do is left out; nothing is refused for that.
 * This room holds no domain word.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What is allowed below a path, besides looking at names, links and what stat(2) tells. */
enum cage_files {
	CAGE_READ = 1 << 0,  /* files and directories */
	CAGE_WRITE = 1 << 1, /* files that are there */
	CAGE_MAKE = 1 << 2,  /* and make, rename and remove files */
};

/* System calls that are left, of those that are taken. */
enum cage_calls {
	CAGE_NETLINK = 1 << 0, /* sockets of this one family */
	CAGE_MODULES = 1 << 1, /* load and unload kernel modules */
	CAGE_MODES = 1 << 2,   /* who may use a file */
	CAGE_PLAY = 1 << 3, /* what a stand-in for the kernel does in tests: signals, truncate(2) */
};

/* One that is being built. */
struct cage {
	int fd; /* Landlock's rules, or -1 */
	uint64_t handled;
};

/*
 * From cage_enter() on nothing can be executed, written, made or removed but what cage_allow() adds; with
 * `reads` nothing be read either. Reading stays free before Linux 5.19 (Landlock's second version): a driver
 * that a write binds loads its firmware with the rights of who writes, before "firmware_loader: use kernel
 * credentials when reading firmware".
 */
void cage_begin(struct cage *cage, bool reads);

/*
 * Adds what is below the path at which `fd` is open (O_PATH). -ENOENT and -ENODEV: nothing; with any other errno,
 * or where the kernel does not take it, files are not confined at all. It stays open, as the rules do: a process
 * that is about to end would close both for nothing.
 */
void cage_allow(struct cage *cage, int fd, unsigned files);

/*
 * Closes the cage. Taken are, whatever the files, the calls by which a process runs programs, reaches other
 * processes, makes sockets, mounts, or changes the kernel and the machine's settings: they fail with EPERM.
 * A list of those, and not of what is used: who is refused a call that a new C library makes gives nothing
 * back, in the middle of the night. At most four system calls, but for what cage_allow() takes.
 */
void cage_enter(const struct cage *cage, unsigned calls);

/* What a cage of this kernel lacks, in words; NULL: nothing. */
const char *cage_lacks(void);
