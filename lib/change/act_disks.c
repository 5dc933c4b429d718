/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: letting go of what is built on a function's disks and not used, and what becomes of it when
 * they are the host's again. Takes nothing down that is open, and brings nothing up: udev does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/lanes.h"
#include "base/process.h"
#include "change/operations.h"
#include "host/unit.h"
#include "pci/driver.h"
#include "use/stack.h"
#include "use/storage.h"

/* The lane these run in may end them sooner. */
#define RELEASE_MS 15000
#define IN_USE_MS  3000	 /* as long as nothing goes */
#define RETURN_MS  20000 /* as long as udev or LVM has not finished */

/* How long a driver may take to find its disks. */
#define APPEAR_MS  3000

#define POLL_MS	   100

#define UDEV	   "run/udev/control"
#define UDEV_QUEUE "run/udev/queue" /* while there is something in it: sd-device's udev-util.c */
#define UDEV_DATA  "run/udev/data"
#define DATA_MAX   ((size_t)64 * 1024)
#define OUTPUT_MAX 4096

/* What LVM's rules for udev keep of a disk whose group they bring up, and the service that does. */
#define COMPLETE "E:LVM_VG_NAME_COMPLETE="

/*
 * The groups LVM has brought up for udev, a file each, and the disks it has seen for that, with their
 * numbers: lib/device/online.c in LVM2. A group it finds here it does not bring up again, nor one whose
 * disk has come back with another number.
 */
#define LVM_GROUPS "run/lvm/vgs_online"
#define LVM_DISKS  "run/lvm/pvs_online"

/* The words of a list, with blanks between. */
static int split_words(const char *list, struct strings *words)
{
	int r = 0;

	for (const char *at = list ? list : ""; r == 0 && *at;) {
		cleanup_free char *word = strndup(at, strcspn(at, " "));

		r = word ? strings_add(words, word) : -ENOMEM;
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	return r;
}

/* ---- letting go */

/* As `vgchange -an` does after the last volume. */
static void forget_group(const struct sysroot *root, const struct block *block)
{
	cleanup_free char *group = stack_group(block);
	cleanup_close int folder = -1;

	if (!group)
		return;
	folder = sysroot_openat(root, LVM_GROUPS, O_PATH | O_DIRECTORY);
	if (folder >= 0)
		(void)unlinkat(folder, group, 0);
}

/* As `pvscan --cache` does for a disk that is gone; udev's rules do not call it. */
static void forget_disk(const struct sysroot *root, const struct block *block)
{
	cleanup_close int folder = sysroot_openat(root, LVM_DISKS, O_PATH | O_DIRECTORY);
	cleanup_strings struct strings names = { 0 };

	if (folder < 0 || !block->number || sysroot_list(root, LVM_DISKS, &names) < 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format(LVM_DISKS "/%s", names.items[i]);
		cleanup_free char *data = NULL;
		size_t size = strlen(block->number), got;

		/* "259:3" and a newline come first */
		if (path && sysroot_read(root, path, ATTRIBUTE_MAX, &data, &got) == 0 &&
		    text_starts_with(data, block->number) && data[size] == '\n')
			(void)unlinkat(folder, names.items[i], 0);
	}
}

/*
 * Lets go of the layers at the top, but for those in `stay`; what is built last is last in the list.
 * True in `ret_any` where there was one. The first failure, but for what is gone by itself.
 */
static int release_top(const struct sysroot *root, const struct blocks *blocks,
		       const struct strings *stay, bool *ret_any)
{
	int first = 0;

	for (size_t i = blocks->count; i-- > 0;) {
		const struct block *block = &blocks->items[i];
		cleanup_free char *word = NULL;
		int r = stack_word(root, block, &word);

		if (r < 0)
			return r;
		if (!word || stack_has_word(stay, word) || stack_is_held(root, block))
			continue;
		*ret_any = true;
		r = stack_release(root, block);
		if (r == 0) {
			forget_group(root, block);
			forget_disk(root, block);
		}
		if (r < 0 && r != -ENXIO && r != -ENOENT && r != -ENODEV && first == 0)
			first = r;
	}
	return first;
}

/* What a call of release_idle() came to. */
struct release {
	bool any;     /* there was something to let go of */
	size_t count; /* of block devices, before it */
};

/*
 * Looks once more, and lets go of what nobody uses, from the top: what is below is free after that,
 * and goes with the next call. -EBUSY where something is in use: then nothing is touched, or no more.
 */
static int release_idle(const struct sysroot *root, const struct storage_question *question,
			const struct strings *stay, struct release *ret, struct error *err)
{
	cleanup_strings struct strings uses = { 0 }, idle = { 0 };
	cleanup_blocks struct blocks blocks = { 0 };
	int r = storage_look(root, question, &uses, &idle, err);

	ret->any = false;
	if (r < 0)
		return r;
	if (uses.count > 0)
		return error_set(err, -EBUSY, "%s", uses.items[0]);
	if (idle.count == 0)
		return 0;
	r = blocks_find(root, question->address, &blocks);
	ret->count = blocks.count;
	if (r == 0)
		r = release_top(root, &blocks, stay, &ret->any);
	return r < 0 ? error_set(err, r, "what is built on its disks (%s) cannot be released: %s",
				 idle.items[0], strerror(-r))
		     : 0;
}

static bool is_partition(const struct sysroot *root, const struct block *block)
{
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/partition", BLOCK_CLASS, block->name);
	return sysroot_exists(root, path);
}

/* In a tree nobody can be asked. */
static bool is_built_on(const struct sysroot *root, const struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->count; i++)
		if (blocks->items[i].base || stack_is_bcache(root, &blocks->items[i]))
			return true;
	return false;
}

/*
 * Takes the whole disks for this process, so that the kernel lets no other have them or their
 * partitions: no volume, array or mount comes in between. The descriptors stay open until the lane
 * ends, in which the driver goes next. -EBUSY where something has a disk. One that cannot be opened,
 * as a drive without a medium, has no user either.
 */
static int claim(const struct sysroot *root, const char *address)
{
	cleanup_blocks struct blocks blocks = { 0 };
	cleanup_free int *fds = NULL;
	size_t count = 0;
	int r = blocks_find(root, address, &blocks);

	if (r < 0)
		return r;
	if (!root->live)
		return is_built_on(root, &blocks) ? -EBUSY : 0;
	fds = calloc(blocks.count + 1, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < blocks.count; i++) {
		const struct block *block = &blocks.items[i];
		int fd;

		if (block->base || block->hidden || is_partition(root, block))
			continue;
		fd = sysroot_openat(root, block->node + 1,
				    O_RDONLY | O_EXCL | O_NONBLOCK | O_NOCTTY);
		if (fd >= 0)
			fds[count++] = fd;
		else if (fd == -EBUSY)
			r = fd;
	}
	while (r < 0 && count > 0)
		close(fds[--count]);
	for (size_t i = 0; r == 0 && i < blocks.count; i++)
		forget_disk(root, &blocks.items[i]);
	return r;
}

/* Less than the lane has, which is killed at its deadline: tools may be slow, and a word is to be said. */
static struct deadline patience(unsigned most_ms)
{
	unsigned half_ms = lane_left_ms() / 2;

	return deadline_in_ms(half_ms < most_ms ? half_ms : most_ms);
}

int disks_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	struct deadline deadline = patience(RELEASE_MS), in_use = patience(IN_USE_MS);
	cleanup_strings struct strings functions = { 0 };
	char address[PCI_ADDRESS_TEXT];
	const struct storage_question question = { address, &functions, NULL, NULL, NULL };
	const struct strings none = { 0 };
	struct release release = { 0 };
	unsigned step = 0;
	int r;

	(void)action_split(action, address);
	/* behind the first word: the other functions on whose disks a layer may lie */
	if (split_words(action->wanted, &functions) < 0 || strings_add(&functions, address) < 0)
		return error_set_memory(err);
	do {
		size_t count = release.count;

		if (claim(root, address) == 0)
			return 0;
		r = release_idle(root, &question, &none, &release, err);
		/* Also where the lane of another function lets go of what lies on the disks of both. */
		if ((r == 0 && release.any) || release.count != count)
			in_use = deadline_in_ms(IN_USE_MS);
		else if (r == 0)
			r = error_set(err, -EBUSY, "something in the kernel uses its disks");
		/* What is just going cannot be read for a moment. */
	} while (r != -ENOMEM && !deadline_passed(deadline) && deadline_wait_step(in_use, &step));
	/* The last of it may just have gone. */
	if (claim(root, address) == 0)
		return 0;
	return r == 0 ? error_set(err, -EBUSY, "what is built on its disks comes again and again")
		      : r;
}

/* ---- the way back */

/* A driver finds its disks some time after its probe. */
static void wait_for_disks(const struct sysroot *root, const char *address)
{
	struct deadline deadline = deadline_in_ms(APPEAR_MS);
	unsigned step = 0;

	do {
		cleanup_blocks struct blocks blocks = { 0 };

		if (blocks_find(root, address, &blocks) < 0 || blocks.count > 0)
			return;
	} while (deadline_wait_step(deadline, &step));
}

static bool udev_knows(const struct sysroot *root, const char *address)
{
	cleanup_blocks struct blocks blocks = { 0 };

	if (blocks_find(root, address, &blocks) < 0)
		return true;
	for (size_t i = 0; i < blocks.count; i++) {
		const struct block *block = &blocks.items[i];
		char path[SYSROOT_PATH_MAX];

		if (block->base || block->hidden || !block->number)
			continue;
		snprintf(path, sizeof(path), UDEV_DATA "/b%s", block->number);
		if (!sysroot_exists(root, path))
			return false;
	}
	return true;
}

/*
 * A disk is in sysfs before its partitions are looked for, and udev learns of it after that
 * (device_add_disk() in block/genhd.c): what asks udev in between finds it idle. It keeps a file for
 * each disk and partition once it has dealt with it.
 */
static void wait_for_udev(const struct sysroot *root, const char *address, struct deadline deadline)
{
	struct deadline idle = deadline_in_ms(APPEAR_MS);
	unsigned step = 0;

	while (!udev_knows(root, address)) {
		if (sysroot_exists(root, UDEV_QUEUE))
			idle = deadline_in_ms(APPEAR_MS);
		if (deadline_passed(deadline) || !deadline_wait_step(idle, &step))
			return;
	}
}

/* True when udev has finished with all events; it exits with 1 at the limit. */
static bool settle(const struct sysroot *root, struct deadline deadline)
{
	cleanup_free char *limit = text_format("--timeout=%d", deadline_left_ms(deadline) / 1000);
	cleanup_process_end struct process_end end = { 0 };

	if (!root->live)
		return true;
	return limit &&
	       process_run((const char *const[]){ "udevadm", "settle", limit, NULL },
			   (unsigned)deadline_left_ms(deadline) + 1000, OUTPUT_MAX, &end,
			   NULL) == 0 &&
	       end.status == 0;
}

/*
 * A disk that has never left the host, as where a start has failed, is new to udev only when it is
 * told so: Documentation/ABI/stable/sysfs-uevent.
 */
static void announce_disks(const struct sysroot *root, const char *address)
{
	cleanup_blocks struct blocks blocks = { 0 };

	if (blocks_find(root, address, &blocks) < 0)
		return;
	for (size_t i = 0; i < blocks.count; i++) {
		char path[SYSROOT_PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s/uevent", BLOCK_CLASS, blocks.items[i].name);
		(void)sysroot_write_attribute(root, path, "add");
	}
}

/* LVM brings a group up in a service, which is still running, or to be started. */
static bool is_coming(const struct sysroot *root, const struct block *block)
{
	cleanup_free char *path = NULL, *data = NULL, *unit = NULL;
	const char *group;
	bool coming;
	size_t size;

	path = text_format(UDEV_DATA "/b%s", block->number ? block->number : "");
	if (!path || sysroot_read(root, path, DATA_MAX, &data, &size) < 0)
		return false;
	group = strstr(data, COMPLETE);
	if (!group)
		return false;
	group += strlen(COMPLETE);
	unit = text_format("lvm-activate-%.*s.service", (int)strcspn(group, "\n"), group);
	return unit && unit_is_coming(root, unit, &coming, NULL) == 0 && coming;
}

static bool is_any_coming(const struct sysroot *root, const char *address)
{
	cleanup_blocks struct blocks blocks = { 0 };
	bool coming = false;

	if (blocks_find(root, address, &blocks) < 0)
		return false;
	for (size_t i = 0; i < blocks.count && !coming; i++)
		coming = is_coming(root, &blocks.items[i]);
	return coming;
}

/* Of the layers that were up before, the first that is not; NULL: none. Nobody here has its key. */
static char *find_missing(const struct sysroot *root, const char *address,
			  const struct strings *before, bool keyless)
{
	cleanup_strings struct strings now = { 0 };

	if (before->count == 0 || stack_words(root, address, &now) < 0)
		return NULL;
	for (size_t i = 0; i < before->count; i++)
		if (!stack_has_word(&now, before->items[i]) &&
		    !(keyless && text_starts_with(before->items[i], "crypt:")))
			return strdup(before->items[i]);
	return NULL;
}

/*
 * Lets udev bring up what was up before, and lets go of what was not. Returns when there is nothing
 * more to come; false at the deadline, when there may be.
 */
static bool bring_back(const struct sysroot *root, const struct storage_question *question,
		       const struct strings *before, struct deadline deadline)
{
	bool udev = sysroot_exists(root, UDEV), announced = false;
	struct release release = { 0 };

	if (root->live && udev)
		wait_for_udev(root, question->address, deadline);
	do {
		cleanup_free char *missing = NULL;
		struct error ignored;
		bool coming = false;

		/* Before the look, which then sees what has come by then. */
		if (udev)
			coming = !settle(root, deadline) || is_any_coming(root, question->address);
		/* What somebody uses by now is theirs; but who brings a layer up has the disk open, too. */
		if (release_idle(root, question, before, &release, &ignored) < 0 && !coming)
			return true;
		missing = find_missing(root, question->address, before, true);
		if (udev && missing && !coming && !announced) {
			announce_disks(root, question->address);
			announced = release.any = true;
		}
		if (!release.any && !coming)
			return true;
		clock_sleep_ms(POLL_MS);
	} while (!deadline_passed(deadline));
	return false;
}

/*
 * udev brings up what it finds, as at boot. What was up before the VM had the disk is waited for, so
 * that a start that comes at once finds it; what was not up is let go of again.
 */
int disks_revert(const struct sysroot *root, const struct action *action, const char **note,
		 struct error *err)
{
	cleanup_strings struct strings functions = { 0 }, before = { 0 };
	cleanup_free char *driver = NULL, *missing = NULL, *title = NULL;
	char address[PCI_ADDRESS_TEXT];
	const struct storage_question question = { address, &functions, NULL, NULL, NULL };
	bool settled;
	int r;

	(void)action_split(action, address);
	r = pci_driver_read(root, address, &driver);
	if (r == -ENODEV || (r == 0 && !driver)) {
		*note = NOTE_GONE;
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "cannot read its driver: %s", strerror(-r));
	if (strstr(driver, "vfio"))
		return error_set(err, -EBUSY, "its disks are not the host's again");
	if (split_words(action->wanted, &functions) < 0 || strings_add(&functions, address) < 0 ||
	    split_words(action->before, &before) < 0)
		return error_set_memory(err);
	wait_for_disks(root, address);
	settled = bring_back(root, &question, &before, patience(RETURN_MS));
	missing = find_missing(root, address, &before, true);
	if (!missing)
		missing = find_missing(root, address, &before, false);
	title = missing ? stack_title(missing) : NULL;
	if (title) {
		error_set(err, 0,
			  settled || text_starts_with(missing, "crypt:")
				  ? "%s was up before the VM had the disk, and is not now"
				  : "%s was up before the VM had the disk; udev is still at it",
			  title);
		*note = err->message;
	}
	return 0;
}
