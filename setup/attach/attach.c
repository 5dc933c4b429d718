/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio attach. Looks at everything, then changes; see attach.h. */
#include "setup/attach/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pve/pve.h"
#include "report/json.h"
#include "settings/settings.h"
#include "settings/store.h"
#include "setup/ask.h"
#include "setup/attach/live.h"

/* Stands for the hookscript of whatever storage it will be on. */
#define HOOK_ANY "local" HOOK_VOLUME

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
		.displace = command_value(command, "--displace"),
		.vfs_of = command_value(command, "--vfs-of"),
		.chain = command_has(command, "--chain"),
		.dry_run = command_has(command, "--dry-run"),
		.yes = command_has(command, "--yes"),
		.asks = !command->json && !command_has(command, "--yes") && ask_is_possible(),
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

/* They are devices enough, have no ROM of their own, and are passed whole. */
static int check_vfs_of(const struct command *command, const struct attach_options *options,
			struct error *err)
{
	if (options->word_count > 0)
		return usage_error(err, command, "--vfs-of names the device; '%s' is one more",
				   options->words[0]);
	if (options->romfile || options->gop || options->mdev)
		return usage_error(err, command, "--vfs-of goes with no ROM and no type: '%s'",
				   options->romfile ? options->romfile
				   : options->gop   ? options->gop
						    : options->mdev);
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
	if (options->layout && options->word_count == 0 && !options->mapping && !options->vfs_of)
		return usage_error(err, command, "name the device for '%s'", options->layout);
	if (options->vfs_of)
		return check_vfs_of(command, options, err);
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
		r = attach_functions_look(attach, err);
	if (r == 0)
		r = attach_devices_look(attach, err);
	if (r == 0)
		r = attach_mapping_look(attach, err);
	if (r == 0)
		r = attach_displace_look(attach, err);
	if (r < 0)
		return r;
	/* A mapping that is not made yet cannot be looked at: its devices can. The hookscript comes
	   after: a line of it that Proxmox VE drops is replaced. */
	r = attach_devices_edit(attach, attach->mapping_words.count == 0, &checked, err);
	if (r == 0)
		r = attach_devices_edit(attach, true, &attach->edit, err);
	if (r < 0)
		return error_as_refusal(err, r);
	if (!vm_config_get(&attach->vm.config, "hookscript") &&
	    vm_edit_set(&checked, "hookscript", NULL, HOOK_ANY, NULL) < 0)
		return error_set_memory(err);
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
	    attach_displace_record(attach, attached) < 0 ||
	    (attach->hook.chain && set_copy(&attached->chain, attach->hook.chain) < 0) ||
	    (attach->mapping_is_new && set_copy(&attached->mapping, attach->mapping) < 0))
		return error_set_memory(err);
	return attached_write(attach->root, attach->vm.vmid, attached, err);
}

int attach_unpin(const struct attach *attach, struct error *err)
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
	return attach_run(attach->deeds, &words, err);
}

static int set_chain(const struct attach *attach, const char *volume, struct error *err)
{
	return store_set(attach->root, &attach->vm.config, attach->vm.vmid, "chain",
			 volume ? json_string(volume) : NULL, err);
}

static void drop_mapping(const struct attach *attach)
{
	cleanup_free char *path = text_format("/cluster/mapping/pci/%s", attach->mapping);
	cleanup_strings struct strings words = { 0 };

	if (path && pve_words(&words, "pvesh", "delete", path) == 0)
		(void)attach_run(attach->deeds, &words, NULL);
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
	if (attach->displace.after)
		(void)attach_displace_set(&attach->vm, attach->root, attach->displace.before, NULL);
	else
		before.displace = json_incref(attach->attached.displace);
	if (attach->hook.chain)
		(void)set_chain(attach, NULL, NULL);
	else
		before.chain = attach->attached.chain ? strdup(attach->attached.chain) : NULL;
	(void)attached_write(attach->root, attach->vm.vmid, &before, NULL);
}

static int change(struct attach *attach, struct error *err)
{
	bool dry_run = attach->options->dry_run;
	int r = attach_hook_place(attach, err);

	if (r == 0 && attach->mapping_words.count > 0)
		r = attach_run(attach->deeds, &attach->mapping_words, err);
	if (attach->hook.chain)
		deeds_note(attach->deeds, "# %s/%u.json: \"chain\": \"%s\"", SETTINGS_VM_FOLDER,
			   attach->vm.vmid, attach->hook.chain);
	if (attach->displace.after)
		attach_displace_tell(attach->deeds, attach->vm.vmid, attach->displace.after);
	if (r < 0 || dry_run)
		return r < 0 ? r : set_vm(attach, err);
	r = record(attach, err);
	if (r == 0 && attach->hook.chain)
		r = set_chain(attach, attach->hook.chain, err);
	if (r == 0 && attach->displace.after)
		r = attach_displace_set(&attach->vm, attach->root, attach->displace.after, err);
	if (r == 0)
		r = attach_unpin(attach, err);
	if (r == 0)
		r = set_vm(attach, err);
	if (r < 0)
		take_back(attach);
	return r;
}

/* What a person reads before the commands: a shell would take it for comments. */
static void print_before(struct attach *attach)
{
	attach_print_console(attach);
	attach_print_devices(attach);
	attach_print_changes(attach);
}

static bool is_there_already(const struct attach *attach)
{
	return attach->edit.count == 0 && !attach->hook.place && !attach->hook.content &&
	       attach->mapping_words.count == 0 && !attach->displace.after;
}

/* "VM 101 starts with 0000:01:00.0, 0000:01:00.1 from now on; 1 warning is above." */
static char *words_now(const struct attach *attach)
{
	struct text text = { 0 };
	bool first = true;

	text_add(&text, "VM %u starts with ", attach->vm.vmid);
	if (attach->functions.count > 0) {
		text_add(&text, "a free one of the %zu virtual functions of %s",
			 attach->functions.count, attach->physical);
		first = false;
	}
	for (size_t i = 0; attach->functions.count == 0 && i < attach->device_count; i++) {
		const struct pci_addresses *functions = &attach->devices[i].selection.functions;

		for (size_t k = 0; k < functions->count; k++) {
			char name[PCI_ADDRESS_TEXT];

			text_add(&text, "%s%s", first ? "" : ", ",
				 pci_address_format(functions->items[k], name));
			first = false;
		}
	}
	text_add(&text, "%s", first ? "the hook" : "");
	text_add(&text, " from now on");
	attach_displace_words(attach, &text);
	if (attach->warnings > 0)
		text_add(&text, "; %zu warning%s above", attach->warnings,
			 attach->warnings == 1 ? " is" : "s are");
	text_add(&text, ".");
	return text_take(&text);
}

static json_t *devices_json(const struct attach *attach)
{
	json_t *array = json_array();

	for (size_t i = 0; i < attach->device_count; i++) {
		const struct attach_device *device = &attach->devices[i];
		const struct pci_addresses *functions = attach->functions.count > 0
								? &attach->functions
								: &device->selection.functions;
		json_t *names = json_array();

		for (size_t k = 0; k < functions->count; k++) {
			char name[PCI_ADDRESS_TEXT];

			json_array_append_new(names,
					      json_string(pci_address_format(functions->items[k],
									     name)));
		}
		json_array_append_new(array, json_pack("{s:o, s:s?}", "functions", names, "layout",
						       device->layout ? layout_name(device->layout)
								      : NULL));
	}
	return array;
}

static int attach_all(struct attach *attach, struct error *err)
{
	struct deeds *deeds = attach->deeds;
	cleanup_free char *now = NULL;
	bool already;
	int r = look(attach, err);

	if (r < 0)
		return r;
	already = is_there_already(attach);
	if (!already)
		deeds_open(deeds);
	if (!deeds->json)
		print_before(attach);
	deeds_add(deeds, "devices", devices_json(attach));
	deeds_add(deeds, "changes", vm_edit_json(&attach->edit));
	if (already)
		deeds_note(deeds, "VM %u has all of this already; nothing is to be done.",
			   attach->vm.vmid);
	if (attach->errors > 0)
		deeds_note(deeds, "%sVM %u does not start as it is, for %zu reason%s: see above.",
			   deeds->json || already ? "" : "# ", attach->vm.vmid, attach->errors,
			   attach->errors > 1 ? "s" : "");
	r = setup_show(attach->link, err);
	if (r == 0 && attach->options->guided && !already)
		r = attach_ask_all(attach, err);
	if (r == 0)
		r = change(attach, err);
	if (r < 0)
		return r;
	attach_hook_tell_nodes(attach);
	if (attach->edit.count > 0 && !deeds->json)
		attach_print_guest(attach);
	if (attach->edit.count > 0 && attach->device_count > 0)
		deeds_note(deeds, "%s'pve-vfio plan %u' shows what the next start does.",
			   deeds->json ? "" : "\n", attach->vm.vmid);
	now = already ? NULL : words_now(attach);
	return deeds_end(deeds, now, err);
}

void attach_done(struct attach *attach)
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
	json_decref(attach->displace.before);
	json_decref(attach->displace.after);
	strings_done(&attach->mapping_words);
	pci_addresses_done(&attach->functions);
	free(attach->own_name);
	vm_edit_done(&attach->edit);
	attached_done(&attach->attached);
	mappings_done(&attach->mappings);
	pci_addresses_done(&attach->present);
	pci_names_done(&attach->names);
	attach_vm_done(&attach->vm);
}

/* Without a VM it is asked for, and the device with it. */
static int ask_for_words(struct command *command, struct attach_options *options,
			 struct attach_guide *guide, char **words, struct error *err)
{
	int r;

	if (!options->asks)
		return usage_error(err, command, "it takes %s", command->verb->words);
	r = attach_guide(&command->root, guide, err);
	options->guided = true;
	options->words = words;
	options->word_count = 1;
	return r;
}

int verb_attach(struct command *command, struct error *err)
{
	cleanup_deeds struct deeds deeds = { 0 };
	struct attach_options options = { 0 };
	cleanup(attach_done) struct attach attach = {
		.root = &command->root,
		.link = command->link,
		.deeds = &deeds,
		.options = &options,
	};
	struct attach_guide guide = { 0 };
	char *words[] = { guide.word };
	uint32_t vmid;
	int r;

	if (command_has(command, "--live"))
		return attach_live(command, command_has(command, "--dry-run"), err);
	read_options(command, &options);
	attach.mapping = options.mapping;
	if (command->argc == 0) {
		r = ask_for_words(command, &options, &guide, words, err);
		vmid = guide.vmid;
	} else {
		r = command_parse_vmid(command, 0, &vmid, err);
	}
	if (r == 0)
		r = check_options(command, &options, err);
	if (r < 0)
		return r;
	deeds_begin(&deeds, command);
	deeds_add(&deeds, "vmid", json_integer(vmid));
	r = attach_vm_read(&command->root, vmid, "attach", &attach.vm, err);
	return r < 0 ? r : attach_all(&attach, err);
}
