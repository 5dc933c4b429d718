/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what was asked of the boot, in which file, against what the kernel was booted with. */
#include <errno.h>
#include <string.h>

#include "boot/draft.h"
#include "boot/effect.h"
#include "boot/existing.h"
#include "boot/loader.h"
#include "doctor/doctor.h"

struct asking {
	const struct pve_node *node;
	struct boot_loader loader;
	struct boot_existing existing;
	struct boot_words effective; /* /proc/cmdline */
};

/* What installers and boot loaders put there by themselves is nobody's question. */
static bool is_of_interest(const char *word)
{
	static const char *const names[] = {
		"intel_iommu", "amd_iommu", "iommu",	   "intremap", "vfio",
		"kvm",	       "pcie_a",    "pci",	   "video",    "initcall_blacklist",
		"modprobe",    "module_b",  "i915",	   "amdgpu",   "nouveau",
		"nomodeset",   "efifb",	    "disable_vga", "ipcie",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (text_starts_with(word, names[i]))
			return true;
	return false;
}

/* The words of one file that the kernel was not booted with: "iommu=pt, video=efifb:off". */
static char *list_missing(const struct asking *asking, const struct boot_words *words,
			  const struct boot_word **ret_first)
{
	struct text text = { 0 };

	*ret_first = NULL;
	for (size_t i = 0; i < words->count; i++) {
		const struct boot_word *word = &words->items[i];

		if (!is_of_interest(word->text) || boot_words_find(&asking->effective, word->text))
			continue;
		if (!*ret_first)
			*ret_first = word;
		text_add(&text, "%s%s", text.size ? ", " : "", word->text);
	}
	return text_take(&text);
}

/* One file: `used` is the one that the boot loader of this machine reads. */
static int judge_file(const struct asking *asking, const struct boot_words *words, bool used,
		      const char *other, const char *refresh, struct verdicts *verdicts)
{
	const char *name = boot_loader_name(&asking->loader);
	const struct boot_word *first;
	cleanup_free char *missing = list_missing(asking, words, &first);
	cleanup_free char *path = first ? text_format("/%s", first->path) : NULL;
	cleanup_free char *remedy = NULL;

	if (!missing)
		return -ENOMEM;
	if (!first)
		return 0;
	if (used)
		remedy = text_format("Run '%s' if you have not, and boot again.", refresh);
	else
		remedy = text_format("Write them into %s, or let 'pve-vfio setup' do it; then boot "
				     "again.",
				     other);
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
		missing, name);
}

static int judge_files(const struct asking *asking, struct verdicts *verdicts)
{
	const struct boot_loader *loader = &asking->loader;
	size_t before = verdicts->count;
	int r;

	r = judge_file(asking, &asking->existing.grub.words, loader->grub, "/etc/kernel/cmdline",
		       "update-grub", verdicts);
	if (r == 0)
		r = judge_file(asking, &asking->existing.cmdline, loader->systemd_boot,
			       "/etc/default/grub", "proxmox-boot-tool refresh", verdicts);
	if (r == 0 && verdicts->count == before)
		r = verdict_add(verdicts, VERDICT_OK, "boot", NULL, NULL,
				"The machine is started by %s; nothing that its files ask for is "
				"missing on the kernel's command line.",
				boot_loader_name(loader));
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

static int read_asking(struct asking *asking, struct error *err)
{
	struct boot_draft draft = { 0 };
	int r = boot_loader_read(asking->node->root, &asking->loader, err);

	if (r == 0)
		r = boot_existing_read(&draft, asking->node->root, &asking->existing, err);
	if (r == 0)
		r = boot_words_split(&asking->effective, "proc/cmdline",
				     asking->node->command_line);
	boot_draft_done(&draft);
	return r;
}

int node_boot(const struct doctor *doctor, struct verdicts *verdicts)
{
	struct asking asking = { .node = doctor->node };
	struct error reason = { 0 };
	int r = read_asking(&asking, &reason);

	if (r < 0 && r != -ENOMEM)
		r = verdict_add(verdicts, VERDICT_UNKNOWN, "boot", NULL, NULL, "%s.",
				reason.message);
	else if (r == 0)
		r = judge_files(&asking, verdicts);
	if (r == 0)
		r = judge_setup(doctor->node, verdicts);
	boot_words_done(&asking.effective);
	boot_existing_done(&asking.existing);
	boot_loader_done(&asking.loader);
	return r;
}
