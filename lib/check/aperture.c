/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: whether OVMF has room for the large BARs of the plan's devices above the guest's memory:
 * PlatformDynamicMmioWindow() and PlatformGetFirstNonAddress() in OvmfPkg's PlatformInitLib; and
 * whether the IOMMU reaches where it puts them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "check/check.h"
#include "host/package.h"
#include "pci/facts.h"
#include "pve/property.h"

#define CPUINFO_MAX  ((size_t)8 << 20)

#define MIB	     (UINT64_C(1) << 20)
#define GIB	     (UINT64_C(1) << 30)
#define WINDOW_FIXED (32 * GIB)

/* Four levels of page tables: what OVMF takes at most. */
#define ADDRESS_BITS_MOST 46

enum width {
	WIDTH_UNKNOWN,
	WIDTH_HOST,  /* the guest sees the host's address width */
	WIDTH_PLAIN, /* QEMU's 40 bits, which OVMF does not trust */
};

/* "address sizes	: 39 bits physical, 48 bits virtual"; 0 where that is not said. */
static unsigned read_host_bits(const struct sysroot *root)
{
	static const char key[] = "address sizes";
	cleanup_free char *data = NULL;
	const char *at;
	uint64_t bits = 0;
	size_t size;

	if (sysroot_read(root, "proc/cpuinfo", CPUINFO_MAX, &data, &size) < 0)
		return 0;
	at = strstr(data, key);
	if (!at)
		return 0;
	at += strlen(key);
	at += strspn(at, "\t :");
	return parse_number(at, strspn(at, "0123456789"), 10, 64, &bits) == 0 ? (unsigned)bits : 0;
}

/* Proxmox VE's default is a type of QEMU's; what a custom type or `args` say is not looked into. */
static enum width read_width(const struct vm_config *config)
{
	cleanup_properties struct properties properties = { 0 };
	const char *cpu = vm_config_get(config, "cpu"), *args = vm_config_get(config, "args");
	enum width width = WIDTH_PLAIN;

	if (args && strstr(args, "-cpu "))
		return WIDTH_UNKNOWN;
	if (!cpu)
		return WIDTH_PLAIN;
	if (properties_parse(cpu, "cputype", &properties, NULL) < 0)
		return WIDTH_UNKNOWN;
	for (size_t i = 0; i < properties.count; i++) {
		const struct property *property = &properties.items[i];

		if (strcmp(property->key, "phys-bits") == 0)
			return strcmp(property->value, "host") == 0 ? WIDTH_HOST : WIDTH_UNKNOWN;
		if (strcmp(property->key, "cputype") != 0)
			continue;
		if (strcmp(property->value, "host") == 0)
			width = WIDTH_HOST;
		else if (strcmp(property->value, "max") == 0 ||
			 text_starts_with(property->value, "custom-"))
			width = WIDTH_UNKNOWN;
	}
	return width;
}

/* An eighth of the address space since edk2-stable202211, a quarter since August 2026. */
static uint64_t dynamic_window(const struct sysroot *root, unsigned bits)
{
	static const char *const name = "pve-edk2-firmware";
	static const unsigned dynamic[3] = { 3, 20221111, 0 }, quarter[3] = { 3, 20260821, 0 };
	cleanup_free char *version = NULL;

	(void)package_versions(root, &name, 1, &version);
	if (version && package_is_older(version, dynamic))
		return WINDOW_FIXED;
	return UINT64_C(1) << (bits - (version && !package_is_older(version, quarter) ? 2 : 3));
}

/* The window that OVMF makes; 0 where that cannot be determined. */
static uint64_t find_window(const struct start *start, uint64_t memory_mib, enum width *ret_width)
{
	unsigned bits = read_host_bits(start->root);
	uint64_t window;

	*ret_width = read_width(&start->config);
	if (*ret_width != WIDTH_HOST)
		return *ret_width == WIDTH_PLAIN ? WINDOW_FIXED : 0;
	if (bits < 36)
		return 0;
	if (bits > ADDRESS_BITS_MOST)
		bits = ADDRESS_BITS_MOST;
	window = dynamic_window(start->root, bits);
	return window > WINDOW_FIXED && memory_mib * MIB + window < UINT64_C(1) << bits
		       ? window
		       : WINDOW_FIXED;
}

/* What the functions want above 4 GiB: their wide prefetchable BARs, as large as the VM gets them. */
static uint64_t sum_bars(const struct start *start)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];
		const struct device_settings *settings =
			settings_device(&start->settings, planned->device.address);
		struct pci_region regions[PCI_REGION_COUNT];

		if (planned->sibling || planned->device.bridge)
			continue;
		pci_regions_read(start->root, planned->device.name, regions);
		for (size_t bar = 0; bar < PCI_BAR_COUNT; bar++)
			if (regions[bar].prefetchable && regions[bar].wide)
				sum += settings && settings->resize_bar[bar] > 0
					       ? settings->resize_bar[bar] * MIB
					       : regions[bar].size;
	}
	return sum;
}

static int add_window(const struct start *start, uint64_t sum, uint64_t window, enum width width,
		      struct findings *findings)
{
	const char *args = vm_config_get(&start->config, "args");
	uint64_t wanted = GIB;

	while (wanted < sum)
		wanted *= 2;
	wanted /= MIB;
	if (finding_add(findings, CHECK_OVMF_WINDOW, "bios",
			"The devices have %" PRIu64
			" MiB of large BARs, and OVMF's window for them is "
			"%" PRIu64 " MiB%s.",
			sum / MIB, window / MIB,
			width == WIDTH_PLAIN
				? ", since the processor type hides the host's address "
				  "width"
				: "") < 0)
		return -ENOMEM;
	if (width == WIDTH_PLAIN)
		return finding_advise(findings, "'qm set %u --cpu host' lets OVMF make it larger.",
				      start->vmid);
	if (!args)
		return finding_advise(findings,
				      "Set it: 'qm set %u --args \"-fw_cfg "
				      "name=opt/ovmf/X-PciMmio64Mb,string=%" PRIu64
				      "\"'; or make the BARs smaller (\"resize_bar\" in "
				      "/etc/pve/pve-vfio/%u.json).",
				      start->vmid, wanted, start->vmid);
	return finding_advise(findings,
			      "Set it: '-fw_cfg name=opt/ovmf/X-PciMmio64Mb,string=%" PRIu64
			      "' in 'args' of VM %u; or make the BARs smaller (\"resize_bar\").",
			      wanted, start->vmid);
}

/* MGAW of Intel's Capability Register (VT-d 5.0, 11.4.2), the width that it translates; 0: unknown. */
static unsigned read_iommu_bits(const struct sysroot *root, const char *address)
{
	cleanup_free char *capability = NULL;
	char path[SYSROOT_PATH_MAX];
	uint64_t value;

	pci_attribute_path(path, address, "iommu/intel-iommu/cap");
	if (sysroot_read_attribute(root, path, &capability) < 0 ||
	    parse_number(capability, strlen(capability), 16, UINT64_MAX, &value) < 0)
		return 0;
	return (unsigned)(value >> 16 & 0x3f) + 1;
}

/*
 * OVMF's own window is the top of the guest's address space. vfio_dma_do_map() in
 * vfio_iommu_type1.c has -EINVAL for what lies beyond the IOMMU's aperture, and QEMU warns.
 */
static int check_reach(const struct start *start, struct findings *findings)
{
	const char *name = start->plan.devices[0].device.name;
	unsigned bits = read_host_bits(start->root), reach = read_iommu_bits(start->root, name);
	const char *cpu = vm_config_get(&start->config, "cpu");
	cleanup_free char *value = NULL, *command = NULL;
	char width[24];

	if (bits > ADDRESS_BITS_MOST)
		bits = ADDRESS_BITS_MOST;
	if (reach == 0 || reach >= bits)
		return 0;
	if (finding_add(
		    findings, CHECK_IOMMU_WIDTH, name,
		    "OVMF puts its large BARs at the top of the guest's address space, which is %u "
		    "bits wide, and the IOMMU reaches %u bits.",
		    bits, reach) < 0)
		return -ENOMEM;
	snprintf(width, sizeof(width), "phys-bits=%u", reach);
	value = hostpci_change(cpu ? cpu : "host", "phys-bits", NULL, width);
	command = value ? hostpci_command(start->vmid, "cpu", value) : NULL;
	return command ? finding_advise(
				 findings,
				 "Nothing, unless passed devices are to reach each other's memory, or "
				 "the VM fails with 'VFIO_MAP_DMA failed': '%s'.",
				 command)
		       : -ENOMEM;
}

int check_aperture(const struct start *start, struct findings *findings, struct error *err)
{
	const char *bios = vm_config_get(&start->config, "bios");
	const char *args = vm_config_get(&start->config, "args");
	uint64_t sum, window, memory_mib;
	enum width width;
	int r = 0;

	if (!text_equal(bios, "ovmf") || (args && strstr(args, "X-PciMmio64Mb")) ||
	    !check_memory_read(&start->config, &memory_mib))
		return 0;
	sum = sum_bars(start);
	if (sum == 0)
		return 0;
	window = find_window(start, memory_mib, &width);
	if (window > WINDOW_FIXED)
		r = check_reach(start, findings);
	if (r == 0 && window > 0 && sum > window)
		r = add_window(start, sum, window, width, findings);
	return r < 0 ? error_set_memory(err) : 0;
}
