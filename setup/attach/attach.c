/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio attach. Looks at everything, then changes; see attach.h. */
#include "setup/attach/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pve/pve.h"
#include "settings/settings.h"
#include "settings/store.h"

static void read_options(const struct command *command, struct attach_options *ret)
{
	*ret = (struct attach_options){
		.layout = command_value(command, "--layout"),
		.guest = command_value(command, "--guest"),
		.mapping = command_value(command, "--mapping"),
		.storage = command_value(command, "--storage"),
		.romfile = command_value(command, "--romfile"),
		.gop = command_value(command, "--gop"),
		.mdev = command_value(command, "--mdev"),
		.chain = command_has(command, "--chain"),
		.dry_run = command_has(command, "--dry-run"),
		.yes = command_has(command, "--yes"),
		.words = command->argv + 1,
		.word_count = command->argc - 1,
	};
}

/* A part of a device has one function, a type as PCI.pm's format takes it, and no ROM. */
static int check_mdev(const struct command *command, const struct attach_options *options,
		      struct error *err)
{
	const char *type = options->mdev;

	if (!type)
		return 0;
	if (!*type || type[strcspn(type, "/.:,;= \t\r\n")])
		return usage_error(
			err, command,
			"--mdev takes a type as 'pve-vfio devices ADDRESS' lists it, not '%s'",
			type);
	if (options->word_count > 1 || (options->word_count == 0 && !options->mapping))
		return usage_error(err, command, "name the one device that has '%s'", type);
	if (options->romfile || options->gop)
		return usage_error(err, command, "a part of a device has no ROM: '%s'",
				   options->romfile ? options->romfile : options->gop);
	if (options->layout && strcmp(options->layout, "vgpu") != 0)
		return usage_error(err, command, "--mdev goes with the layout 'vgpu', not '%s'",
				   options->layout);
	return 0;
}

static int check_options(const struct command *command, const struct attach_options *options,
			 struct error *err)
{
	if (options->layout && !layout_find(options->layout))
		return usage_error(err, command, "there is no layout '%s'", options->layout);
	if (options->guest && strcmp(options->guest, "linux") != 0 &&
	    strcmp(options->guest, "windows") != 0)
		return usage_error(err, command, "--guest takes linux or windows, not '%s'",
				   options->guest);
	if (options->romfile && options->word_count != 1)
		return usage_error(err, command, "name the one device that gets '%s'",
				   options->romfile);
	if (options->layout && options->word_count == 0 && !options->mapping)
		return usage_error(err, command, "name the device for '%s'", options->layout);
	return check_mdev(command, options, err);
}

/* Everything that can refuse, before anything is changed. */
static int look(struct attach *attach, struct error *err)
{
	cleanup_vm_edit struct vm_edit checked = { 0 };
	int r = attached_read(attach->root, attach->vm.vmid, &attach->vm.config, &attach->attached,
			      err);

	if (r == 0 || r == -ENOENT)
		r = pci_devices_list(attach->root, &attach->present, err);
	if (r == 0)
		r = mappings_read(attach->root, &attach->mappings, err);
	if (r == 0)
		r = attach_devices_look(attach, err);
	if (r == 0)
		r = attach_mapping_look(attach, err);
	if (r < 0)
		return r;
	/* A mapping that is not made yet cannot be looked at: its devices can. */
	r = attach_devices_edit(attach, attach->mapping_words.count == 0, &checked, err);
	if (r == 0)
		r = attach_devices_edit(attach, true, &attach->edit, err);
	if (r < 0)
		return error_as_refusal(err, r);
	r = attach_check(attach, &checked, err);
	if (r == 0)
		r = attach_hook_look(attach, err);
	return r < 0 ? r : attach_ask(attach, err);
}

static int set_copy(char **to, const char *value)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

/* Written ahead of the change: detach looks at what is there before it takes anything away. */
static int record(struct attach *attach, struct error *err)
{
	struct attached *attached = &attach->attached;

	if (attached_name(attached, &attach->vm.config) < 0 ||
	    attached_add(attached, &attach->edit) < 0 ||
	    (attach->hook.chain && set_copy(&attached->chain, attach->hook.chain) < 0) ||
	    (attach->mapping_is_new && set_copy(&attached->mapping, attach->options->mapping) < 0))
		return error_set_memory(err);
	return attached_write(attach->root, attach->vm.vmid, attached, err);
}

static int unpin(const struct attach *attach, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < attach->device_count && r == 0; i++)
		r = store_unpin(attach->root, attach->vm.vmid,
				&attach->devices[i].selection.functions, err);
	return r;
}

static int set_vm(const struct attach *attach, struct error *err)
{
	cleanup_strings struct strings words = { 0 };
	int r;

	if (attach->edit.count == 0)
		return 0;
	r = attach_vm_look_again(attach->root, &attach->vm, err);
	if (r < 0)
		return r;
	if (vm_edit_words(&attach->edit, attach->vm.vmid, &words) < 0)
		return error_set_memory(err);
	return attach_run(&words, attach->options->dry_run, err);
}

static void drop_mapping(const struct attach *attach)
{
	cleanup_free char *path = text_format("/cluster/mapping/pci/%s", attach->options->mapping);
	cleanup_strings struct strings words = { 0 };

	if (path && pve_words(&words, "pvesh", "delete", path) == 0)
		(void)attach_run(&words, false, NULL);
}

/* A failed qm has changed nothing of the VM; what was made for it is taken back. */
static void take_back(const struct attach *attach)
{
	cleanup_attached struct attached before = { 0 };

	(void)attached_name(&before, &attach->vm.config);
	for (size_t i = 0; i < attach->attached.edit.count; i++) {
		const struct vm_change *change = &attach->attached.edit.items[i];
		const char *now = vm_config_value(&attach->vm.config, change->key);

		(void)vm_edit_set(&before.edit, change->key, change->before, now, NULL);
	}
	if (attach->mapping_is_new)
		drop_mapping(attach);
	else if (attach->attached.mapping)
		before.mapping = strdup(attach->attached.mapping);
	if (attach->hook.chain)
		(void)store_chain(attach->root, &attach->vm.config, attach->vm.vmid, NULL, NULL);
	else
		before.chain = attach->attached.chain ? strdup(attach->attached.chain) : NULL;
	(void)attached_write(attach->root, attach->vm.vmid, &before, NULL);
}

static int change(struct attach *attach, struct error *err)
{
	bool dry_run = attach->options->dry_run;
	int r = attach_hook_place(attach, err);

	if (r == 0 && attach->mapping_words.count > 0)
		r = attach_run(&attach->mapping_words, dry_run, err);
	if (attach->hook.chain)
		printf("# %s/%u.json: \"chain\": \"%s\"\n", SETTINGS_VM_FOLDER, attach->vm.vmid,
		       attach->hook.chain);
	if (r < 0 || dry_run)
		return r < 0 ? r : set_vm(attach, err);
	r = record(attach, err);
	if (r == 0 && attach->hook.chain)
		r = store_chain(attach->root, &attach->vm.config, attach->vm.vmid,
				attach->hook.chain, err);
	if (r == 0)
		r = unpin(attach, err);
	if (r == 0)
		r = set_vm(attach, err);
	if (r < 0)
		take_back(attach);
	return r;
}

static int attach_all(struct attach *attach, struct error *err)
{
	int r = look(attach, err);

	if (r < 0)
		return r;
	attach_print_console(attach);
	attach_print_devices(attach);
	attach_print_changes(attach);
	if (attach->edit.count == 0 && !attach->hook.place && !attach->hook.content &&
	    attach->mapping_words.count == 0)
		printf("VM %u has all of this already; nothing is to be done.\n", attach->vm.vmid);
	r = setup_show(attach->link, err);
	if (r == 0)
		r = change(attach, err);
	if (r < 0)
		return r;
	attach_hook_tell_nodes(attach);
	if (attach->edit.count == 0)
		return 0;
	attach_print_guest(attach);
	if (attach->device_count > 0)
		printf("\n'pve-vfio plan %u' shows what the next start does.\n", attach->vm.vmid);
	return 0;
}

static void attach_done(struct attach *attach)
{
	struct attach_hook *hook = &attach->hook;

	for (size_t i = 0; i < attach->device_count; i++)
		pci_selection_done(&attach->devices[i].selection);
	free(attach->devices);
	free(hook->volume);
	free(hook->path);
	free(hook->storage);
	free(hook->content);
	free(hook->chain);
	strings_done(&attach->mapping_words);
	vm_edit_done(&attach->edit);
	attached_done(&attach->attached);
	mappings_done(&attach->mappings);
	pci_addresses_done(&attach->present);
	pci_names_done(&attach->names);
	attach_vm_done(&attach->vm);
}

int verb_attach(struct command *command, struct error *err)
{
	struct attach_options options = { 0 };
	cleanup(attach_done) struct attach attach = {
		.root = &command->root,
		.link = command->link,
		.options = &options,
	};
	uint32_t vmid;
	int r;

	read_options(command, &options);
	r = check_options(command, &options, err);
	if (r == 0)
		r = command_parse_vmid(command, 0, &vmid, err);
	if (r == 0)
		r = attach_vm_read(&command->root, vmid, "attach", &attach.vm, err);
	return r < 0 ? r : attach_all(&attach, err);
}
