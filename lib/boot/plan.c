/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: plans. Changes no file. */
#include "boot/plan.h"

#include <errno.h>
#include <string.h>

#include "boot/parameter.h"

void boot_plan_done(struct boot_plan *plan)
{
	boot_machine_done(&plan->machine);
	boot_draft_done(&plan->draft);
	boot_existing_done(&plan->existing);
	boot_leftovers_done(&plan->leftovers);
	boot_settings_done(&plan->settings);
	strings_done(&plan->notes);
	strings_done(&plan->cmdline);
}

int boot_plan_read(struct boot_plan *plan, const struct sysroot *root, const struct record *record,
		   struct error *err)
{
	int r = boot_machine_read(root, &plan->machine, err);

	if (r == 0)
		r = layout_clear(&plan->draft, root, &record->cmdline, err);
	if (r == 0)
		r = boot_existing_read(&plan->draft, root, &plan->existing, err);
	return r;
}

/* What is put behind a quote that is not closed is a part of it; behind "--" it is init's. */
static int check_end(const struct boot_words *words, const char *path, struct error *err)
{
	const struct boot_word *last = words->count ? &words->items[words->count - 1] : NULL;

	if (words->ended)
		return error_set(
			err, -EBADMSG,
			"/%s: the word '--' ends what the kernel takes for itself, and all "
			"that follows is init's. Take it out first",
			path);
	if (!words->open || !last)
		return 0;
	return error_set(
		err, -EBADMSG,
		"/%s, line %u: a quote is opened and never closed, so that the kernel takes "
		"all that follows for a part of it: '%s'. Correct the line first",
		last->path, last->line, last->text);
}

static bool has_root(const struct boot_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		if (strstr(words->items[i].text, "root="))
			return true;
	return false;
}

static int check_lines(const struct boot_plan *plan, const struct sysroot *root, struct error *err)
{
	const struct boot_loader *loader = &plan->machine.loader;
	int r = loader->grub ? check_end(&plan->existing.grub.words, "etc/default/grub", err) : 0;

	if (r == 0 && loader->systemd_boot)
		r = check_end(&plan->existing.cmdline, BOOT_CMDLINE, err);
	if (r == 0 && loader->managed && sysroot_exists(root, BOOT_CMDLINE) &&
	    !has_root(&plan->existing.cmdline))
		r = error_set(err, -EBADMSG,
			      "/" BOOT_CMDLINE " has no root= on its first line: proxmox-boot-tool "
			      "takes that line alone, and refuses it. Correct it first");
	return r;
}

/* Takes them out of the draft, and reads what is left. */
static int cut_leftovers(struct boot_plan *plan, const struct sysroot *root, struct error *err)
{
	int r = boot_leftovers_cut(&plan->leftovers, &plan->draft, root, err);

	if (r <= 0)
		return r;
	boot_existing_done(&plan->existing);
	return boot_existing_read(&plan->draft, root, &plan->existing, err);
}

/* Words of the file that nobody reads which would do something here: how to have them. */
static int note_unread(struct boot_plan *plan)
{
	cleanup_text struct text text = { 0 };
	cleanup_free char *note = NULL;

	for (size_t i = 0; i < plan->leftovers.count; i++) {
		const struct boot_leftover *leftover = &plan->leftovers.items[i];
		const struct boot_word word = { .text = leftover->text };
		bool there = strcmp(leftover->id, "other-boot-loader") != 0 ||
			     !boot_word_is_plain(leftover->text) ||
			     !boot_leftovers_is_sensible(&word, &plan->machine);

		for (size_t k = 0; k < plan->settings.count && !there; k++) {
			const struct boot_setting *setting = &plan->settings.items[k];
			cleanup_free char *option = NULL;

			if (setting->kind == BOOT_OPTION)
				option = text_format("%s.%s", setting->name, setting->value);
			there = (setting->kind == BOOT_PARAMETER &&
				 boot_word_equal(setting->name, leftover->text)) ||
				(option && boot_word_equal(option, leftover->text));
		}
		if (!there)
			text_add(&text, " --param %s", leftover->text);
	}
	if (!text.data)
		return text.failed ? -ENOMEM : 0;
	note = text_format("some words are only in a file that nobody reads here; to have them: "
			   "pve-vfio setup --add%s",
			   text.data);
	return note ? strings_add(&plan->notes, note) : -ENOMEM;
}

static int add_notes(struct boot_plan *plan)
{
	const struct boot_existing *existing = &plan->existing;
	int r = note_unread(plan);

	if (r < 0)
		return r;

	for (size_t i = 0; i < existing->grub.doubts.count && plan->machine.loader.grub; i++) {
		cleanup_free char *note =
			text_format("%s does something to the kernel parameters that only running "
				    "it can tell; look at /proc/cmdline after the reboot",
				    existing->grub.doubts.items[i]);

		r = note ? strings_add(&plan->notes, note) : -ENOMEM;
		if (r < 0)
			return r;
	}
	for (size_t i = 0;
	     i < existing->unread.count && plan->machine.loader.systemd_boot && r == 0; i++) {
		const struct boot_word *word = &existing->unread.items[i];
		cleanup_free char *note = text_format(
			"'%s' (/%s, line %u) is not in effect: only the first line of that file is "
			"read",
			word->text, word->path, word->line);

		r = note ? strings_add(&plan->notes, note) : -ENOMEM;
	}
	return r;
}

/* What GRUB will come to with the draft must have every word: a later file may take them back. */
static int check_grub(struct boot_plan *plan, const struct sysroot *root, struct error *err)
{
	cleanup_grub struct grub grub = { 0 };
	int r;

	if (!plan->machine.loader.grub)
		return 0;
	r = grub_read(&plan->draft, root, &grub, err);
	for (size_t i = 0; i < plan->settings.count && r == 0; i++) {
		const struct boot_setting *setting = &plan->settings.items[i];
		const struct boot_word *other;

		if (setting->kind == BOOT_PARAMETER &&
		    !boot_parameter_find(&grub.words, setting->name, &other))
			return error_set(err, -EBADMSG,
					 "'%s' in /%s would be lost: a file behind it in /%s sets "
					 "%s anew. Rename that file, or let it keep the old value "
					 "($%s)",
					 setting->name, LAYOUT_GRUB, GRUB_FOLDER, GRUB_VARIABLE,
					 GRUB_VARIABLE);
	}
	return r;
}

int boot_plan_make(struct boot_plan *plan, const struct sysroot *root, const struct boot_wish *wish,
		   struct error *err)
{
	int r = boot_leftovers_find(&plan->existing, &plan->machine, wish->kept_away,
				    &plan->leftovers, err);

	if (r == 0)
		r = check_lines(plan, root, err);
	if (r == 0 && wish->clean_up)
		r = cut_leftovers(plan, root, err);
	if (r == 0)
		r = boot_request_settle(wish->request, &plan->machine, &plan->existing,
					&plan->settings, &plan->notes, err);
	if (r == 0)
		r = layout_write(&plan->draft, root, &plan->settings, &plan->existing,
				 &plan->machine.loader, &plan->cmdline, err);
	if (r == 0)
		r = check_grub(plan, root, err);
	if (r == 0)
		r = boot_draft_check(&plan->draft, err);
	if (r == 0 && add_notes(plan) < 0)
		r = error_set_memory(err);
	return r;
}
