/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: whether the node has an IOMMU, what keeps it from being used, and how it is used. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/number.h"
#include "boot/parameter.h"
#include "check/check.h"
#include "doctor/doctor.h"
#include "host/modconf.h"

#define CPUINFO_MAX    ((size_t)8 << 20)
#define INTERRUPTS_MAX ((size_t)32 << 20)

struct cpu {
	bool known;
	bool intel, amd, arm;
	unsigned family;
	bool virtualisation; /* VT-x or SVM, and not locked by the firmware */
	bool guest;	     /* this node is a VM itself */
};

static bool has_flag(const char *flags, const char *flag)
{
	size_t length = strlen(flag), size = strcspn(flags, "\n");

	for (const char *at = strstr(flags, flag); at && at < flags + size;
	     at = strstr(at + 1, flag))
		if (at > flags && at[-1] == ' ' && strchr(" \n", at[length]))
			return true;
	return false;
}

static struct cpu read_cpu(const struct sysroot *root)
{
	cleanup_free char *data = NULL;
	const char *vendor, *flags, *family;
	struct cpu cpu = { 0 };
	uint64_t number = 0;
	size_t size;

	if (sysroot_read(root, "proc/cpuinfo", CPUINFO_MAX, &data, &size) < 0)
		return cpu;
	cpu.arm = text_field(data, "CPU implementer") != NULL;
	vendor = text_field(data, "vendor_id");
	flags = text_field(data, "flags");
	family = text_field(data, "cpu family");
	if (!vendor || !flags)
		return cpu;
	cpu.known = true;
	cpu.intel = text_starts_with(vendor, " GenuineIntel");
	cpu.amd = text_starts_with(vendor, " AuthenticAMD");
	if (family && parse_number(family + 1, strcspn(family + 1, "\n"), 10, 0xffff, &number) == 0)
		cpu.family = (unsigned)number;
	cpu.virtualisation = has_flag(flags, "vmx") || has_flag(flags, "svm");
	cpu.guest = has_flag(flags, "hypervisor");
	return cpu;
}

static int judge_cpu(const struct sysroot *root, const struct cpu *cpu, struct verdicts *verdicts)
{
	const char *name = cpu->intel ? "VT-x" : cpu->amd ? "SVM" : "virtualization";

	/* /proc/cpuinfo of arm64 does not tell; the kernel has the node where it can */
	if (cpu->arm && sysroot_exists(root, "dev/kvm"))
		return verdict_add(verdicts, VERDICT_OK, "cpu-virtualization", NULL, NULL,
				   "An arm64 processor, and there is /dev/kvm.");
	if (cpu->arm)
		return verdict_add(
			verdicts, VERDICT_INFO, "cpu-virtualization", NULL, NULL,
			"An arm64 processor. Whether it runs VMs is not known: /dev/kvm is not "
			"there.");
	if (!cpu->known)
		return verdict_add(verdicts, VERDICT_UNKNOWN, "cpu-virtualization", NULL, NULL,
				   "/proc/cpuinfo names no vendor and no flags.");
	if (cpu->virtualisation)
		return verdict_add(verdicts, VERDICT_OK, "cpu-virtualization", NULL, NULL,
				   "The CPU has %s.", name);
	return verdict_add(verdicts, VERDICT_ERROR, "cpu-virtualization", NULL,
			   cpu->guest ? "Give this node's own VM 'cpu: host', and load the module "
					"kvm_intel or kvm_amd below it with nested=1."
				      : "Switch it on in the firmware: 'Intel Virtualization "
					"Technology' or 'SVM Mode'.",
			   "/proc/cpuinfo shows no %s: the CPU has none, or it is switched off in "
			   "the firmware.",
			   name);
}

enum silicon {
	SILICON_HAS,
	SILICON_LACKS,
	SILICON_UNTOLD,
};

/*
 * Whether the processor has an IOMMU at all, where the firmware shows none. Every AMD processor
 * from family 17h (Zen) on has. Intel's client processors say in the host bridge's capability
 * CAPID0_A, at e4h, bit 23 (VTDD), that they have no VT-d ("Capabilities A" in the datasheets,
 * volume 2, of the 2nd to 12th generation); the capability is at e0h and is vendor specific (09h).
 */
static enum silicon ask_silicon(const struct pve_node *node, const struct cpu *cpu)
{
	cleanup_close int fd = -1;
	unsigned char config[256];
	struct bytes bytes = { config, sizeof(config) };

	if (cpu->amd)
		return cpu->family >= 0x17 ? SILICON_HAS : SILICON_UNTOLD;
	if (!cpu->intel)
		return SILICON_UNTOLD;
	fd = sysroot_openat(node->root, "sys/bus/pci/devices/0000:00:00.0/config", O_RDONLY);
	if (fd < 0 || pread(fd, config, sizeof(config), 0) != (ssize_t)sizeof(config) ||
	    bytes_u16(bytes, 0) != 0x8086 || bytes_u8(bytes, 0x34) != 0xe0 ||
	    bytes_u8(bytes, 0xe0) != 0x09)
		return SILICON_UNTOLD;
	return bytes_u32(bytes, 0xe4) & UINT32_C(1) << 23 ? SILICON_LACKS : SILICON_HAS;
}

static int judge_absent(const struct pve_node *node, const struct cpu *cpu,
			struct verdicts *verdicts)
{
	static const char in_firmware[] =
		"Switch it on in the firmware: 'VT-d' (Intel), 'IOMMU' or 'AMD-Vi' (AMD; not Auto "
		"but Enabled), often under chipset, north bridge or AMD CBS; then boot again.";

	if (cpu->arm)
		return verdict_add(verdicts, VERDICT_ERROR, "iommu-firmware", NULL,
				   "Look for the SMMU in the firmware's settings; a board that has "
				   "none for PCIe cannot pass a device.",
				   "The kernel has no IOMMU group: an arm64 machine needs an SMMU "
				   "for its PCIe, which the firmware or the device tree names.");
	if (cpu->guest)
		return verdict_add(
			verdicts, VERDICT_ERROR, "iommu-guest", NULL,
			"Give this node's own VM a q35 machine with "
			"'viommu=intel,...' in its machine line and 'cpu: host'.",
			"This node is a VM itself, and its virtual machine has no IOMMU.");
	switch (ask_silicon(node, cpu)) {
	case SILICON_LACKS:
		return verdict_add(verdicts, VERDICT_ERROR, "iommu-cpu", NULL,
				   "Passthrough needs another processor: look for VT-d on Intel's "
				   "page of yours.",
				   "The processor has no VT-d (the host bridge's capabilities say "
				   "so).");
	case SILICON_HAS:
		return verdict_add(verdicts, VERDICT_ERROR, "iommu-firmware", NULL, in_firmware,
				   "The processor has %s, and the firmware hides it: there is no "
				   "ACPI table %s.",
				   cpu->intel ? "VT-d" : "AMD-Vi", cpu->intel ? "DMAR" : "IVRS");
	case SILICON_UNTOLD:
		break;
	}
	return verdict_add(verdicts, VERDICT_ERROR, "iommu-firmware", NULL, in_firmware,
			   "The firmware shows no IOMMU (no ACPI table %s): it is switched off "
			   "there, or the machine has none.",
			   cpu->intel ? "DMAR"
			   : cpu->amd ? "IVRS"
				      : "DMAR or IVRS");
}

/*
 * How to get rid of the word that the kernel was booted with, which setup knows as the leftover `id`;
 * the caller frees it.
 */
static char *remedy_off(const struct boot_view *view, const char *id)
{
	const struct boot_leftovers *leftovers = &view->plan.leftovers;

	if (view->plan.machine.loader.other)
		return text_format("Take it out of %s; then boot again.",
				   view->plan.machine.loader.other_place);
	for (size_t i = 0; i < leftovers->count; i++) {
		const struct boot_leftover *leftover = &leftovers->items[i];

		if (strcmp(leftover->id, id) != 0)
			continue;
		if (leftover->size == 0)
			return text_format("Take it out of /%s, line %u, by hand, and run '%s'; "
					   "then boot again.",
					   leftover->path, leftover->line, boot_view_refresh(view));
		return strdup("Run 'pve-vfio setup --clean-up', which takes the parameter out of "
			      "the boot loader's file; then boot again.");
	}
	return text_format("The boot loader's files have it no more: run '%s' if you have not, and "
			   "boot again.",
			   boot_view_refresh(view));
}

/* The same for a kernel that needs a parameter, as setup has it. */
static char *remedy_on(const struct boot_view *view)
{
	const struct boot_setting *setting = boot_view_parameter(view, "intel_iommu");
	const struct boot_loader *loader = &view->plan.machine.loader;

	if (loader->other)
		return text_format("Put intel_iommu=on into %s; then boot again.",
				   loader->other_place);
	/* an off word keeps setup from adding one */
	if (!setting)
		return remedy_off(view, BOOT_IOMMU_OFF);
	if (boot_view_is_made(view, setting))
		return text_format("The boot loader's files ask for it: run '%s' if you have not, "
				   "and boot again.",
				   boot_view_refresh(view));
	return text_format("Run '%s', which adds %s; then boot again.", boot_view_setup(view),
			   setting->name);
}

/* The firmware reports one, and the kernel has no group: which parameter does that? */
static int judge_unused(const struct doctor *doctor, bool intel, struct verdicts *verdicts)
{
	const struct pve_node *node = doctor->node;
	const struct boot_view *view = &doctor->boot;
	const char *name = intel ? "VT-d" : "AMD-Vi";
	const struct boot_kernel *kernel = boot_machine_kernel(&view->plan.machine, node->release);
	struct boot_iommu iommu =
		boot_iommu_read(&view->effective, intel ? BOOT_CPU_INTEL : BOOT_CPU_AMD);
	cleanup_free char *remedy = NULL;

	if (iommu.off) {
		remedy = remedy_off(view, BOOT_IOMMU_OFF);
		return remedy ? verdict_add(verdicts, VERDICT_ERROR, "iommu-kernel", NULL, remedy,
					    "The firmware shows %s, and the kernel was booted with "
					    "%s.",
					    name, iommu.off->text)
			      : -ENOMEM;
	}
	if (intel && !iommu.on && kernel && !kernel->intel_iommu) {
		remedy = remedy_on(view);
		return remedy ? verdict_add(verdicts, VERDICT_ERROR, "iommu-kernel", NULL, remedy,
					    "The firmware shows VT-d; the kernel %s leaves it off "
					    "unless it is booted with intel_iommu=on.",
					    node->release)
			      : -ENOMEM;
	}
	return verdict_add(
		verdicts, VERDICT_ERROR, "iommu-kernel", NULL,
		"Look for the reason in 'journalctl -k -b -g \"DMAR|AMD-Vi\"'; most often "
		"it is a table that a firmware update corrects.",
		"The firmware shows %s, nothing on the command line switches it off, and "
		"the kernel has no IOMMU group.",
		name);
}

static int judge_active(const struct doctor *doctor, struct verdicts *verdicts)
{
	static const struct {
		const char *type, *what;
	} types[] = {
		{ "DMA-FQ", "translated, flushed in batches" },
		{ "DMA", "translated" },
		{ "identity", "not translated (iommu=pt): as fast as without an IOMMU" },
	};
	cleanup_strings struct strings units = { 0 };
	cleanup_text struct text words = { 0 };

	(void)sysroot_list(doctor->node->root, "sys/class/iommu", &units);
	text_add(&words, "%zu groups", doctor->safeties->groups.count);
	if (units.count > 0)
		text_add(&words, " by %zu unit%s (%s%s)", units.count, units.count > 1 ? "s" : "",
			 units.items[0], units.count > 1 ? ", ..." : "");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t count = 0;

		for (size_t k = 0; k < doctor->safeties->groups.count; k++)
			count += text_equal(doctor->safeties->groups.items[k].type, types[i].type);
		if (count > 0)
			text_add(&words, "; the host's own DMA of %zu is %s", count, types[i].what);
	}
	return words.failed ? -ENOMEM
			    : verdict_add(verdicts, VERDICT_OK, "iommu-active", NULL, NULL,
					  "The IOMMU is in use: %s.", words.data);
}

/* "=1", "=Y", and a switch without a value. */
static bool is_on(const char *value)
{
	return *value != '=' || !strchr("0nNfF", value[1]);
}

/* The last option that says it, as modprobe.d and the command line have it, or the module shows it. */
static bool is_unsafe_allowed(const struct pve_node *node, bool *ret_loaded)
{
	static const char parameter[] =
		"sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts";
	cleanup_free char *shown = NULL, *booted = NULL;
	cleanup_modconf struct modconf conf = { 0 };
	bool allowed = false;

	*ret_loaded = sysroot_read_attribute(node->root, parameter, &shown) == 0;
	if (*ret_loaded)
		return *shown == 'Y' || *shown == '1';
	if (modconf_read(node->root, &conf) < 0)
		return false;
	for (size_t i = 0; i < conf.count; i++) {
		const struct modconf_line *line = &conf.items[i];
		const char *word;
		size_t size;

		if (line->kind != MODCONF_OPTIONS ||
		    !modconf_same_module(line->module, "vfio_iommu_type1"))
			continue;
		word = modconf_find_option(line->rest, "allow_unsafe_interrupts", &size);
		if (word)
			allowed = is_on(word + strlen("allow_unsafe_interrupts"));
	}
	booted = kernel_parameter(node->command_line, "vfio_iommu_type1.allow_unsafe_interrupts");
	return booted ? !strchr("0nNfF", *booted) || *booted == '\0' : allowed;
}

/*
 * On x86 the chips of /proc/interrupts whose names begin with IR- are remapped (arch/x86/kernel/apic).
 * On arm64 the ITS tells which device an interrupt is from (drivers/irqchip/irq-gic-v3-its*.c).
 */
static int judge_remapping(const struct doctor *doctor, const struct cpu *cpu,
			   struct verdicts *verdicts)
{
	const struct boot_word *off = boot_remapping_off(&doctor->boot.effective);
	const struct pve_node *node = doctor->node;
	cleanup_free char *interrupts = NULL, *remedy = NULL;
	bool loaded, allowed;
	size_t size;

	if (sysroot_read(node->root, "proc/interrupts", INTERRUPTS_MAX, &interrupts, &size) < 0)
		return verdict_add(verdicts, VERDICT_UNKNOWN, "interrupt-remapping", NULL, NULL,
				   "/proc/interrupts cannot be read.");
	if (strstr(interrupts, " IR-"))
		return verdict_add(verdicts, VERDICT_OK, "interrupt-remapping", NULL, NULL,
				   "Interrupts are remapped.");
	if (cpu->arm && strstr(interrupts, " ITS-"))
		return verdict_add(verdicts, VERDICT_OK, "interrupt-remapping", NULL, NULL,
				   "Interrupts go through the ITS, which keeps those of devices "
				   "apart.");
	if (off) {
		remedy = remedy_off(&doctor->boot, "intremap-off");
		if (!remedy)
			return -ENOMEM;
	}
	allowed = is_unsafe_allowed(node, &loaded);
	if (off && allowed)
		return verdict_add(
			verdicts, VERDICT_WARNING, "interrupt-remapping", NULL, remedy,
			"Interrupts are not remapped, for the kernel was booted with %s; "
			"a VM with a device could raise any interrupt "
			"(allow_unsafe_interrupts).",
			off->text);
	if (allowed)
		return verdict_add(
			verdicts, VERDICT_WARNING, "interrupt-remapping", NULL,
			"Pass devices to VMs you trust only: one that is evil could raise any "
			"interrupt. Look for interrupt remapping or x2APIC in the firmware.",
			"Interrupts are not remapped, and vfio_iommu_type1 %s "
			"(allow_unsafe_interrupts).",
			loaded ? "works without" : "will work without once it is loaded");
	if (cpu->arm)
		return verdict_add(verdicts, VERDICT_WARNING, "interrupt-remapping", NULL,
				   "If QEMU does not start with a device, and you trust the VMs: "
				   "'pve-vfio setup --add --unsafe-interrupts'.",
				   "No interrupt goes through an ITS (GICv3), which keeps those of "
				   "devices apart.");
	if (off)
		return verdict_add(verdicts, VERDICT_ERROR, "interrupt-remapping", NULL, remedy,
				   "Interrupts are not remapped: the kernel was booted with %s. "
				   "QEMU will not start with a device.",
				   off->text);
	return verdict_add(
		verdicts, VERDICT_ERROR, "interrupt-remapping", NULL,
		"Update the firmware, and look for interrupt remapping or x2APIC in it. If the hardware cannot, and you trust "
		"the VMs: 'pve-vfio setup --add --unsafe-interrupts'.",
		"Interrupts are not remapped (no chip in /proc/interrupts begins with "
		"'IR-'): QEMU will not start with a device.");
}

int node_iommu(const struct doctor *doctor, struct verdicts *verdicts)
{
	const struct pve_node *node = doctor->node;
	bool dmar = sysroot_exists(node->root, "sys/firmware/acpi/tables/DMAR");
	bool ivrs = sysroot_exists(node->root, "sys/firmware/acpi/tables/IVRS");
	struct cpu cpu = read_cpu(node->root);
	int r = judge_cpu(node->root, &cpu, verdicts);

	if (r < 0)
		return r;
	if (doctor->safeties->groups.count == 0)
		return dmar || ivrs ? judge_unused(doctor, dmar, verdicts)
				    : judge_absent(node, &cpu, verdicts);
	r = judge_active(doctor, verdicts);
	return r < 0 ? r : judge_remapping(doctor, &cpu, verdicts);
}

static int judge_reserved(const struct doctor *doctor, struct verdicts *verdicts)
{
	const struct pci_inventory *inventory = &doctor->node->inventory;
	cleanup_text struct text devices = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < inventory->count; i++) {
		const struct pci_device *device = &inventory->items[i].device;

		if (device->bridge ||
		    !iommu_group_is_reserved(&doctor->safeties->groups, device->iommu_group))
			continue;
		if (count++ < 8)
			text_add(&devices, " %s", device->name);
	}
	if (count == 0)
		return verdict_add(verdicts, VERDICT_OK, "rmrr", NULL, NULL,
				   "The firmware has reserved no memory that keeps a device from "
				   "VFIO.");
	if (count > 8)
		text_add(&devices, " and %zu more", count - 8);
	if (devices.failed)
		return -ENOMEM;
	if (!iommu_reserved_is_refused(doctor->node->root))
		return verdict_add(
			verdicts, VERDICT_OK, "rmrr", NULL, NULL,
			"The firmware has reserved memory for%s; this kernel passes them "
			"all the same.",
			devices.data);
	return verdict_add(verdicts, VERDICT_WARNING, "rmrr", NULL,
			   check_reserved_remedy(doctor->node->root),
			   "The firmware has reserved memory for%s: this kernel passes none of "
			   "them.",
			   devices.data);
}

int node_groups(const struct doctor *doctor, struct verdicts *verdicts)
{
	cleanup_free char *acs = kernel_parameter(doctor->node->command_line, "pcie_acs_override");
	int r = 0;

	if (doctor->safeties->groups.count == 0)
		return 0;
	if (acs)
		r = verdict_add(
			verdicts, VERDICT_WARNING, "acs-override", NULL,
			"Pass devices to VMs you trust only, or move the card to a slot with "
			"a group of its own and take the parameter off.",
			"The kernel was booted with pcie_acs_override=%s: groups look "
			"smaller than they are, and devices of different groups may reach "
			"each other past the IOMMU.",
			acs);
	else
		r = verdict_add(verdicts, VERDICT_OK, "acs-override", NULL, NULL,
				"The groups are those of the hardware: no ACS override.");
	return r < 0 ? r : judge_reserved(doctor, verdicts);
}
