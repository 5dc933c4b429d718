/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: requests. Writes nothing. */
#include "boot/request.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "boot/layout.h"
#include "boot/parameter.h"
#include "host/kernel.h"

/* What the functions below share. */
struct settling {
	const struct boot_request *request;
	const struct boot_machine *machine;
	const struct boot_existing *existing;
	struct boot_settings settings;
	struct strings *notes;
	struct error *err;
	int r; /* the first failure */
};

void boot_request_done(struct boot_request *request)
{
	strings_done(&request->parameters);
	strings_done(&request->module_options);
	boot_settings_done(&request->devices);
	*request = (struct boot_request){ 0 };
}

static bool add_flag(struct boot_request *request, const char *name)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "--unsafe-interrupts", &request->unsafe_interrupts },
		{ "--ignore-msrs", &request->ignore_msrs },
		{ "--no-boot-framebuffer", &request->no_boot_framebuffer },
		{ "--nested", &request->nested },
		{ "--early-by-address", &request->early_by_address },
	};

	int at = TABLE_FIND(flags, name);

	if (at >= 0)
		*flags[at].flag = true;
	return at >= 0;
}

int boot_request_add(struct boot_request *request, const char *asked)
{
	const char *value = strchr(asked, '=');

	if (add_flag(request, asked))
		return 0;
	if (text_starts_with(asked, "--acs-override")) {
		request->acs_override = value ? value + 1 : BOOT_ACS_OVERRIDE;
		return 0;
	}
	if (text_starts_with(asked, "--pin-kernel=")) {
		request->pin_kernel = value + 1;
		return 0;
	}
	if (text_starts_with(asked, "--param="))
		return strings_add(&request->parameters, value + 1);
	if (text_starts_with(asked, "--module-option="))
		return strings_add(&request->module_options, value + 1);
	return -ENOENT;
}

int boot_request_repeat(struct boot_request *request, const struct record *record)
{
	for (size_t i = 0; i < record->options.count; i++) {
		int r = boot_request_add(request, record->options.items[i]);

		if (r < 0 && r != -ENOENT)
			return r;
	}
	for (size_t i = 0; i < record->settings.count; i++) {
		const struct boot_setting *setting = &record->settings.items[i];

		if (setting->kind == BOOT_EARLY || setting->kind == BOOT_SRIOV ||
		    setting->kind == BOOT_BLACKLIST) {
			if (boot_settings_add(&request->devices, setting) < 0)
				return -ENOMEM;
		}
		request->disable_vga |= setting->kind == BOOT_OPTION &&
					strcmp(setting->name, "vfio_pci") == 0 &&
					text_equal(setting->value, "disable_vga=1");
	}
	return 0;
}

static void fail(struct settling *settling)
{
	if (settling->r == 0)
		settling->r = error_set_memory(settling->err);
}

static void add(struct settling *settling, const struct boot_setting *setting)
{
	if (settling->r == 0 && boot_settings_add(&settling->settings, setting) < 0)
		fail(settling);
}

static void note(struct settling *settling, char *sentence)
{
	cleanup_free char *own = sentence;

	if (!own || strings_add(settling->notes, own) < 0)
		fail(settling);
}

/* ---- kernel parameters */

/* The words of one boot loader; NULL when it is not this machine's. */
static const struct boot_words *words_of(const struct settling *settling, bool grub)
{
	const struct boot_loader *loader = &settling->machine->loader;

	/* no file of it is read here: what the kernel was started with */
	if (loader->other)
		return grub ? NULL : &settling->existing->running;
	if (grub)
		return loader->grub ? &settling->existing->grub.words : NULL;
	return loader->systemd_boot ? &settling->existing->cmdline : NULL;
}

static char *place(const struct boot_word *word)
{
	return text_format("/%s, line %u", word->path, word->line);
}

/* `same`: a word that is there already; `missing`: some boot loader of this machine lacks it. */
static void settle_parameter(struct settling *settling, const char *wanted, const char *reason,
			     const struct boot_word *same, bool missing)
{
	cleanup_free char *where = layout_parameter_place(&settling->machine->loader);
	struct boot_setting setting = { .kind = BOOT_PARAMETER, .where = where };
	cleanup_free char *same_place = same ? place(same) : NULL;
	cleanup_free char *name = strdup(same && !missing ? same->text : wanted);
	cleanup_free char *why = strdup(reason);

	if (!name || !why || (same && !same_place) || !where) {
		fail(settling);
		return;
	}
	setting.name = name;
	setting.reason = why;
	setting.found = same && !missing;
	if (setting.found)
		setting.where = same_place;
	add(settling, &setting);
}

static void note_other(struct settling *settling, const struct boot_word *other, const char *wanted,
		       bool added)
{
	cleanup_free char *other_place = place(other);

	note(settling, text_format(added ? "'%s' (%s) is there, too; '%s' is put behind it"
					 : "'%s' (%s) is left as it is, and '%s' is not added",
				   other->text, other_place ? other_place : "", wanted));
}

/* What somebody asked for, which is made also where there is another value. */
static void add_parameter(struct settling *settling, const char *wanted, const char *reason)
{
	const struct boot_word *same = NULL;
	bool missing = false;

	for (int grub = 0; grub < 2; grub++) {
		const struct boot_words *words = words_of(settling, grub);
		const struct boot_word *other = NULL, *found = NULL;

		if (!words)
			continue;
		found = boot_parameter_find(words, wanted, &other);
		if (found)
			same = found;
		missing |= !found;
		if (other && !found)
			note_other(settling, other, wanted, true);
	}
	settle_parameter(settling, wanted, reason, same, missing);
}

/* Switched off: that is reported first, and nothing is put after it. */
static bool is_switched_off(const struct settling *settling)
{
	for (int grub = 0; grub < 2; grub++) {
		const struct boot_words *words = words_of(settling, grub);

		if (words && boot_iommu_read(words, settling->machine->cpu).off)
			return true;
	}
	return false;
}

/* Kernels that start the IOMMU of an Intel CPU only when a parameter says so. */
static void add_intel_iommu(struct settling *settling)
{
	const struct boot_machine *machine = settling->machine;
	const struct boot_kernel *without = NULL;
	const struct boot_word *same = NULL;
	cleanup_free char *reason = NULL;
	bool missing = false;

	for (size_t i = 0; i < machine->count; i++)
		if (!machine->kernels[i].intel_iommu)
			without = &machine->kernels[i];
	if (machine->cpu == BOOT_CPU_AMD || (!without && machine->count > 0))
		return;
	for (int grub = 0; grub < 2; grub++) {
		const struct boot_words *words = words_of(settling, grub);
		const struct boot_word *on = words ? boot_iommu_read(words, machine->cpu).on : NULL;

		if (on)
			same = on;
		missing |= words && !on;
	}
	reason = text_format("%s%s does not start the IOMMU of an Intel CPU by itself",
			     without ? "kernel " : "the kernel may be one that",
			     without ? without->release : "");
	if (reason)
		settle_parameter(settling, "intel_iommu=on", reason, same, missing);
	else
		fail(settling);
}

static void add_passthrough(struct settling *settling)
{
	static const char wanted[] = "iommu=pt";
	const struct boot_machine *machine = settling->machine;
	const struct boot_word *same = NULL;
	bool missing = false, by_itself = machine->count > 0;

	for (size_t i = 0; i < machine->count; i++)
		by_itself &= machine->kernels[i].passthrough;
	for (int grub = 0; grub < 2; grub++) {
		const struct boot_words *words = words_of(settling, grub);
		struct boot_iommu iommu = { 0 };
		const struct boot_word *other;

		if (!words)
			continue;
		iommu = boot_iommu_read(words, machine->cpu);
		other = iommu.passthrough ? iommu.passthrough : boot_words_find_name(words, wanted);
		if (other && (!iommu.passthrough || iommu.translated)) {
			note_other(settling, other, wanted, false);
			return;
		}
		if (iommu.passthrough)
			same = iommu.passthrough;
		missing |= !iommu.passthrough;
	}
	if (!by_itself || same)
		settle_parameter(
			settling, wanted,
			"the host's own devices keep direct memory access, which costs no time",
			same, missing && !by_itself);
}

/* Somebody asks for a parameter of this name, which is kept then. */
static bool is_asked(const struct settling *settling, const char *word)
{
	for (size_t i = 0; i < settling->request->parameters.count; i++)
		if (boot_word_same_name(settling->request->parameters.items[i], word))
			return true;
	return false;
}

/* The IOMMU of an AMD CPU is on by itself (amd_iommu=on has never been a value). */
static void add_iommu(struct settling *settling)
{
	if (settling->machine->cpu == BOOT_CPU_OTHER || is_switched_off(settling))
		return;
	if (!is_asked(settling, "intel_iommu=on"))
		add_intel_iommu(settling);
	if (!is_asked(settling, "iommu=pt") && !is_asked(settling, "iommu.passthrough=1"))
		add_passthrough(settling);
}

static void add_framebuffer(struct settling *settling)
{
	static const char reason[] =
		"no picture of the host until a graphics driver loads, and none where that never "
		"does";
	const char *pin = settling->request->pin_kernel;
	const struct boot_kernel *kernel = pin ? boot_machine_kernel(settling->machine, pin)
					       : boot_machine_next(settling->machine);

	/* Since 5.15 only sysfb makes the firmware's framebuffer a device (drivers/firmware/sysfb.c). */
	if (!kernel || boot_kernel_is_from(kernel, 5, 15)) {
		add_parameter(settling, "initcall_blacklist=sysfb_init", reason);
		return;
	}
	add_parameter(settling, "video=efifb:off", reason);
	add_parameter(settling, "video=vesafb:off", reason);
}

static void add_asked_parameters(struct settling *settling)
{
	const struct boot_request *request = settling->request;

	if (request->acs_override) {
		cleanup_free char *word =
			text_format("pcie_acs_override=%s", request->acs_override);

		if (word)
			add_parameter(
				settling, word,
				"splits IOMMU groups that the hardware does not: a VM may then "
				"reach the memory of another VM or of the host");
	}
	if (request->no_boot_framebuffer)
		add_framebuffer(settling);
	for (size_t i = 0; i < request->parameters.count; i++)
		add_parameter(settling, request->parameters.items[i], "asked for");
}

/* ---- modules */

static const struct modconf_line *find_line(const struct settling *settling, enum modconf_kind kind,
					    const char *module, const char *option, bool *ret_other)
{
	const struct modconf *lines = &settling->existing->conf;
	size_t name = option ? kernel_word_name_size(option) : 0;
	const struct modconf_line *found = NULL;
	size_t size;

	for (size_t i = 0; i < lines->count; i++) {
		const struct modconf_line *line = &lines->items[i];
		cleanup_free char *key = NULL;
		const char *word;

		if (line->kind != kind || !modconf_same_module(line->module, module))
			continue;
		/* systemd takes the whole line for the name of a module */
		if (kind == MODCONF_LOAD && *line->rest)
			continue;
		if (!option)
			return line;
		key = strndup(option, name);
		word = key ? modconf_find_option(line->rest, key, &size) : NULL;
		if (!word)
			continue;
		found = line;
		*ret_other = size != strlen(option) || strncmp(word, option, size) != 0;
	}
	return found;
}

/* The word of the kernel command line that does the same: "kvm.ignore_msrs=1". */
static const struct boot_word *find_on_cmdline(const struct settling *settling,
					       enum boot_setting_kind kind, const char *module,
					       const char *value)
{
	const struct boot_word *found = NULL, *other;
	cleanup_free char *word = NULL;

	if (kind != BOOT_OPTION && kind != BOOT_BLACKLIST)
		return NULL;
	word = kind == BOOT_OPTION ? text_format("%s.%s", module, value)
				   : text_format("modprobe.blacklist=%s", module);
	for (int grub = 0; word && grub < 2; grub++) {
		const struct boot_words *words = words_of(settling, grub);

		if (!words)
			continue;
		found = boot_parameter_find(words, word, &other);
		for (size_t i = 0; i < words->count && !found && kind == BOOT_BLACKLIST; i++)
			if (boot_word_same_name(words->items[i].text, word) &&
			    boot_word_has_part(words->items[i].text, module))
				found = &words->items[i];
		if (!found)
			return NULL;
	}
	return found;
}

static void add_conf(struct settling *settling, enum boot_setting_kind kind, enum modconf_kind conf,
		     const char *module, const char *value, const char *reason)
{
	bool other = false;
	const struct modconf_line *line = find_line(settling, conf, module, value, &other);
	cleanup_free char *name = strdup(module), *option = value ? strdup(value) : NULL;
	cleanup_free char *why = strdup(reason);
	const struct boot_word *word = line ? NULL : find_on_cmdline(settling, kind, module, value);
	cleanup_free char *found = line	  ? text_format("/%s, line %u", line->path, line->line)
				   : word ? place(word)
					  : NULL;
	cleanup_free char *ours =
		text_format("/%s", kind == BOOT_MODULE ? LAYOUT_MODULES : LAYOUT_MODPROBE);

	if (!name || !why || !ours || (value && !option) || ((line || word) && !found)) {
		fail(settling);
		return;
	}
	if (other)
		note(settling, text_format("'options %s %s' (%s) is there, too", line->module,
					   line->rest, found));
	add(settling, &(struct boot_setting){ .kind = kind,
					      .name = name,
					      .value = option,
					      .reason = why,
					      .where = found && !other ? found : ours,
					      .found = found && !other });
}

static void add_option(struct settling *settling, const char *module, const char *option,
		       const char *reason)
{
	add_conf(settling, BOOT_OPTION, MODCONF_OPTIONS, module, option, reason);
}

static void add_nested(struct settling *settling)
{
	static const char reason[] = "guests can run VMs of their own; one that does cannot be "
				     "migrated while it runs";

	if (settling->machine->cpu != BOOT_CPU_AMD)
		add_option(settling, "kvm_intel", "nested=1", reason);
	if (settling->machine->cpu != BOOT_CPU_INTEL)
		add_option(settling, "kvm_amd", "nested=1", reason);
}

/* "i915 enable_guc=2 fastboot=1": an option each. */
static void add_module_options(struct settling *settling, const char *text)
{
	cleanup_free char *copy = strdup(text);
	char *rest = copy, *word, *module = NULL;

	while (rest && (word = strsep(&rest, " "))) {
		if (*word == '\0')
			continue;
		if (module)
			add_option(settling, module, word, "asked for");
		else
			module = word;
	}
	if (!copy)
		fail(settling);
}

static void add_module_settings(struct settling *settling)
{
	const struct boot_request *request = settling->request;

	/* vfio and, before kernel 6.2, vfio_virqfd come along: these two depend on them */
	add_conf(settling, BOOT_MODULE, MODCONF_LOAD, "vfio_iommu_type1", NULL,
		 "gives VMs memory that devices may reach");
	add_conf(settling, BOOT_MODULE, MODCONF_LOAD, "vfio_pci", NULL,
		 "the driver that a device has while a VM has it");
	if (request->disable_vga)
		add_option(settling, "vfio_pci", "disable_vga=1",
			   "takes no part in VGA arbitration for cards that are the VMs' alone");
	if (request->unsafe_interrupts)
		add_option(
			settling, "vfio_iommu_type1", "allow_unsafe_interrupts=1",
			settling->machine->remapping
				? "not needed: this machine remaps interrupts; a VM with a device "
				  "could send any interrupt to the host"
				: "a VM with a device can send any interrupt to the host");
	if (request->ignore_msrs)
		add_option(settling, "kvm", "ignore_msrs=1",
			   "guests read 0 from unknown registers of the CPU in place of a fault, "
			   "which may hide one");
	if (request->nested)
		add_nested(settling);
	for (size_t i = 0; i < request->module_options.count; i++)
		add_module_options(settling, request->module_options.items[i]);
}

static void add_devices(struct settling *settling)
{
	const struct boot_settings *devices = &settling->request->devices;

	for (size_t i = 0; i < devices->count; i++) {
		struct boot_setting setting = devices->items[i];
		cleanup_free char *where = NULL;

		if (setting.kind == BOOT_BLACKLIST) {
			add_conf(settling, BOOT_BLACKLIST, MODCONF_BLACKLIST, setting.name, NULL,
				 setting.reason);
			continue;
		}
		where = text_format("/%s",
				    setting.kind == BOOT_EARLY ? LAYOUT_EARLY_SCRIPT : LAYOUT_UDEV);
		setting.where = where;
		if (where)
			add(settling, &setting);
		else
			fail(settling);
	}
}

static void add_pin(struct settling *settling)
{
	cleanup_free char *name = strdup(settling->request->pin_kernel);
	cleanup_free char *reason = strdup("kernel updates are installed and not started until it "
					   "is unpinned");
	cleanup_free char *where = strdup("/" LAYOUT_PIN);

	if (!name || !reason || !where)
		fail(settling);
	else
		add(settling,
		    &(struct boot_setting){
			    .kind = BOOT_PIN, .name = name, .reason = reason, .where = where });
}

int boot_request_settle(const struct boot_request *request, const struct boot_machine *machine,
			const struct boot_existing *existing, struct boot_settings *ret,
			struct strings *notes, struct error *err)
{
	struct settling settling = { .request = request,
				     .machine = machine,
				     .existing = existing,
				     .notes = notes,
				     .err = err };

	add_iommu(&settling);
	add_asked_parameters(&settling);
	add_module_settings(&settling);
	add_devices(&settling);
	if (request->pin_kernel)
		add_pin(&settling);
	if (settling.r < 0) {
		boot_settings_done(&settling.settings);
		return settling.r;
	}
	*ret = settling.settings;
	return 0;
}
