/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what setup would change. Judges nothing. */
#include "doctor/boot_view.h"

#include <errno.h>
#include <string.h>

#include "boot/parameter.h"

void boot_view_done(struct boot_view *view)
{
	record_done(&view->record);
	boot_plan_done(&view->plan);
	boot_existing_done(&view->existing);
	boot_words_done(&view->effective);
}

/* With what is ours, as the next boot has it. */
static int read_existing(const struct sysroot *root, struct boot_view *view)
{
	cleanup_boot_draft struct boot_draft draft = { 0 };

	return boot_existing_read(&draft, root, &view->existing, &view->unread);
}

static int make_plan(const struct pve_node *node, const struct pci_claims *claims,
		     struct boot_view *view)
{
	cleanup(boot_request_done) struct boot_request request = { 0 };
	cleanup_strings struct strings asked = { 0 }, replaced = { 0 };
	const struct boot_kept_away kept_away = { &asked, &replaced };
	const struct boot_wish wish = { .request = &request, .kept_away = &kept_away };
	int r = boot_request_repeat(&request, &view->record);

	if (r == 0)
		r = pci_claims_replaced(node->root, claims, &node->inventory, &replaced);
	for (size_t i = 0; i < request.devices.count && r == 0; i++)
		if (request.devices.items[i].kind == BOOT_BLACKLIST)
			r = strings_add(&asked, request.devices.items[i].name);
	return r < 0 ? r : boot_plan_make(&view->plan, node->root, &wish, &view->refused);
}

int boot_view_read(const struct pve_node *node, const struct pci_claims *claims,
		   struct boot_view *ret)
{
	int r, recorded = record_read(node->root, &ret->record, &ret->refused);

	r = boot_plan_read(&ret->plan, node->root, &ret->record, &ret->unread);
	if (r == 0)
		r = read_existing(node->root, ret);
	if (r == 0)
		r = boot_words_split(&ret->effective, "proc/cmdline", node->command_line);
	/* setup refuses then, too */
	if (r == 0 && recorded == 0)
		r = make_plan(node, claims, ret);
	return r == -ENOMEM ? r : 0;
}

/* The words of one of the machine's boot loaders, or NULL. */
static const struct boot_words *words_of(const struct boot_view *view, bool grub)
{
	const struct boot_loader *loader = &view->plan.machine.loader;

	if (grub)
		return loader->grub ? &view->existing.grub.words : NULL;
	return loader->systemd_boot ? &view->existing.cmdline : NULL;
}

static bool has_parameter(const struct boot_view *view, const char *name)
{
	bool any = false;

	for (int grub = 0; grub < 2; grub++) {
		const struct boot_words *words = words_of(view, grub);
		const struct boot_word *other;

		if (words && !boot_parameter_find(words, name, &other))
			return false;
		any |= words != NULL;
	}
	return any;
}

/* How the line of a setting begins in our file. NULL: no memory. */
static char *line_of(const struct boot_setting *setting)
{
	switch (setting->kind) {
	case BOOT_MODULE:
		return text_format("\n%s\n", setting->name);
	case BOOT_OPTION:
		return text_format("\noptions %s %s\n", setting->name, setting->value);
	case BOOT_BLACKLIST:
		return text_format("\nblacklist %s\n", setting->name);
	case BOOT_EARLY:
		return text_format("\nhold %s ", setting->name);
	case BOOT_SRIOV:
		return text_format(" KERNEL==\"%s\",", setting->name);
	case BOOT_PARAMETER:
	case BOOT_PIN:
	case BOOT_SETTING_KINDS:
		break;
	}
	return NULL;
}

bool boot_view_is_made(const struct boot_view *view, const struct boot_setting *setting)
{
	cleanup_free char *line = NULL;

	if (setting->found)
		return true;
	if (setting->kind == BOOT_PARAMETER)
		return has_parameter(view, setting->name);
	if (setting->kind == BOOT_PIN)
		return text_equal(view->plan.machine.pinned, setting->name);
	line = line_of(setting);
	for (size_t i = 0; line && i < view->plan.draft.count; i++) {
		const struct boot_file *file = view->plan.draft.items[i];

		if (file->before && setting->where[0] == '/' &&
		    strcmp(file->path, setting->where + 1) == 0 && strstr(file->before, line))
			return true;
	}
	return false;
}

const struct boot_setting *boot_view_parameter(const struct boot_view *view, const char *name)
{
	const struct boot_settings *settings = &view->plan.settings;

	for (size_t i = 0; i < settings->count; i++)
		if (settings->items[i].kind == BOOT_PARAMETER &&
		    boot_word_same_name(settings->items[i].name, name))
			return &settings->items[i];
	return NULL;
}

const char *boot_view_refresh(const struct boot_view *view)
{
	return view->plan.machine.loader.managed ? "proxmox-boot-tool refresh" : "update-grub";
}

const char *boot_view_setup(const struct boot_view *view)
{
	return view->record.exists ? "pve-vfio setup --add" : "pve-vfio setup";
}
