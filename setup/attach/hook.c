/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the hookscript of a VM: which storage has it, and whether it is there and current. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "pve/pve.h"
#include "setup/ask.h"
#include "setup/attach/attach.h"
#include "setup/print.h"

/* The program is about 1 MB. */
#define HOOK_SIZE_MAX ((size_t)64 << 20)

/* A program of ours has its own name in it. */
static const char mark[] = "pve-vfio-hook";

bool attach_hook_is_ours(const char *volume)
{
	size_t size = strlen(volume), tail = strlen(HOOK_VOLUME);

	return size > tail && strcmp(volume + size - tail, HOOK_VOLUME) == 0;
}

/* ---- another hookscript */

static int look_at_other(struct attach *attach, const char *other, struct error *err)
{
	const struct attach_options *options = attach->options;
	int answer = options->chain || options->yes;

	if (!answer)
		print_sentence(
			STDERR_FILENO, "", "",
			"VM %u has a hookscript already: '%s'. Proxmox VE runs one only. "
			"With --chain, pve-vfio-hook takes its place and runs it in each phase: "
			"before the devices are taken in pre-start, and after its own work in the "
			"others. If it fails in pre-start, the VM is not started, as without pve-vfio.",
			attach->vm.vmid, other);
	if (!answer)
		answer = options->dry_run ? 1 : ask_yes_no("Chain it?");
	if (answer <= 0)
		return error_refuse(err, "VM %u keeps its hookscript; nothing is changed",
				    attach->vm.vmid);
	attach->hook.chain = strdup(other);
	return attach->hook.chain ? 0 : error_set_memory(err);
}

/* ---- the storage */

/* Proxmox VE migrates no VM that has a line of hostpci without a mapping (QemuMigrate.pm). */
static bool can_migrate(const struct attach *attach)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		char key[sizeof("hostpci") + 10];
		const char *value;

		snprintf(key, sizeof(key), "hostpci%u", i);
		value = vm_edit_value(&attach->edit, &attach->vm.config, key);
		if (value && !text_starts_with(value, "mapping=") && !strstr(value, ",mapping="))
			return false;
	}
	return true;
}

static bool is_better(const struct storage *a, const struct storage *b, bool shared)
{
	if (!b || a->snippets != b->snippets)
		return !b || a->snippets;
	if (a->shared != b->shared)
		return a->shared == shared;
	return strcmp(a->name, "local") == 0;
}

/*
 * One that has snippets already; `shared`: that all nodes see, else one of this node, since who can
 * write to a shared one runs code as root on every node; 'local' before others.
 */
static const struct storage *best(const struct storages *storages, bool shared)
{
	const struct storage *found = NULL;

	for (size_t i = 0; i < storages->count; i++) {
		const struct storage *storage = &storages->items[i];

		if (!storage->files || !storage->active)
			continue;
		/* Content is not enabled on a shared storage of somebody's without need. */
		if (!storage->snippets && storage->shared)
			continue;
		if (is_better(storage, found, shared))
			found = storage;
	}
	return found;
}

static int choose(const struct attach *attach, const struct storages *storages, bool shared,
		  const struct storage **ret, struct error *err)
{
	const char *name = attach->options->storage;

	*ret = name ? storages_find(storages, name) : best(storages, shared);
	if (!*ret && name)
		return error_refuse(
			err, "there is no storage '%s' on this node; 'pvesm status' shows them",
			name);
	if (!*ret)
		return error_refuse(err,
				    "no storage of this node is a folder that can have snippets");
	if (!(*ret)->files)
		return error_refuse(
			err,
			"the storage '%s' is not a folder and cannot have snippets; give another",
			name);
	if (!(*ret)->active)
		return error_refuse(err, "the storage '%s' is disabled or not active", name);
	return 0;
}

static int ask_for_content(struct attach *attach, const struct storage *storage, struct error *err)
{
	cleanup_free char *question =
		text_format("Enable snippets for the storage '%s' (it has %s)?", storage->name,
			    storage->content);

	/* "none" is for a storage that has nothing yet, and goes with no other word. */
	attach->hook.content = strcmp(storage->content, "none") == 0
				       ? strdup("snippets")
				       : text_format("%s,snippets", storage->content);
	if (!question || !attach->hook.content)
		return error_set_memory(err);
	if (attach->options->yes || attach->options->dry_run || ask_yes_no(question) > 0)
		return 0;
	return error_refuse(err,
			    "a hookscript lies in a storage's snippets folder, and none has one; "
			    "give --yes, or run 'pvesm set %s --content %s' yourself",
			    storage->name, attach->hook.content);
}

static int use_storage(struct attach *attach, const struct storage *storage, struct error *err)
{
	struct attach_hook *hook = &attach->hook;

	hook->shared = storage->shared;
	hook->storage = strdup(storage->name);
	hook->volume = text_format("%s" HOOK_VOLUME, storage->name);
	if (!hook->storage || !hook->volume)
		return error_set_memory(err);
	return storage->snippets ? 0 : ask_for_content(attach, storage, err);
}

/* The storage of a hookscript that is ours already stays. */
static int look_at_storage(struct attach *attach, const char *now, struct error *err)
{
	cleanup_storages struct storages storages = { 0 };
	cleanup_strings struct strings nodes = { 0 };
	const struct storage *storage = NULL;
	bool shared;
	int r = storages_query(attach->vm.node, &storages, err);

	if (r == 0)
		r = cluster_nodes(&nodes, err);
	if (r < 0)
		return r;
	if (now && attach_hook_is_ours(now) && !attach->options->storage) {
		cleanup_free char *name = text_format("%.*s", (int)strcspn(now, ":"), now);

		storage = name ? storages_find(&storages, name) : NULL;
	}
	shared = nodes.count > 1 && can_migrate(attach);
	if (!storage)
		r = choose(attach, &storages, shared, &storage, err);
	return r < 0 ? r : use_storage(attach, storage, err);
}

/* ---- the file */

/* 1: the link of a local folder, or the same bytes. 0: to be put there. */
static int is_current(const struct attach *attach, struct error *err)
{
	cleanup_free char *there = NULL, *ours = NULL;
	char target[sizeof(HOOK_PATH) + 1] = "";
	const char *path = attach->hook.path;
	size_t there_size, ours_size;
	int r;

	r = sysroot_read(attach->root, &HOOK_PATH[1], HOOK_SIZE_MAX, &ours, &ours_size);
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s; install the package pve-vfio",
				 HOOK_PATH, strerror(-r));
	if (readlink(path, target, sizeof(target) - 1) > 0)
		return strcmp(target, HOOK_PATH) == 0 && !attach->hook.shared;
	r = sysroot_read(attach->root, path + 1, HOOK_SIZE_MAX, &there, &there_size);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	if (!memmem(there, there_size, mark, strlen(mark)))
		return error_refuse(err,
				    "%s is there and is not pve-vfio's: move it away, or give "
				    "another --storage",
				    path);
	return there_size == ours_size && memcmp(there, ours, ours_size) == 0 &&
	       access(path, X_OK) == 0;
}

int attach_hook_look(struct attach *attach, struct error *err)
{
	const char *now = vm_config_get(&attach->vm.config, "hookscript");
	int r = 0;

	if (now && !attach_hook_is_ours(now))
		r = look_at_other(attach, now, err);
	if (r == 0)
		r = look_at_storage(attach, now, err);
	if (r == 0)
		r = volume_path(attach->hook.volume, &attach->hook.path, err);
	if (r == 0)
		r = is_current(attach, err);
	if (r < 0)
		return r;
	attach->hook.place = r == 0;
	r = vm_edit_set(&attach->edit, "hookscript", now, attach->hook.volume, NULL);
	return r < 0 ? error_set_memory(err) : 0;
}

static int enable_content(const struct attach *attach, struct error *err)
{
	cleanup_strings struct strings words = { 0 };

	if (pve_words(&words, "pvesm", "set", attach->hook.storage, "--content",
		      attach->hook.content) < 0)
		return error_set_memory(err);
	return attach_run(attach->deeds, &words, err);
}

/* A link on a local storage follows the package's updates; other nodes need the file itself. */
static int put_file(const struct attach *attach, int folder)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r;

	if (!attach->hook.shared) {
		unlinkat(folder, HOOK_NAME ".tmp", 0);
		if (symlinkat(HOOK_PATH, folder, HOOK_NAME ".tmp") < 0 ||
		    renameat(folder, HOOK_NAME ".tmp", folder, HOOK_NAME) < 0 || fsync(folder) < 0)
			return -errno;
		return 0;
	}
	r = sysroot_read(attach->root, &HOOK_PATH[1], HOOK_SIZE_MAX, &data, &size);
	/* At no moment there is one that cannot be run: a VM may be starting, on another node too. */
	return r < 0 ? r : file_replace_mode_at(folder, HOOK_NAME, data, size, 0755);
}

static int open_folder(const char *path)
{
	cleanup_free char *folder = strdup(path);
	int fd;

	if (!folder)
		return -ENOMEM;
	*strrchr(folder, '/') = '\0';
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Once, with what makes it so. */
static void warn_of_shared(const struct attach *attach)
{
	const struct attach_hook *hook = &attach->hook;

	if (hook->shared && (hook->place || vm_edit_find(&attach->edit, "hookscript")))
		print_sentence(
			STDERR_FILENO, "", "",
			"The storage '%s' is shared: whoever can write to it, from any host, runs "
			"code as root on each node that starts VM %u. '--storage' names another; "
			"a storage that is not shared needs the file on each node.",
			hook->storage, attach->vm.vmid);
}

int attach_hook_place(struct attach *attach, struct error *err)
{
	const struct attach_hook *hook = &attach->hook;
	cleanup_free char *line = NULL;
	cleanup_close int folder = -1;
	int r;

	warn_of_shared(attach);
	r = hook->content ? enable_content(attach, err) : 0;
	if (r < 0 || !hook->place)
		return r;
	line = text_format("%s %s %s", hook->shared ? "cp" : "ln -sfn", HOOK_PATH, hook->path);
	if (!line)
		return error_set_memory(err);
	deeds_command(attach->deeds, line);
	if (attach->options->dry_run)
		return 0;
	folder = open_folder(hook->path);
	r = folder < 0 ? folder : put_file(attach, folder);
	return r < 0 ? error_set(err, r, "cannot write %s: %s", hook->path, strerror(-r)) : 0;
}

void attach_hook_tell_nodes(const struct attach *attach)
{
	const struct attach_hook *hook = &attach->hook;
	cleanup_strings struct strings nodes = { 0 };

	if (hook->shared || cluster_nodes(&nodes, NULL) < 0)
		return;
	for (size_t i = 0; i < nodes.count; i++) {
		struct error err = { 0 };
		int r;

		if (strcmp(nodes.items[i], attach->vm.node) == 0)
			continue;
		r = volume_is_on_node(nodes.items[i], hook->storage, hook->volume, &err);
		if (r > 0)
			continue;
		print_sentence(STDERR_FILENO, "", "",
			       "%s'%s' is %s node '%s'%s%s%s: VM %u does not start there without "
			       "the file. Install pve-vfio there and run",
			       r < 0 ? "It is not known whether " : "", hook->volume,
			       r < 0 ? "on" : "missing on", nodes.items[i], r < 0 ? " (" : "",
			       r < 0 ? err.message : "", r < 0 ? ")" : "", attach->vm.vmid);
		fprintf(stderr, "  ln -sfn %s %s\n", HOOK_PATH, hook->path);
	}
}
