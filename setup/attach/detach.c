/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio detach. Takes away what attach has added, and nothing that changed since. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "change/recover.h"
#include "pve/pve.h"
#include "report/json.h"
#include "settings/store.h"
#include "setup/attach/live.h"

struct detach {
	const struct sysroot *root;
	struct deeds deeds;
	struct attach_vm vm;
	struct attached attached;
	struct mappings mappings;
	struct pci_addresses present;
	struct vm_edit edit;		/* what goes back */
	struct pci_addresses functions; /* of the lines that go */
	json_t *displace;		/* the setting of before; NULL: it stays as it is */
};

static void detach_done(struct detach *detach)
{
	deeds_done(&detach->deeds);
	json_decref(detach->displace);
	pci_addresses_done(&detach->functions);
	vm_edit_done(&detach->edit);
	pci_addresses_done(&detach->present);
	mappings_done(&detach->mappings);
	attached_done(&detach->attached);
	attach_vm_done(&detach->vm);
}

/* The hook goes, so nobody would give back what the VM still holds. */
static int refuse_holding(struct detach *detach, struct error *err)
{
	cleanup_journal struct journal journal = { 0 };
	cleanup_state struct state state = { .fd = -1 };
	int r = state_open(detach->root, false, &state, err);

	if (r == 0)
		r = journal_look(detach->root, &state, detach->vm.vmid, &journal, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	return error_refuse(err,
			    "VM %u is off but its devices are not back with the host: give them "
			    "back with 'pve-vfio restore %u' first",
			    detach->vm.vmid, detach->vm.vmid);
}

/* A key that is not as attach left it belongs to whoever changed it. */
static int look_at_change(struct detach *detach, const struct vm_change *change)
{
	const struct vm_config *config = &detach->vm.config;
	const char *now = vm_config_value(config, change->key);

	if (!text_equal(now, change->after)) {
		if (!text_equal(now, change->before))
			deeds_note(&detach->deeds, "# %s was changed since (%s): left as it is",
				   change->key, now ? now : "taken out");
		return 0;
	}
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		char key[SOURCE_MAX];

		snprintf(key, sizeof(key), "hostpci%u", i);
		if (strcmp(key, change->key) == 0 &&
		    attach_vm_line(&detach->vm, config, i, &detach->mappings, &detach->present,
				   &detach->functions) < 0)
			return -ENOMEM;
	}
	return vm_edit_set(&detach->edit, change->key, now, change->before, NULL);
}

static int look(struct detach *detach, struct error *err)
{
	int r;

	r = mappings_read(detach->root, &detach->mappings, err);
	if (r == 0)
		r = pci_devices_list(detach->root, &detach->present, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < detach->attached.edit.count; i++)
		if (look_at_change(detach, &detach->attached.edit.items[i]) < 0)
			return error_set_memory(err);
	return detach_displace_look(&detach->deeds, detach->root, detach->vm.vmid,
				    &detach->attached, &detach->displace, err);
}

/* Whether any guest's configuration in the cluster, snapshots included, has these words. */
static bool is_mentioned(const struct sysroot *root, const char *words)
{
	cleanup_strings struct strings nodes = { 0 };

	(void)sysroot_list(root, "etc/pve/nodes", &nodes);
	for (size_t i = 0; i < nodes.count; i++) {
		cleanup_free char *folder =
			text_format("etc/pve/nodes/%s/qemu-server", nodes.items[i]);
		cleanup_strings struct strings names = { 0 };

		if (!folder)
			return true;
		(void)sysroot_list(root, folder, &names);
		for (size_t k = 0; k < names.count; k++) {
			cleanup_free char *path = text_format("%s/%s", folder, names.items[k]);
			cleanup_free char *text = NULL;
			size_t size;

			/* What cannot be read may have them. */
			if (!path || sysroot_read(root, path, VM_CONFIG_MAX, &text, &size) < 0 ||
			    memmem(text, size, words, strlen(words)))
				return true;
		}
	}
	return false;
}

static int drop_mapping(struct detach *detach, struct error *err)
{
	const char *name = detach->attached.mapping;
	cleanup_free char *words = text_format("mapping=%s", name);
	cleanup_free char *path = text_format("/cluster/mapping/pci/%s", name);
	cleanup_strings struct strings command = { 0 };

	if (!words || !path || pve_words(&command, "pvesh", "delete", path) < 0)
		return error_set_memory(err);
	if (!detach->deeds.dry_run && is_mentioned(detach->root, words)) {
		deeds_note(&detach->deeds, "# the resource mapping '%s' is in use: left as it is",
			   name);
		return 0;
	}
	return attach_run(&detach->deeds, &command, err);
}

static int set_vm(struct detach *detach, struct error *err)
{
	cleanup_strings struct strings words = { 0 };
	int r;

	if (detach->edit.count == 0)
		return 0;
	r = attach_vm_look_again(detach->root, &detach->vm, err);
	if (r < 0)
		return r;
	if (vm_edit_words(&detach->edit, detach->vm.vmid, &words) < 0)
		return error_set_memory(err);
	return attach_run(&detach->deeds, &words, err);
}

static int change(struct detach *detach, struct error *err)
{
	struct attached nothing = { 0 };
	uint32_t vmid = detach->vm.vmid;
	int r = set_vm(detach, err);

	if (r == 0 && detach->attached.mapping)
		r = drop_mapping(detach, err);
	if (r < 0 || detach->deeds.dry_run)
		return r;
	if (detach->attached.chain)
		r = store_set(detach->root, &detach->vm.config, vmid, "chain", NULL, err);
	if (r == 0 && detach->displace)
		r = attach_displace_set(&detach->vm, detach->root, detach->displace, err);
	if (r == 0)
		r = store_unpin(detach->root, vmid, &detach->functions, err);
	return r < 0 ? r : attached_write(detach->root, vmid, &nothing, err);
}

static int detach_all(struct detach *detach, struct error *err)
{
	struct deeds *deeds = &detach->deeds;
	cleanup_free char *now = NULL;
	uint32_t vmid = detach->vm.vmid;
	int r = attached_read(detach->root, vmid, &detach->vm.config, &detach->attached, err);

	if (r == -ENOENT) {
		*err = (struct error){ 0 };
		deeds_add(deeds, "changes", json_array());
		deeds_note(deeds, "pve-vfio attach has changed nothing of VM %u.", vmid);
		return deeds_end(deeds, NULL, err);
	}
	if (r == 0)
		r = refuse_holding(detach, err);
	if (r == 0)
		deeds_open(deeds);
	if (r == 0)
		r = look(detach, err);
	if (r == 0)
		r = change(detach, err);
	if (r < 0)
		return r;
	deeds_add(deeds, "changes", vm_edit_json(&detach->edit));
	now = text_format("VM %u has nothing of what pve-vfio attach had set.", vmid);
	return deeds_end(deeds, now, err);
}

int verb_detach(struct command *command, struct error *err)
{
	cleanup(detach_done) struct detach detach = { .root = &command->root };
	uint32_t vmid;
	int r;

	if (command_has(command, "--live"))
		return detach_live(command, err);
	if (command->argc > 1)
		return usage_error(
			err, command,
			"one device leaves a VM with --live; without, all that attach has "
			"set goes");
	r = command_parse_vmid(command, 0, &vmid, err);
	if (r < 0)
		return r;
	deeds_begin(&detach.deeds, command);
	deeds_add(&detach.deeds, "vmid", json_integer(vmid));
	r = attach_vm_read(&command->root, vmid, "detach", &detach.vm, err);
	return r < 0 ? r : detach_all(&detach, err);
}
