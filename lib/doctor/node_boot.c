/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what was asked of the boot, in which file, against what the kernel was booted with. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "boot/effect.h"
#include "boot/parameter.h"
#include "doctor/doctor.h"

#define OTHER_LOADER "other-boot-loader" /* a leftover for being in a file that is not read */

/* What installers and boot loaders put there by themselves is nobody's question. */
static bool is_of_interest(const char *word)
{
	static const char *const names[] = {
		"intel_iommu", "amd_iommu", "iommu", "intremap", "vfio",
		"kvm",	       "pcie_a",    "pci",   "video",	 "initcall_blacklist",
		"modprobe",    "module_b",  "i915",  "amdgpu",	 "nouveau",
		"nomodeset",   "efifb",	    "nofb",  "textonly", "disable_vga",
		"ipcie",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_starts_with(word, names[i]))
			return true;
	return false;
}

/* It does nothing, or harm: no remedy names it, but for the one that takes it out. */
static bool is_leftover(const struct boot_view *view, const char *word)
{
	const struct boot_leftovers *leftovers = &view->plan.leftovers;

	for (size_t i = 0; i < leftovers->count; i++)
		if (strcmp(leftovers->items[i].text, word) == 0 &&
		    strcmp(leftovers->items[i].id, OTHER_LOADER) != 0)
			return true;
	return false;
}

/* Of a file that is read: the kernel was not booted with it. Of another: it would do something here. */
static bool is_missing(const struct boot_view *view, const struct boot_word *word, bool used)
{
	const struct boot_word *other;

	return is_of_interest(word->text) &&
	       !boot_parameter_find(&view->effective, word->text, &other) &&
	       !is_leftover(view, word->text) &&
	       (used || boot_leftovers_is_sensible(word, &view->plan.machine));
}

/* "iommu=pt, video=efifb:off" */
static char *list_missing(const struct boot_view *view, const struct boot_words *words, bool used,
			  const struct boot_word **ret_first)
{
	struct text text = { 0 };

	*ret_first = NULL;
	for (size_t i = 0; i < words->count; i++) {
		const struct boot_word *word = &words->items[i];

		if (!is_missing(view, word, used))
			continue;
		if (!*ret_first)
			*ret_first = word;
		text_add(&text, "%s%s", text.size ? ", " : "", word->text);
	}
	return text_take(&text);
}

/* What else setup would clean out of a file that is not read: it is set elsewhere, or is of no use. */
static int judge_useless(const struct boot_view *view, const struct boot_words *words,
			 struct verdicts *verdicts)
{
	const struct boot_leftovers *leftovers = &view->plan.leftovers;
	cleanup_text struct text text = { 0 };
	cleanup_free char *path = NULL;

	for (size_t i = 0; i < leftovers->count && words->count > 0; i++) {
		const struct boot_leftover *leftover = &leftovers->items[i];
		const struct boot_word word = { .text = leftover->text };

		if (strcmp(leftover->id, OTHER_LOADER) != 0 || is_missing(view, &word, false) ||
		    strcmp(leftover->path, words->items[0].path) != 0)
			continue;
		text_add(&text, "%s%s", text.size ? ", " : "", leftover->text);
	}
	if (!text.data)
		return text.failed ? -ENOMEM : 0;
	path = text_format("/%s", words->items[0].path);
	return path ? verdict_add(
			      verdicts, VERDICT_INFO, "boot-leftover", path,
			      "'pve-vfio setup --clean-up' takes out what can be.",
			      "This machine is started by %s, which does not read this file; in "
			      "it, to no effect: %s.",
			      boot_loader_name(&view->plan.machine.loader), text.data)
		    : -ENOMEM;
}

/* One file: `used` is the one that the boot loader of this machine reads. */
static int judge_file(const struct boot_view *view, const struct boot_words *words, bool used,
		      struct verdicts *verdicts)
{
	const struct boot_loader *loader = &view->plan.machine.loader;
	const struct boot_word *first;
	cleanup_free char *missing = list_missing(view, words, used, &first);
	cleanup_free char *path = first ? text_format("/%s", first->path) : NULL;
	cleanup_free char *remedy = NULL;

	if (!missing)
		return -ENOMEM;
	if (!first)
		return 0;
	if (used)
		remedy = text_format("Run '%s' if you have not, and boot again.",
				     boot_view_refresh(view));
	else if (loader->other)
		remedy = text_format("If you want them, put them into %s; then boot again.",
				     loader->other_place);
	else
		remedy = text_format("If you want them, run 'pve-vfio setup', which says how they "
				     "get into %s; then boot again.",
				     loader->grub ? "/etc/default/grub.d" : "/etc/kernel/cmdline");
	if (!path || !remedy)
		return -ENOMEM;
	if (used)
		return verdict_add(verdicts, VERDICT_WARNING, "boot-not-in-effect", path, remedy,
				   "The file asks for %s, and the kernel was booted without.",
				   missing);
	return verdict_add(
		verdicts, VERDICT_WARNING, "boot-wrong-file", path, remedy,
		"The file asks for %s, but this machine is started by %s, which does not "
		"read it.",
		missing, boot_loader_name(loader));
}

/* Words on further lines of /etc/kernel/cmdline. */
static int judge_unread(const struct boot_view *view, struct verdicts *verdicts)
{
	cleanup_text struct text text = { 0 };

	if (!view->plan.machine.loader.systemd_boot || view->existing.unread.count == 0)
		return 0;
	for (size_t i = 0; i < view->existing.unread.count; i++)
		text_add(&text, "%s%s", text.size ? ", " : "", view->existing.unread.items[i].text);
	if (text.failed)
		return -ENOMEM;
	return verdict_add(verdicts, VERDICT_WARNING, "boot-not-in-effect", "/" BOOT_CMDLINE,
			   "Put them on the first line if you want them, then run "
			   "'proxmox-boot-tool refresh' and boot again.",
			   "Its first line alone is read; on others are %s.", text.data);
}

static int judge_files(const struct boot_view *view, struct verdicts *verdicts)
{
	const struct boot_loader *loader = &view->plan.machine.loader;
	size_t before = verdicts->count;
	int r;

	r = judge_file(view, &view->existing.grub.words, loader->grub, verdicts);
	/* with another boot loader it may be the one that counts */
	if (r == 0 && !loader->other)
		r = judge_file(view, &view->existing.cmdline, loader->systemd_boot, verdicts);
	if (r == 0)
		r = judge_unread(view, verdicts);
	if (r == 0 && verdicts->count == before)
		r = verdict_add(verdicts, VERDICT_OK, "boot", NULL, NULL,
				"The machine is started by %s; nothing that its files ask for is "
				"missing on the kernel's command line.",
				boot_loader_name(loader));
	if (r == 0 && !loader->grub)
		r = judge_useless(view, &view->existing.grub.words, verdicts);
	if (r == 0 && !loader->systemd_boot)
		r = judge_useless(view, &view->existing.cmdline, verdicts);
	return r;
}

/* What `setup --clean-up` would take out. */
static int judge_leftover(const struct boot_leftover *leftover, struct verdicts *verdicts)
{
	bool off = strcmp(leftover->id, BOOT_IOMMU_OFF) == 0;
	const char *id = off					    ? "boot-iommu-off"
			 : strcmp(leftover->id, "vfio-virqfd") == 0 ? "vfio-virqfd"
			 : strcmp(leftover->id, "blacklist") == 0   ? "driver-blacklisted"
								    : "boot-leftover";
	cleanup_free char *place = text_format("/%s, line %u", leftover->path, leftover->line);

	/* reported for that file as a whole */
	if (strcmp(leftover->id, OTHER_LOADER) == 0)
		return 0;
	if (!place)
		return -ENOMEM;
	return verdict_add(verdicts,
			   off || strcmp(leftover->id, "intremap-off") == 0 ? VERDICT_WARNING
									    : VERDICT_INFO,
			   id, place,
			   leftover->size > 0 ? "'pve-vfio setup --clean-up' takes it out."
					      : "Take it out by hand: more is on that line.",
			   "'%s': %s", leftover->text, leftover->why);
}

/* ---- what `setup` would put in */

/* With a boot loader whose words setup writes nowhere. */
static int judge_by_hand(const struct boot_view *view, struct verdicts *verdicts)
{
	const struct boot_loader *loader = &view->plan.machine.loader;
	cleanup_free char *remedy = NULL;
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < view->plan.settings.count && loader->other; i++) {
		const struct boot_setting *setting = &view->plan.settings.items[i];

		if (setting->kind == BOOT_PARAMETER && !setting->found)
			text_add(&text, "%s%s", text.size ? ", " : "", setting->name);
	}
	if (!text.data)
		return text.failed ? -ENOMEM : 0;
	remedy = text_format("Put them into %s; then boot again.", loader->other_place);
	return remedy ? verdict_add(verdicts, VERDICT_INFO, "setup", NULL, remedy,
				    "The machine is started by %s, for which 'pve-vfio setup' "
				    "writes no kernel parameters. Missing: %s.",
				    loader->other, text.data)
		      : -ENOMEM;
}

/* A file of ours that is not what setup would write, though no setting is missing in it. */
static int list_files(const struct boot_view *view, const struct strings *listed,
		      struct text *files)
{
	for (size_t i = 0; i < view->plan.draft.count; i++) {
		const struct boot_file *file = view->plan.draft.items[i];
		bool named = !boot_file_changes(file);

		for (size_t k = 0; k < listed->count && !named; k++)
			named = strstr(listed->items[k], file->path) != NULL;
		if (!named)
			text_add(files, "%s/%s", files->size ? ", " : "", file->path);
	}
	return files->failed ? -ENOMEM : 0;
}

static int judge_settings(const struct boot_view *view, struct verdicts *verdicts)
{
	cleanup_text struct text text = { 0 }, files = { 0 };
	cleanup_strings struct strings listed = { 0 };
	cleanup_free char *remedy = NULL;
	int r = 0;

	for (size_t i = 0; i < view->plan.settings.count && r == 0; i++) {
		const struct boot_setting *setting = &view->plan.settings.items[i];
		cleanup_free char *words = NULL;

		if (boot_view_is_made(view, setting) ||
		    (setting->kind == BOOT_PARAMETER && view->plan.machine.loader.other))
			continue;
		words = boot_setting_words(setting);
		text_add(&text, "%s%s", text.size ? ", " : "", words ? words : "");
		r = words ? strings_add(&listed, setting->where) : -ENOMEM;
		/* the script comes with a hook that puts into the initramfs what it needs */
		if (r == 0 && setting->kind == BOOT_EARLY)
			r = strings_add(&listed, LAYOUT_EARLY_HOOK);
	}
	if (r == 0)
		r = list_files(view, &listed, &files);
	remedy = text_format("Run '%s'; it shows what it does, and asks.", boot_view_setup(view));
	if (r < 0 || text.failed || !remedy)
		return -ENOMEM;
	if (text.data)
		r = verdict_add(verdicts, VERDICT_INFO, "setup", NULL, remedy,
				"Not set up: '%s' would set: %s.", boot_view_setup(view),
				text.data);
	if (r == 0 && files.data)
		r = verdict_add(verdicts, VERDICT_INFO, "setup", NULL, remedy,
				"Not as '%s' would write it: %s.", boot_view_setup(view),
				files.data);
	return r;
}

static int judge_missing_setup(const struct boot_view *view, struct verdicts *verdicts)
{
	size_t count;
	int r;

	if (view->refused.message[0])
		return verdict_add(verdicts, VERDICT_WARNING, "setup", NULL, NULL,
				   "'%s' refuses: %s.", boot_view_setup(view),
				   view->refused.message);
	if (view->record.pending) {
		r = verdict_add(verdicts, VERDICT_WARNING, "setup", NULL,
				"Run 'pve-vfio setup --add', which finishes it.",
				"A run of 'pve-vfio setup' was cut short: files are written, and "
				"what makes them count has not run.");
		if (r < 0)
			return r;
	}
	count = verdicts->count;
	r = judge_by_hand(view, verdicts);
	if (r == 0)
		r = judge_settings(view, verdicts);
	if (r == 0 && verdicts->count == count && !view->record.pending)
		r = verdict_add(verdicts, VERDICT_OK, "setup", NULL, NULL,
				"Set up: '%s' would change nothing.", boot_view_setup(view));
	return r;
}

/* What `pve-vfio setup` asked for beyond the command line: modules, options, early binding. */
static int judge_setup(const struct pve_node *node, struct verdicts *verdicts)
{
	cleanup_boot_effects struct boot_effects effects = { 0 };
	struct error reason = { 0 };
	int r = boot_effects_read(node->root, &effects, &reason);

	if (r < 0)
		return r == -ENOMEM ? r
				    : verdict_add(verdicts, VERDICT_UNKNOWN, "setup-effect", NULL,
						  NULL, "%s.", reason.message);
	for (size_t i = 0; i < effects.count && r == 0; i++) {
		const struct boot_effect *effect = &effects.items[i];

		if (effect->state == BOOT_NOT_IN_EFFECT && effect->kind != BOOT_PARAMETER)
			r = verdict_add(
				verdicts, VERDICT_WARNING, "setup-effect", effect->where,
				"Boot again; if it stays so, run 'pve-vfio setup' once more.",
				"Asked for is '%s', and the machine shows: %s.", effect->asked,
				effect->seen ? effect->seen : "nothing");
	}
	return r;
}

int node_boot(const struct doctor *doctor, struct verdicts *verdicts)
{
	const struct boot_view *view = &doctor->boot;
	int r;

	if (view->unread.message[0])
		r = verdict_add(verdicts, VERDICT_UNKNOWN, "boot", NULL, NULL, "%s.",
				view->unread.message);
	else
		r = judge_files(view, verdicts);
	for (size_t i = 0; i < view->plan.leftovers.count && r == 0; i++)
		r = judge_leftover(&view->plan.leftovers.items[i], verdicts);
	if (r == 0 && !view->unread.message[0])
		r = judge_missing_setup(view, verdicts);
	if (r == 0)
		r = judge_setup(doctor->node, verdicts);
	return r;
}
