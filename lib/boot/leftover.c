/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: leftovers of guides, a table. Changes no file. */
#include "boot/leftover.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "boot/parameter.h"

/* When a rule holds. */
enum condition {
	ALWAYS,
	REMAPPING,   /* interrupts are remapped */
	KERNEL_5_15, /* the next kernel is 5.15 or newer */
};

/* Words of a kernel command line. A name that ends in '=' is all words that begin so. */
static const struct word_rule {
	const char *word;
	enum condition condition;
	const char *id, *why;
} word_rules[] = {
	{ "ipcie_acs_override=", ALWAYS, "acs-override-typo",
	  "The parameter is called pcie_acs_override; this one does nothing. If groups must be "
	  "split, ask for --acs-override." },
	{ "amd_iommu=on", ALWAYS, "amd-iommu-on",
	  "The kernel has no such value; the IOMMU of an AMD CPU is on by itself." },
	{ "amd_iommu=pt", ALWAYS, "amd-iommu-on",
	  "The kernel has no such value; iommu=pt is the word." },
	{ "nofb", ALWAYS, "no-parameter", "Does nothing: the kernel has no such parameter." },
	{ "textonly", ALWAYS, "no-parameter", "Does nothing: the kernel has no such parameter." },
	{ "disable_vga=1", ALWAYS, "disable-vga",
	  "An option of the module vfio_pci that does nothing on its own on the command line." },
	{ "vfio-pci.ids=", ALWAYS, "vfio-ids",
	  "Every device of these ids is kept from the host at all times. The hook takes devices "
	  "when a VM starts; hold one from boot by its address with --early." },
	{ "vfio-pci.disable_vga=1", ALWAYS, "disable-vga",
	  "Only of use together with ids=; not for an Intel iGPU." },
	{ "vfio_iommu_type1.allow_unsafe_interrupts=1", REMAPPING, "unsafe-interrupts",
	  "This machine remaps interrupts: it is not needed, and lets a VM send any interrupt." },
};

/* Words that have to do with passing devices through: reported when they are in a file not read. */
static const char *const passthrough_words[] = {
	"intel_iommu",
	"amd_iommu",
	"iommu",
	"pcie_acs_override",
	"video",
	"disable_vga",
	"initcall_blacklist",
	"modprobe.blacklist",
	"module_blacklist",
	"pcie_aspm",
	"intremap",
	"nointremap",
	"nofb",
	"textonly",
	"vfio-pci.ids",
	"kvm.ignore_msrs",
	"i915.enable_guc",
	"vfio_iommu_type1.allow_unsafe_interrupts",
};

/* Drivers of graphics and sound that guides take from the host. */
static const char *const drivers[] = {
	"amdgpu",
	"radeon",
	"nouveau",
	"nvidia",
	"nvidia_drm",
	"nvidia_gpu",
	"nvidia_modeset",
	"nvidia_uvm",
	"i915",
	"xe",
	"snd_hda_intel",
	"snd_hda_codec_hdmi",
	"snd_soc_skl",
	"snd_soc_avs",
	"snd_sof_pci_intel_cnl",
	"i2c_nvidia_gpu",
	"ucsi_ccg",
	"xhci_pci",
	"xhci_hcd",
};

/* No modules, though guides blacklist them. */
static const char *const no_drivers[] = { "amd", "intel", "snd_hda_codec_nvidia" };

void boot_leftovers_done(struct boot_leftovers *leftovers)
{
	for (size_t i = 0; i < leftovers->count; i++) {
		free(leftovers->items[i].path);
		free(leftovers->items[i].text);
	}
	free(leftovers->items);
	*leftovers = (struct boot_leftovers){ 0 };
}

static int add(struct boot_leftovers *leftovers, struct boot_leftover leftover)
{
	if (array_reserve(&leftovers->items, leftovers->count, sizeof(leftover)) < 0)
		return -ENOMEM;
	leftover.path = strdup(leftover.path);
	leftover.text = strdup(leftover.text);
	if (!leftover.path || !leftover.text) {
		free(leftover.path);
		free(leftover.text);
		return -ENOMEM;
	}
	leftovers->items[leftovers->count++] = leftover;
	return 0;
}

static bool holds(enum condition condition, const struct boot_machine *machine)
{
	const struct boot_kernel *kernel = boot_machine_next(machine);

	switch (condition) {
	case REMAPPING:
		return machine->remapping;
	case KERNEL_5_15:
		return kernel && boot_kernel_is_from(kernel, 5, 15);
	case ALWAYS:
		break;
	}
	return true;
}

/* ---- kernel command lines */

static bool word_matches(const struct word_rule *rule, const char *word)
{
	if (rule->word[strlen(rule->word) - 1] == '=')
		return boot_word_same_name(rule->word, word);
	return boot_word_equal(rule->word, word);
}

static int add_word(struct boot_leftovers *leftovers, const struct boot_word *word, const char *id,
		    const char *why)
{
	return add(leftovers, (struct boot_leftover){ .id = id,
						      .why = why,
						      .path = word->path,
						      .line = word->line,
						      .text = word->text,
						      .offset = word->offset,
						      .size = word->size });
}

static bool is_among(const char *module, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (modconf_same_module(module, names[i]))
			return true;
	return false;
}

static bool has_module(const struct strings *names, const char *module)
{
	for (size_t i = 0; i < names->count; i++)
		if (modconf_same_module(module, names->items[i]))
			return true;
	return false;
}

/* "video=efifb:off", and with several on one word: of these the kernel takes the first alone. */
static bool is_framebuffer_off(const char *word, const struct boot_machine *machine)
{
	static const char *const drivers_off[] = { "efifb:off", "vesafb:off", "simplefb:off",
						   "vesa:off", "off" };
	const char *at = word + strcspn(word, "=");
	bool nothing = true, any = false;

	if (!boot_word_same_name(word, "video") || *at == '\0')
		return false;
	for (at++; *at; at += *at == ',') {
		size_t size = strcspn(at, ","), i = 0;

		while (i < ARRAY_SIZE(drivers_off) &&
		       (strlen(drivers_off[i]) != size || memcmp(drivers_off[i], at, size) != 0))
			i++;
		if (i == ARRAY_SIZE(drivers_off))
			return false;
		any |= i < 4;
		/* the first two did something before 5.15 */
		nothing &= i >= 2;
		at += size;
	}
	return any && (nothing || holds(KERNEL_5_15, machine));
}

/*
 * "modprobe.blacklist=nouveau,pcspkr", "module_blacklist=": a leftover where it names a driver that
 * guides take from the host; cut out where it names nothing else.
 */
static int find_module_list(const struct boot_word *word, const struct boot_kept_away *kept_away,
			    struct boot_leftovers *leftovers)
{
	bool denied = boot_word_same_name(word->text, "module_blacklist"), any = false, all = true;
	cleanup_free char *copy = strdup(word->text + strcspn(word->text, "="));
	char *rest = copy ? copy + (*copy == '=') : NULL, *name;
	int r;

	if (!copy)
		return -ENOMEM;
	while ((name = strsep(&rest, ","))) {
		bool ours = is_among(name, drivers, ARRAY_SIZE(drivers));
		bool replaced = has_module(kept_away->replaced, name);

		any |= ours && !replaced && !has_module(kept_away->asked, name);
		all &= (ours && !replaced) || strcmp(name, "nvidiafb") == 0 || *name == '\0' ||
		       strpbrk(name, "*?[");
	}
	if (!any)
		return 0;
	r = add_word(
		leftovers, word, "blacklist",
		denied ? "The kernel refuses to load these modules, also when the hook gives a "
			 "device back."
		       : "The host has no driver for any device of these kinds, not even "
			 "while no VM runs. The hook takes devices from their drivers "
			 "itself.");
	if (r == 0 && !all)
		leftovers->items[leftovers->count - 1].size = 0;
	return r;
}

static int find_by_rule(const struct boot_word *word, const struct boot_machine *machine,
			struct boot_leftovers *leftovers)
{
	for (size_t i = 0; i < ARRAY_SIZE(word_rules); i++) {
		const struct word_rule *rule = &word_rules[i];

		if (word_matches(rule, word->text) && holds(rule->condition, machine))
			return add_word(leftovers, word, rule->id, rule->why);
	}
	if (is_framebuffer_off(word->text, machine))
		return add_word(leftovers, word, "framebuffer-off",
				"Does nothing on this kernel: --no-boot-framebuffer chooses what "
				"does.");
	return 0;
}

static int find_iommu_off(const struct boot_words *words, const struct boot_machine *machine,
			  struct boot_leftovers *leftovers)
{
	int r = 0;

	if (!boot_iommu_read(words, machine->cpu).off)
		return 0;
	for (size_t i = 0; i < words->count && r == 0; i++) {
		const char *word = words->items[i].text;

		if (!boot_iommu_is_off_word(&words->items[i], machine->cpu))
			continue;
		r = add_word(leftovers, &words->items[i], BOOT_IOMMU_OFF,
			     "Switches the IOMMU off: no device can be passed.");
		/* other parts of the value are somebody's own: by hand */
		if (r == 0 && strcmp(word + strcspn(word, "="), "=off") != 0)
			leftovers->items[leftovers->count - 1].size = 0;
	}
	return r;
}

static int find_remapping_off(const struct boot_words *words, struct boot_leftovers *leftovers)
{
	const struct boot_word *off = boot_remapping_off(words);
	int r = 0;

	for (size_t i = 0; i < words->count && off && r == 0; i++) {
		const struct boot_word one = words->items[i];
		const char *value = one.text + strcspn(one.text, "=");

		if (!boot_remapping_off(
			    &(struct boot_words){ .items = &words->items[i], .count = 1 }))
			continue;
		r = add_word(leftovers, &one, "intremap-off",
			     "Switches interrupt remapping off: without it QEMU does not start "
			     "with a device.");
		/* other parts of the value are somebody's own: by hand */
		if (r == 0 && *value && strcmp(value, "=off") != 0)
			leftovers->items[leftovers->count - 1].size = 0;
	}
	return r;
}

static int find_words(const struct boot_words *words, const struct boot_machine *machine,
		      const struct boot_kept_away *kept_away, struct boot_leftovers *leftovers)
{
	int r = find_iommu_off(words, machine, leftovers);

	if (r == 0)
		r = find_remapping_off(words, leftovers);
	for (size_t i = 0; i < words->count && r == 0; i++) {
		const struct boot_word *word = &words->items[i];

		if (boot_word_same_name(word->text, "modprobe.blacklist") ||
		    boot_word_same_name(word->text, "module_blacklist"))
			r = find_module_list(word, kept_away, leftovers);
		else
			r = find_by_rule(word, machine, leftovers);
	}
	return r;
}

/* Words in the file of the boot loader that does not start this machine. */
static int find_unread(const struct boot_words *words, const char *why,
		       struct boot_leftovers *leftovers)
{
	int r = 0;

	for (size_t i = 0; i < words->count && r == 0; i++)
		for (size_t j = 0; j < ARRAY_SIZE(passthrough_words); j++)
			if (boot_word_same_name(words->items[i].text, passthrough_words[j])) {
				r = add_word(leftovers, &words->items[i], "other-boot-loader", why);
				break;
			}
	return r;
}

static int find_on_cmdlines(const struct boot_existing *existing,
			    const struct boot_machine *machine,
			    const struct boot_kept_away *kept_away,
			    struct boot_leftovers *leftovers)
{
	const struct boot_loader *loader = &machine->loader;
	int r;

	if (loader->other)
		return 0;
	if (loader->grub)
		r = find_words(&existing->grub.words, machine, kept_away, leftovers);
	else
		r = find_unread(&existing->grub.words,
				"Has no effect: this machine starts with systemd-boot, whose words "
				"are in /etc/kernel/cmdline.",
				leftovers);
	if (r < 0)
		return r;
	if (loader->systemd_boot)
		return find_words(&existing->cmdline, machine, kept_away, leftovers);
	return find_unread(&existing->cmdline,
			   "Has no effect: this machine starts with GRUB, whose words are in "
			   "/etc/default/grub and /etc/default/grub.d.",
			   leftovers);
}

bool boot_leftovers_is_sensible(const struct boot_word *word, const struct boot_machine *machine)
{
	enum boot_cpu cpu = machine->cpu;
	struct boot_word one = *word;

	for (size_t i = 0; i < ARRAY_SIZE(word_rules); i++)
		if (word_matches(&word_rules[i], word->text) &&
		    holds(word_rules[i].condition, machine))
			return false;
	if (boot_word_same_name(word->text, "intel_iommu") && cpu != BOOT_CPU_INTEL &&
	    cpu != BOOT_CPU_UNKNOWN)
		return false;
	if (boot_word_same_name(word->text, "amd_iommu") && cpu != BOOT_CPU_AMD)
		return false;
	if (boot_remapping_off(&(struct boot_words){ .items = &one, .count = 1 }))
		return false;
	return !boot_iommu_is_off_word(word, cpu) && !is_framebuffer_off(word->text, machine) &&
	       !boot_word_same_name(word->text, "modprobe.blacklist") &&
	       !boot_word_same_name(word->text, "module_blacklist");
}

/* ---- modules */

static int add_line(struct boot_leftovers *leftovers, const struct modconf_line *line,
		    const char *id, const char *why)
{
	static const char *const words[] = {
		[MODCONF_LOAD] = "",
		[MODCONF_OPTIONS] = "options ",
		[MODCONF_BLACKLIST] = "blacklist ",
		[MODCONF_SOFTDEP] = "softdep ",
		[MODCONF_INSTALL] = "install ",
		[MODCONF_OTHER] = "",
	};
	cleanup_free char *text = text_format("%s%s%s%s", words[line->kind], line->module,
					      *line->rest ? " " : "", line->rest);

	if (!text)
		return -ENOMEM;
	return add(leftovers, (struct boot_leftover){ .id = id,
						      .why = why,
						      .path = line->path,
						      .line = line->line,
						      .text = text,
						      .offset = line->offset,
						      .size = line->size });
}

/* The options that mean something only with ids=, which goes. */
static bool is_all_of_ids(const char *rest)
{
	cleanup_free char *copy = strdup(rest);
	char *next = copy, *word;

	while (next && (word = strsep(&next, " \t")))
		if (*word && !text_starts_with(word, "ids=") &&
		    !text_starts_with(word, "disable_vga="))
			return false;
	return copy != NULL;
}

static int find_options(const struct modconf_line *line, const struct boot_machine *machine,
			struct boot_leftovers *leftovers)
{
	size_t size;

	if (modconf_same_module(line->module, "vfio_pci") &&
	    modconf_find_option(line->rest, "ids", &size)) {
		int r = add_line(leftovers, line, "vfio-ids",
				 "Every device of these ids is kept from the host at all times. "
				 "The hook takes devices when a VM starts; hold one from boot by "
				 "its address with --early.");

		/* other options on the line are somebody's own: by hand */
		if (r == 0 && !is_all_of_ids(line->rest))
			leftovers->items[leftovers->count - 1].size = 0;
		return r;
	}
	if (modconf_same_module(line->module, "vfio_iommu_type1") && holds(REMAPPING, machine) &&
	    modconf_find_option(line->rest, "allow_unsafe_interrupts", &size))
		return add_line(leftovers, line, "unsafe-interrupts",
				"This machine remaps interrupts: it is not needed, and lets a VM "
				"send any interrupt.");
	return 0;
}

static int find_blacklist(const struct modconf_line *line, const struct boot_kept_away *kept_away,
			  struct boot_leftovers *leftovers)
{
	if (has_module(kept_away->asked, line->module) ||
	    has_module(kept_away->replaced, line->module))
		return 0;
	if (strpbrk(line->module, "*?["))
		return add_line(leftovers, line, "blacklist-glob",
				"Does nothing: modprobe.d knows no patterns.");
	if (is_among(line->module, no_drivers, ARRAY_SIZE(no_drivers)))
		return add_line(leftovers, line, "blacklist-nothing",
				"Does nothing: there is no module of this name.");
	if (is_among(line->module, drivers, ARRAY_SIZE(drivers)))
		return add_line(
			leftovers, line, "blacklist",
			"The host has no driver for any device of this kind, not even while "
			"no VM runs. The hook takes devices from their drivers itself; "
			"to have it so, ask for --blacklist.");
	return 0;
}

static int find_in_line(const struct modconf_line *line, const struct boot_machine *machine,
			const struct boot_kept_away *kept_away, struct boot_leftovers *leftovers)
{
	switch (line->kind) {
	case MODCONF_LOAD:
		if (!modconf_same_module(line->module, "vfio_virqfd")) {
			if (*line->rest == '\0' || !text_starts_with(line->module, "vfio"))
				return 0;
			return add_line(leftovers, line, "modules-comment",
					"Loads nothing: systemd takes the whole line for the name "
					"of a module (modules-load.d(5)).");
		}
		return add_line(leftovers, line, "vfio-virqfd",
				"A part of vfio since kernel 6.2, where loading it fails at every "
				"boot; before, it comes with vfio_pci by itself.");
	case MODCONF_OPTIONS:
		return find_options(line, machine, leftovers);
	case MODCONF_BLACKLIST:
		return find_blacklist(line, kept_away, leftovers);
	case MODCONF_SOFTDEP:
		if (!strstr(line->rest, "vfio-pci") && !strstr(line->rest, "vfio_pci"))
			return 0;
		return add_line(leftovers, line, "vfio-softdep",
				"Only of use together with ids=: --early sets a device aside "
				"before any driver loads.");
	case MODCONF_INSTALL:
		if (has_module(kept_away->asked, line->module) ||
		    has_module(kept_away->replaced, line->module))
			return 0;
		if (!is_among(line->module, drivers, ARRAY_SIZE(drivers)) ||
		    (!text_starts_with(line->rest, "/bin/false") &&
		     !text_starts_with(line->rest, "/bin/true")))
			return 0;
		return add_line(leftovers, line, "blacklist",
				"The driver can be loaded by nobody, not even by the hook when it "
				"gives a device back.");
	case MODCONF_OTHER:
		break;
	}
	return 0;
}

/* Guides have people write into the file that Proxmox VE has for nvidiafb. */
static bool is_packaged(const struct boot_existing *existing, const struct modconf_line *line)
{
	cleanup_free char *path = text_format("/%s", line->path);

	return path && strings_has(&existing->packaged, path) &&
	       strcmp(path, "/etc/modprobe.d/pve-blacklist.conf") != 0;
}

int boot_leftovers_find(const struct boot_existing *existing, const struct boot_machine *machine,
			const struct boot_kept_away *kept_away, struct boot_leftovers *ret,
			struct error *err)
{
	cleanup_boot_leftovers struct boot_leftovers leftovers = { 0 };
	int r = find_on_cmdlines(existing, machine, kept_away, &leftovers);

	for (size_t i = 0; i < existing->conf.count && r == 0; i++)
		if (!is_packaged(existing, &existing->conf.items[i]))
			r = find_in_line(&existing->conf.items[i], machine, kept_away, &leftovers);
	if (r < 0)
		return error_set_memory(err);
	*ret = TAKE_STRUCT(leftovers);
	return 0;
}

/* ---- cutting out */

static int compare_places(const void *a, const void *b)
{
	const struct boot_leftover *left = *(const struct boot_leftover *const *)a;
	const struct boot_leftover *right = *(const struct boot_leftover *const *)b;

	return left->offset < right->offset ? 1 : left->offset > right->offset ? -1 : 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Two words can come from one place: both variables may have the value of a third. */
static bool was_cut(const struct boot_leftover *const *order, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (order[i]->size > 0 && order[i]->offset == order[at]->offset &&
		    strcmp(order[i]->path, order[at]->path) == 0)
			return true;
	return false;
}

/* A word goes with the blanks before it, or behind it where it is the first; a line as it is. */
static void widen(const char *text, size_t *offset, size_t *size)
{
	if (text[*offset + *size - 1] == '\n' || *offset == 0 || text[*offset - 1] == '\n')
		return;
	if (is_blank(text[*offset - 1])) {
		while (*offset > 0 && is_blank(text[*offset - 1])) {
			(*offset)--;
			(*size)++;
		}
		return;
	}
	while (is_blank(text[*offset + *size]))
		(*size)++;
}

int boot_leftovers_cut(const struct boot_leftovers *leftovers, struct boot_draft *draft,
		       const struct sysroot *root, struct error *err)
{
	cleanup_free const struct boot_leftover **order =
		calloc(leftovers->count + 1, sizeof(struct boot_leftover *));
	int cut = 0;

	if (!order)
		return error_set_memory(err);
	for (size_t i = 0; i < leftovers->count; i++)
		order[i] = &leftovers->items[i];
	/* from the end of a file, so that the places before stay what they are */
	qsort(order, leftovers->count, sizeof(struct boot_leftover *), compare_places);
	for (size_t i = 0; i < leftovers->count; i++) {
		size_t offset = order[i]->offset, size = order[i]->size;
		struct boot_file *file;
		int r;

		if (size == 0 || was_cut(order, i))
			continue;
		r = boot_draft_open(draft, root, order[i]->path, &file, err);
		if (r < 0)
			return r;
		if (!file->after || offset + size > strlen(file->after))
			continue;
		widen(file->after, &offset, &size);
		cut += boot_file_cut(file, offset, size);
	}
	return cut;
}
