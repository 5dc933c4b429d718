/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what was asked of the boot, in which file, against what the kernel was booted with. */
#include <errno.h>
#include <string.h>

#include "boot/effect.h"
#include "boot/leftover.h"
#include "boot/parameter.h"
#include "boot/record.h"
#include "boot/request.h"
#include "doctor/doctor.h"

struct asking {
	const struct pve_node *node;
	struct boot_machine machine;
	struct boot_existing existing;
	struct boot_leftovers leftovers;
	struct boot_words effective; /* /proc/cmdline */
};

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

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (text_starts_with(word, names[i]))
			return true;
	return false;
}

/* It does nothing, or harm: no remedy names it, but for the one that takes it out. */
static bool is_leftover(const struct asking *asking, const char *word)
{
	for (size_t i = 0; i < asking->leftovers.count; i++)
		if (strcmp(asking->leftovers.items[i].text, word) == 0 &&
		    strcmp(asking->leftovers.items[i].id, "other-boot-loader") != 0)
			return true;
	return false;
}

/*
 * The words of one file that the kernel was not booted with: "iommu=pt, video=efifb:off"; of a file
 * that is not read, those that make sense here.
 */
static char *list_missing(const struct asking *asking, const struct boot_words *words, bool used,
			  const struct boot_word **ret_first)
{
	struct text text = { 0 };

	*ret_first = NULL;
	for (size_t i = 0; i < words->count; i++) {
		const struct boot_word *word = &words->items[i], *other;

		if (!is_of_interest(word->text) ||
		    boot_parameter_find(&asking->effective, word->text, &other) ||
		    is_leftover(asking, word->text) ||
		    (!used && !boot_leftovers_is_sensible(word, &asking->machine)))
			continue;
		if (!*ret_first)
			*ret_first = word;
		text_add(&text, "%s%s", text.size ? ", " : "", word->text);
	}
	return text_take(&text);
}

/* One file: `used` is the one that the boot loader of this machine reads. */
static int judge_file(const struct asking *asking, const struct boot_words *words, bool used,
		      const char *refresh, struct verdicts *verdicts)
{
	const struct boot_loader *loader = &asking->machine.loader;
	const struct boot_word *first;
	cleanup_free char *missing = list_missing(asking, words, used, &first);
	cleanup_free char *path = first ? text_format("/%s", first->path) : NULL;
	cleanup_free char *remedy = NULL;

	if (!missing)
		return -ENOMEM;
	if (!first)
		return 0;
	if (used)
		remedy = text_format("Run '%s' if you have not, and boot again.", refresh);
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
static int judge_unread(const struct asking *asking, struct verdicts *verdicts)
{
	cleanup_text struct text text = { 0 };

	if (!asking->machine.loader.systemd_boot || asking->existing.unread.count == 0)
		return 0;
	for (size_t i = 0; i < asking->existing.unread.count; i++)
		text_add(&text, "%s%s", text.size ? ", " : "",
			 asking->existing.unread.items[i].text);
	if (text.failed)
		return -ENOMEM;
	return verdict_add(verdicts, VERDICT_WARNING, "boot-not-in-effect", "/" BOOT_CMDLINE,
			   "Put them on the first line if you want them, then run "
			   "'proxmox-boot-tool refresh' and boot again.",
			   "Its first line alone is read; on others are %s.", text.data);
}

static int judge_files(const struct asking *asking, struct verdicts *verdicts)
{
	const struct boot_loader *loader = &asking->machine.loader;
	size_t before = verdicts->count;
	int r;

	r = judge_file(asking, &asking->existing.grub.words, loader->grub,
		       loader->managed ? "proxmox-boot-tool refresh" : "update-grub", verdicts);
	/* with another boot loader it may be the one that counts */
	if (r == 0 && !loader->other)
		r = judge_file(asking, &asking->existing.cmdline, loader->systemd_boot,
			       "proxmox-boot-tool refresh", verdicts);
	if (r == 0)
		r = judge_unread(asking, verdicts);
	if (r == 0 && verdicts->count == before)
		r = verdict_add(verdicts, VERDICT_OK, "boot", NULL, NULL,
				"The machine is started by %s; nothing that its files ask for is "
				"missing on the kernel's command line.",
				boot_loader_name(loader));
	return r;
}

/* What `setup` would take out, and what it would put in. */
static int judge_leftover(const struct boot_leftover *leftover, struct verdicts *verdicts)
{
	bool off = strcmp(leftover->id, BOOT_IOMMU_OFF) == 0;
	const char *id = off					    ? "boot-iommu-off"
			 : strcmp(leftover->id, "vfio-virqfd") == 0 ? "vfio-virqfd"
			 : strcmp(leftover->id, "blacklist") == 0   ? "driver-blacklisted"
								    : "boot-leftover";
	cleanup_free char *place = text_format("/%s, line %u", leftover->path, leftover->line);

	/* told of that file as a whole */
	if (strcmp(leftover->id, "other-boot-loader") == 0)
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

static int judge_missing_setup(const struct asking *asking, struct verdicts *verdicts)
{
	cleanup_record struct record record = { 0 };
	cleanup_boot_settings struct boot_settings settings = { 0 };
	cleanup_strings struct strings notes = { 0 };
	cleanup_text struct text text = { 0 };
	const struct boot_request nothing = { 0 };

	if (record_read(asking->node->root, &record, NULL) < 0 ||
	    boot_request_settle(&nothing, &asking->machine, &asking->existing, &settings, &notes,
				NULL) < 0)
		return 0;
	for (size_t i = 0; i < settings.count; i++) {
		const struct boot_setting *setting = &settings.items[i];
		cleanup_free char *words = boot_setting_words(setting);
		bool ours = false;

		for (size_t k = 0; k < record.settings.count; k++)
			ours |= record.settings.items[k].kind == setting->kind &&
				strcmp(record.settings.items[k].name, setting->name) == 0 &&
				setting->kind == BOOT_MODULE;
		if (!setting->found && !ours && words)
			text_add(&text, "%s%s", text.size ? ", " : "", words);
	}
	if (text.failed)
		return -ENOMEM;
	if (!text.data)
		return 0;
	return verdict_add(verdicts, VERDICT_INFO, "setup", NULL,
			   record.exists ? "Run 'pve-vfio setup --add' once more."
					 : "Run 'pve-vfio setup'; it shows what it does, and asks.",
			   "Not set up: 'pve-vfio setup' would set: %s.", text.data);
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

static int read_asking(struct asking *asking, const struct doctor *doctor, struct error *err)
{
	cleanup_strings struct strings asked = { 0 }, replaced = { 0 };
	const struct boot_kept_away kept_away = { &asked, &replaced };
	cleanup_record struct record record = { 0 };
	struct boot_draft draft = { 0 };
	int r = boot_machine_read(asking->node->root, &asking->machine, err);

	if (r == 0)
		r = boot_existing_read(&draft, asking->node->root, &asking->existing, err);
	boot_draft_done(&draft);
	if (r == 0)
		r = boot_words_split(&asking->effective, "proc/cmdline",
				     asking->node->command_line);
	if (r == 0)
		r = pci_claims_replaced(asking->node->root, doctor->claims,
					&asking->node->inventory, &replaced);
	if (r < 0)
		return r;
	/* what was asked of setup is no leftover */
	(void)record_read(asking->node->root, &record, NULL);
	for (size_t i = 0; i < record.settings.count && r == 0; i++)
		if (record.settings.items[i].kind == BOOT_BLACKLIST)
			r = strings_add(&asked, record.settings.items[i].name);
	return r < 0 ? r
		     : boot_leftovers_find(&asking->existing, &asking->machine, &kept_away,
					   &asking->leftovers, err);
}

int node_boot(const struct doctor *doctor, struct verdicts *verdicts)
{
	struct asking asking = { .node = doctor->node };
	struct error reason = { 0 };
	int r = read_asking(&asking, doctor, &reason);

	if (r < 0 && r != -ENOMEM)
		r = verdict_add(verdicts, VERDICT_UNKNOWN, "boot", NULL, NULL, "%s.",
				reason.message);
	else if (r == 0)
		r = judge_files(&asking, verdicts);
	for (size_t i = 0; i < asking.leftovers.count && r == 0; i++)
		r = judge_leftover(&asking.leftovers.items[i], verdicts);
	if (r == 0)
		r = judge_missing_setup(&asking, verdicts);
	if (r == 0)
		r = judge_setup(doctor->node, verdicts);
	boot_leftovers_done(&asking.leftovers);
	boot_words_done(&asking.effective);
	boot_existing_done(&asking.existing);
	boot_machine_done(&asking.machine);
	return r;
}
