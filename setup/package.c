/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: pve-vfio package, which the package's maintainer scripts call, and nobody else: what is to
 * be done before and after another version takes the place of one, and what speaks against a removal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "base/lanes.h"
#include "change/journal.h"
#include "host/package.h"
#include "pve/config.h"
#include "pve/copies.h"
#include "pve/node_name.h"
#include "pve/qemu.h"
#include "settings/store.h"
#include "setup/setup.h"

/* A storage on the network that does not answer must not hold up an upgrade. */
#define STORAGE_WAIT_MS 10000

#define KEPT_FOLDER	"var/lib/pve-vfio"
#define KEPT_LINKS	"links"
#define SETUP_PATH	"/var/lib/pve-vfio/setup.json"

/* ---- the copies in the storages, one lane each */

struct looking {
	const struct sysroot *root;
	bool renew;
	struct strings links; /* to the installed hook, seen by the lanes */
	bool silent;	      /* a storage does not answer */
};

enum told { TOLD_NOTHING, TOLD_LINK, TOLD_WORDS };

/* In the child. What there is to tell goes to the parent, which knows no more of the storage. */
static void look_at_store(int fd, void *work, void *context)
{
	const struct snippet_store *store = work;
	const struct looking *looking = context;
	struct lane_report report = { .step = TOLD_WORDS };
	cleanup_hook_copy struct hook_copy copy = { 0 };
	struct error err = { 0 };
	int r = hook_copy_look(looking->root, store, &copy, &err);

	if (r == 0 && copy.state == HOOK_COPY_OLDER && looking->renew)
		r = hook_copy_renew(looking->root, &copy, &err);
	if (r < 0) {
		snprintf(report.text, sizeof(report.text), "%s", err.message);
	} else if (copy.state == HOOK_COPY_LINK) {
		report.step = TOLD_LINK;
		snprintf(report.text, sizeof(report.text), "%s", copy.path);
	} else if (!looking->renew && copy.state >= HOOK_COPY_SAME &&
		   copy.state < HOOK_COPY_FOREIGN) {
		snprintf(report.text, sizeof(report.text),
			 "%s is a copy of the hook and stays; delete it when no node needs it",
			 copy.path);
	} else if (looking->renew && copy.state == HOOK_COPY_OLDER) {
		snprintf(report.text, sizeof(report.text), "renewed %s%s%s", copy.path,
			 *copy.version ? ", which was version " : "", copy.version);
	} else if (looking->renew && copy.state == HOOK_COPY_NEWER) {
		snprintf(report.text, sizeof(report.text), "%s is version %s, newer; left",
			 copy.path, copy.version);
	} else {
		report.step = TOLD_NOTHING;
	}
	lane_send(fd, &report);
}

static void tell_store(const struct lane_report *report, struct lane *lane, void *context)
{
	struct looking *looking = context;

	(void)lane;
	if (report->step == TOLD_LINK)
		(void)strings_add(&looking->links, report->text);
	else if (report->step == TOLD_WORDS)
		fprintf(stderr, "pve-vfio: %s\n", report->text);
}

static int look_at_stores(struct looking *looking, struct error *err)
{
	static const struct lanes_callbacks callbacks = { .run = look_at_store,
							  .report = tell_store };
	cleanup_snippet_stores struct snippet_stores stores = { 0 };
	cleanup_free struct lane *lanes = NULL;
	cleanup_free char *node = NULL;
	size_t count = 0;
	int r;

	(void)sysroot_read_attribute(looking->root, "proc/sys/kernel/hostname", &node);
	r = snippet_stores_read(looking->root, node ? node : "", &stores, err);
	if (r < 0)
		return r;
	lanes = calloc(stores.count + 1, sizeof(*lanes));
	if (!lanes)
		return error_set_memory(err);
	for (size_t i = 0; i < stores.count; i++)
		if (!stores.items[i].disabled)
			lanes[count++].work = &stores.items[i];
	r = lanes_run(lanes, count, STORAGE_WAIT_MS, &callbacks, looking);
	if (r < 0)
		return error_set(err, r, "cannot look at the storages: %s", strerror(-r));
	for (size_t i = 0; i < count; i++) {
		const struct snippet_store *store = lanes[i].work;

		if (lanes[i].end == LANE_FINISHED)
			continue;
		looking->silent = true;
		fprintf(stderr,
			"pve-vfio: storage '%s' does not answer (%s); if a copy of the hook is "
			"there, renew it with\n  install -m 755 %s %s/\n",
			store->name, *lanes[i].path ? lanes[i].path : store->folder, HOOK_PATH,
			store->folder);
	}
	return 0;
}

/* ---- the VMs of this node */

static int each_vm(const struct sysroot *root,
		   void (*look)(const struct sysroot *root, uint32_t vmid, void *context),
		   void *context, struct error *err)
{
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, "etc/pve/qemu-server", &names);

	if (r < 0 && r != -ENOENT)
		return error_set(err, r, "cannot read /etc/pve/qemu-server: %s", strerror(-r));
	for (size_t i = 0; i < names.count; i++) {
		uint32_t vmid;

		if (vm_config_vmid(names.items[i], &vmid))
			look(root, vmid, context);
	}
	return 0;
}

/* ---- before an upgrade, or a downgrade, when this version is still there */

/* Version 0.1 refuses a journal with any other. */
static const enum action_type types_0_1[] = {
	ACTION_RESERVE,
	ACTION_STOP_UNIT,
	ACTION_RELEASE_CONSOLE,
	ACTION_RELEASE_FRAMEBUFFER,
	ACTION_UNLOAD_MODULE,
	ACTION_LOAD_MODULE,
	ACTION_KEEP_ATTRIBUTE,
	ACTION_SET_ATTRIBUTE,
	ACTION_BIND,
	ACTION_RESCAN,
	ACTION_RESIZE_BAR,
};

static bool is_of_0_1(const struct action *action)
{
	for (size_t i = 0; i < ARRAY_SIZE(types_0_1); i++)
		if (action->type == types_0_1[i])
			return true;
	return false;
}

/* A journal stays as it is: without the action this version could not undo it after an upgrade. */
static void tell_journal(const struct journal *journal, const char *version)
{
	for (size_t i = 0; i < journal->actions.count; i++) {
		const struct action *action = &journal->actions.items[i];

		if (is_of_0_1(action))
			continue;
		fprintf(stderr,
			"pve-vfio: the start of VM %u did what %s does not know (%s %s). Until the VM "
			"has stopped, %s refuses to start others with devices; then it gives the "
			"devices back, but does not undo this. So, before the VM stops:\n"
			"  apt install pve-vfio=%s\n",
			journal->vmid, version, action_operations(action->type)->name,
			action->target, version, PVE_VFIO_VERSION);
		return;
	}
}

static int tell_journals(const struct sysroot *root, const char *version, struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	cleanup_vmids struct vmids vmids = { 0 };
	int r = state_open(root, false, &state, err);

	if (r == 0)
		r = journal_list(&state, &vmids, err);
	for (size_t i = 0; r == 0 && i < vmids.count; i++) {
		cleanup_journal struct journal journal = { 0 };

		if (journal_read(root, &state, vmids.items[i], &journal, NULL) == 0)
			tell_journal(&journal, version);
	}
	return r == -ENOENT ? 0 : r;
}

struct older {
	const char *version;
	const char *node;
};

static void settle_settings(const struct sysroot *root, uint32_t vmid, void *context)
{
	const struct older *older = context;
	char path[SYSROOT_PATH_MAX];
	cleanup_free char *refused = NULL;
	struct error err = { 0 };
	bool changed;

	settings_vm_path(vmid, path);
	if (store_for_0_1(root, vmid, older->node, &changed, &refused, &err) < 0) {
		fprintf(stderr, "pve-vfio: %s; %s may refuse to start VM %u for what is in it\n",
			err.message, older->version, vmid);
		return;
	}
	if (changed)
		fprintf(stderr, "pve-vfio: %s is now as %s reads it\n", path, older->version);
	if (refused)
		fprintf(stderr,
			"pve-vfio: %s does not know '%s' and will not start VM %u: take it out of %s\n",
			older->version, refused, vmid, path);
}

static int upgrade(struct command *command, struct error *err)
{
	static const unsigned since[] = { 0, 2, 0 };
	struct older older = { .version = command->argv[1] };
	cleanup_free char *node = NULL;
	int r;

	if (command->argc < 2 || !package_is_older(older.version, since))
		return 0;
	r = node_name_read(&command->root, &node, err);
	if (r < 0)
		return r;
	older.node = node;
	r = each_vm(&command->root, settle_settings, &older, err);
	return r < 0 ? r : tell_journals(&command->root, older.version, err);
}

/* ---- after installation and upgrade */

static int installed(struct command *command, struct error *err)
{
	struct looking looking = { .root = &command->root, .renew = true };
	int r;

	if (command->argc < 2 || !*command->argv[1]) {
		puts("pve-vfio is installed and has changed nothing. Next: 'pve-vfio doctor'; "
		     "see pve-vfio-passthrough(7).");
		return 0;
	}
	r = look_at_stores(&looking, err);
	strings_done(&looking.links);
	return r == 0 && looking.silent ? -ETIMEDOUT : r;
}

/* ---- before removal */

/* Devices that nobody would give back. Returns 1 where the VM's journal speaks against it. */
static int judge_journal(struct command *command, const struct state *state, uint32_t vmid,
			 struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	struct task qemu = { 0 };
	int r = journal_read(&command->root, state, vmid, &journal, err);

	if (r == -ENOENT || (r == 0 && journal.actions.count == 0))
		return 0;
	if (r == 0)
		r = qemu_find(&command->root, vmid, &qemu, err);
	if (r < 0)
		return r;
	if (qemu.pid)
		fprintf(stderr,
			"pve-vfio: VM %u runs, and only the hook gives its devices back when it "
			"stops:\n  qm shutdown %u\n",
			vmid, vmid);
	else
		fprintf(stderr,
			"pve-vfio: VM %u does not run, and its devices are not back with the "
			"host:\n  pve-vfio restore %u\n",
			vmid, vmid);
	return 1;
}

static int judge_journals(struct command *command, struct error *err)
{
	cleanup_state struct state state = { .fd = -1 };
	cleanup_vmids struct vmids vmids = { 0 };
	int r = state_open(&command->root, false, &state, err), found = 0;

	if (r == 0)
		r = journal_list(&state, &vmids, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < vmids.count; i++) {
		r = judge_journal(command, &state, vmids.items[i], err);
		if (r < 0)
			return r;
		found |= r;
	}
	return found;
}

/* A VM whose hookscript is missing does not start. */
static void tell_vm(const struct sysroot *root, uint32_t vmid, void *context)
{
	cleanup_vm_config struct vm_config config = { 0 };
	char attached[SYSROOT_PATH_MAX];
	const char *volume;

	(void)context;
	if (vm_config_read(root, NULL, vmid, &config, NULL) < 0)
		return;
	volume = vm_config_get(&config, "hookscript");
	if (!volume || !strstr(volume, HOOK_VOLUME))
		return;
	snprintf(attached, sizeof(attached), "etc/pve/pve-vfio/%u.attached.json", vmid);
	fprintf(stderr, "pve-vfio: VM %u names the hook and will not start without it:\n", vmid);
	if (sysroot_exists(root, attached))
		fprintf(stderr, "  pve-vfio detach %u    (before the package is removed)\n", vmid);
	else
		fprintf(stderr, "  qm set %u --delete hookscript\n", vmid);
}

/* A purge finds no program any more, only this list. */
static int keep_links(const struct sysroot *root, const struct strings *links, struct error *err)
{
	cleanup_text struct text text = { 0 };
	cleanup_close int folder = -1;
	int r;

	if (links->count == 0)
		return 0;
	for (size_t i = 0; i < links->count; i++)
		text_add(&text, "%s\n", links->items[i]);
	if (text.failed)
		return error_set_memory(err);
	if (mkdirat(root->fd, KEPT_FOLDER, 0755) < 0 && errno != EEXIST)
		return error_set(err, -errno, "cannot make /" KEPT_FOLDER ": %s", strerror(errno));
	folder = sysroot_openat(root, KEPT_FOLDER, O_RDONLY | O_DIRECTORY);
	r = folder < 0 ? folder : file_replace_at(folder, KEPT_LINKS, text.data, text.size);
	return r < 0 ? error_set(err, r, "cannot write /" KEPT_FOLDER "/" KEPT_LINKS ": %s",
				 strerror(-r))
		     : 0;
}

static int removal(struct command *command, struct error *err)
{
	struct looking looking = { .root = &command->root };
	int r = judge_journals(command, err);

	if (r != 0)
		return r > 0 ? error_refuse(err, "not removed; nothing is changed") : r;
	r = each_vm(&command->root, tell_vm, NULL, err);
	if (r == 0)
		r = look_at_stores(&looking, err);
	if (r == 0)
		r = keep_links(&command->root, &looking.links, err);
	strings_done(&looking.links);
	if (r == 0 && sysroot_exists(&command->root, &SETUP_PATH[1]))
		fprintf(stderr, "pve-vfio: what 'pve-vfio setup' has set stays; to take it back, "
				"before the package is removed:\n  pve-vfio undo\n");
	return r;
}

int verb_package(struct command *command, struct error *err)
{
	const char *what = command->argv[0];

	if (strcmp(what, "upgrade") == 0)
		return upgrade(command, err);
	if (strcmp(what, "installed") == 0)
		return installed(command, err);
	if (strcmp(what, "removal") == 0)
		return removal(command, err);
	return usage_error(
		err, command,
		"it takes 'upgrade NEW VERSION', 'installed [OLD VERSION]' or 'removal'");
}
