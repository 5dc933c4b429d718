/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record: what is recorded of procfs, the kernel, its modules and the network. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "host/package.h"
#include "record/sys.h"
#include "use/route.h"

#define EFI_VARIABLES "sys/firmware/efi/efivars"

static bool keep_all(char *line)
{
	return *line != '#';
}

/* One processor tells for all. */
static bool keep_processor(char *line)
{
	static const char *const fields[] = { "vendor_id", "cpu family", "flags", "model name",
					      "CPU implementer" };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (text_starts_with(line, fields[i]))
			return true;
	return false;
}

static bool keep_remapped(char *line)
{
	return strstr(line, "IO-APIC") || strstr(line, " IR-") || strstr(line, " ITS-");
}

static bool keep_cache(char *line)
{
	return text_starts_with(line, "size ") || text_starts_with(line, "c_min ");
}

/* What the kernel does with the IOMMU by itself. */
static bool keep_iommu(char *line)
{
	return strstr(line, "CONFIG_INTEL_IOMMU_") || strstr(line, "CONFIG_IOMMU_DEFAULT_");
}

static bool keep_memory(char *line)
{
	return text_starts_with(line, "Mem");
}

/* Ranges of PCI functions, and framebuffers: BOOTFB, efifb. */
static bool keep_range(char *line)
{
	const char *name = strstr(line, " : ");

	return name && (strstr(name, "fb") || strstr(name, "FB") || strstr(name, "drm") ||
			strstr(name, "0000:"));
}

/* Mounts of block devices: a server of network file systems is nobody's business. */
static bool keep_mount(char *line)
{
	return strstr(line, " - ") && strstr(strstr(line, " - "), " /dev/");
}

/* "U: Uniq=" is a serial number, or a MAC address of Bluetooth. */
static bool keep_input(char *line)
{
	return !text_starts_with(line, "U:");
}

static bool keep_vfio(char *line)
{
	return strstr(line, "vfio") != NULL;
}

/* What brings an interface up, or makes it a port. Other lines stay as empty ones: lines are named by number. */
static bool keep_interfaces(char *line)
{
	static const char *const starts[] = {
		"auto", "allow-auto", "iface", "bridge", "bond", "ovs"
	};
	const char *word = line + strspn(line, " \t");

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (text_starts_with(word, starts[i]))
			return true;
	*line = '\0';
	return true;
}

static bool keep_grub(char *line)
{
	return text_starts_with(line, "GRUB_CMDLINE");
}

/* The modules whose parameters setup sets, and doctor looks at. */
static bool has_known_parameters(const char *module)
{
	return text_starts_with(module, "vfio") || text_starts_with(module, "kvm") ||
	       strcmp(module, "i915") == 0;
}

static void record_modules(struct recorder *recorder, const struct pve_node *node)
{
	cleanup_strings struct strings names = { 0 };
	char path[SYSROOT_PATH_MAX];

	(void)sysroot_list(recorder->root, "sys/module", &names);
	for (size_t i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), "sys/module/%s", names.items[i]);
		recorder_folder(recorder, path, 0755);
		snprintf(path, sizeof(path), "sys/module/%s/initstate", names.items[i]);
		recorder_file(recorder, path);
		snprintf(path, sizeof(path), "sys/module/%s/parameters", names.items[i]);
		if (has_known_parameters(names.items[i]))
			recorder_files(recorder, path, NULL);
	}
	snprintf(path, sizeof(path), "lib/modules/%s/modules.dep", node->release);
	recorder_lines(recorder, path, keep_vfio);
	snprintf(path, sizeof(path), "lib/modules/%s/modules.builtin", node->release);
	recorder_lines(recorder, path, keep_vfio);
}

/* Of the lists of aliases and names only what is for a vendor that is there. */
static bool has_vendor(const struct pve_node *node, const char *digits)
{
	for (size_t i = 0; i < node->inventory.count; i++) {
		char vendor[8];

		snprintf(vendor, sizeof(vendor), "%04x", node->inventory.items[i].device.vendor);
		if (strncasecmp(digits, vendor, 4) == 0)
			return true;
	}
	return false;
}

static void record_aliases(struct recorder *recorder, const struct pve_node *node)
{
	static const char concrete[] = "alias pci:v0000", any[] = "alias pci:v*";
	static const char variant[] = "alias vfio_pci:v0000";
	cleanup_free char *data = NULL;
	cleanup_text struct text kept = { 0 };
	char path[SYSROOT_PATH_MAX];
	char *rest, *line;
	size_t size;

	snprintf(path, sizeof(path), "lib/modules/%s/modules.alias", node->release);
	if (sysroot_read(recorder->root, path, (size_t)16 << 20, &data, &size) < 0)
		return;
	rest = data;
	while ((line = strsep(&rest, "\n")))
		if (text_starts_with(line, any) ||
		    (text_starts_with(line, concrete) &&
		     has_vendor(node, line + strlen(concrete))) ||
		    (text_starts_with(line, variant) && has_vendor(node, line + strlen(variant))))
			text_add(&kept, "%s\n", line);
	recorder_text(recorder, path, kept.data ? kept.data : "");
}

static void record_names(struct recorder *recorder, const struct pve_node *node)
{
	static const char path[] = "usr/share/misc/pci.ids";
	cleanup_free char *data = NULL;
	cleanup_text struct text kept = { 0 };
	bool wanted = false;
	char *rest, *line;
	size_t size;

	if (sysroot_read(recorder->root, path, (size_t)8 << 20, &data, &size) < 0)
		return;
	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		/* There are remarks also among a vendor's devices. */
		if (*line == '#' || !*line)
			continue;
		if (*line != '\t')
			wanted = text_starts_with(line, "C ") || has_vendor(node, line);
		/* Subsystems are not printed. */
		if (wanted && !text_starts_with(line, "\t\t"))
			text_add(&kept, "%s\n", line);
	}
	/* The list is public; names in it are not to be taken for hosts. */
	if (kept.data)
		recorder_bytes(recorder, path, kept.data, kept.size, 0644);
}

/* The UUID in the name of a variable is not this machine's, but that of the kind of variable. */
static void record_variable(struct recorder *recorder, const char *path)
{
	cleanup_free char *data = NULL;
	size_t size;

	if (sysroot_read(recorder->root, path, ATTRIBUTE_MAX, &data, &size) < 0)
		return;
	recorder_folder(recorder, EFI_VARIABLES, 0755);
	tar_add_file(&recorder->tar, path, 0644, data, size);
}

static void record_firmware(struct recorder *recorder)
{
	static const char *const variables[] = {
		EFI_VARIABLES "/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		EFI_VARIABLES "/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
		EFI_VARIABLES "/StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
	};
	cleanup_strings struct strings units = { 0 };

	if (sysroot_exists(recorder->root, "sys/firmware/efi"))
		recorder_folder(recorder, "sys/firmware/efi", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		record_variable(recorder, variables[i]);
	(void)sysroot_list(recorder->root, "sys/class/iommu", &units);
	for (size_t i = 0; i < units.count; i++) {
		cleanup_free char *path = text_format("sys/class/iommu/%s", units.items[i]);

		if (path)
			recorder_folder(recorder, path, 0755);
	}
}

/* Which kernels there are, and what those do with the IOMMU by themselves. */
static void record_kernels(struct recorder *recorder)
{
	cleanup_strings struct strings names = { 0 };

	(void)sysroot_list(recorder->root, "boot", &names);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = text_format("boot/%s", names.items[i]);

		if (!path)
			recorder->tar.failed = true;
		else if (text_starts_with(names.items[i], "vmlinuz-"))
			recorder_presence(recorder, path);
		else if (text_starts_with(names.items[i], "config-"))
			recorder_lines(recorder, path, keep_iommu);
	}
}

static void record_hugepages(struct recorder *recorder)
{
	static const char folder[] = "sys/kernel/mm/hugepages";
	cleanup_strings struct strings sizes = { 0 };

	(void)sysroot_list(recorder->root, folder, &sizes);
	for (size_t i = 0; i < sizes.count; i++) {
		cleanup_free char *path =
			text_format("%s/%s/free_hugepages", folder, sizes.items[i]);

		if (path)
			recorder_file(recorder, path);
	}
}

static void record_packages(struct recorder *recorder)
{
	static const char *const names[] = { "pve-manager", "qemu-server", "pve-qemu-kvm",
					     "pve-edk2-firmware" };
	char *versions[ARRAY_SIZE(names)] = { 0 };
	cleanup_text struct text status = { 0 };

	(void)package_versions(recorder->root, names, ARRAY_SIZE(names), versions);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (versions[i])
			text_add(&status,
				 "Package: %s\nStatus: install ok installed\nVersion: %s\n\n",
				 names[i], versions[i]);
		free(versions[i]);
	}
	if (status.size)
		recorder_bytes(recorder, "var/lib/dpkg/status", status.data, status.size, 0644);
}

/* The one file in which a node's name is all there is. */
static void record_hostname(struct recorder *recorder)
{
	cleanup_free char *name = NULL, *other = NULL;

	if (sysroot_read_attribute(recorder->root, "proc/sys/kernel/hostname", &name) < 0)
		return;
	other = anonymise_host(recorder->anonymiser, name);
	recorder->tar.failed |= !other;
	if (other)
		recorder_bytes(recorder, "proc/sys/kernel/hostname", other, strlen(other), 0644);
}

/* Files: whole ones, and such of which some lines are kept. */
static const struct {
	const char *path;
	recorder_keep *keep;
} files[] = {
	{ "proc/sys/kernel/osrelease", NULL },
	{ "proc/sys/kernel/random/boot_id", NULL },
	{ "proc/cmdline", NULL },
	{ "proc/cpuinfo", keep_processor },
	{ "proc/devices", NULL },
	{ "proc/interrupts", keep_remapped },
	{ "proc/meminfo", keep_memory },
	{ "proc/iomem", keep_range },
	{ "proc/1/mountinfo", keep_mount },
	{ "proc/swaps", NULL },
	{ "proc/spl/kstat/zfs/arcstats", keep_cache },
	{ "proc/bus/input/devices", keep_input },
	{ "sys/kernel/security/lockdown", NULL },
	{ "sys/class/kfd/kfd/dev", NULL },
	/* which machine, and nothing that says whose: the serial numbers are in other files */
	{ "sys/class/dmi/id/sys_vendor", NULL },
	{ "sys/class/dmi/id/product_name", NULL },
	{ "sys/class/dmi/id/board_vendor", NULL },
	{ "sys/class/dmi/id/board_name", NULL },
	{ "sys/class/dmi/id/bios_vendor", NULL },
	{ "sys/class/dmi/id/bios_version", NULL },
	{ "sys/class/dmi/id/bios_date", NULL },
	{ "etc/modules", keep_all },
	{ "etc/default/grub", keep_grub },
	{ "etc/network/interfaces", keep_interfaces },
	{ "etc/kernel/cmdline", NULL },
	{ "etc/kernel/proxmox-boot-pin", NULL },
	{ "etc/kernel/proxmox-boot-uuids", NULL },
	{ "var/lib/pve-vfio/setup.json", NULL },
};

static const struct {
	const char *path;
	recorder_keep *keep;
} folders[] = {
	{ "etc/modprobe.d", keep_all },
	{ "run/modprobe.d", keep_all },
	{ "usr/lib/modprobe.d", keep_all },
	{ "lib/modprobe.d", keep_all },
	{ "etc/modules-load.d", keep_all },
	{ "etc/default/grub.d", keep_grub },
	{ "etc/network/interfaces.d", keep_interfaces },
};

/* What is there or is not. */
static const char *const signs[] = {
	"sys/firmware/acpi/tables/DMAR",
	"sys/firmware/acpi/tables/IVRS",
	"dev/kvm",
	"etc/zfsbootmenu",
	"usr/bin/dracut",
	"usr/sbin/update-initramfs",
};

void recorder_kernel(struct recorder *recorder, const struct pve_node *node)
{
	record_hostname(recorder);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i].keep)
			recorder_lines(recorder, files[i].path, files[i].keep);
		else
			recorder_file(recorder, files[i].path);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		recorder_files(recorder, folders[i].path, folders[i].keep);
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		recorder_presence(recorder, signs[i]);
	record_kernels(recorder);
	record_hugepages(recorder);
	record_modules(recorder, node);
	record_aliases(recorder, node);
	record_names(recorder, node);
	record_firmware(recorder);
	record_packages(recorder);
}

/*
 * Addresses are made up, one network for each interface that has an address, so that none of the
 * node's own is in the archive, in whatever form the kernel writes it.
 */
void recorder_network(struct recorder *recorder)
{
	cleanup_routing struct routing routing = { 0 };
	cleanup_text struct text route = { 0 }, trie = { 0 }, inet6 = { 0 };

	text_add(&route, "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\t"
			 "Window\tIRTT\n");
	text_add(&trie, "Local:\n");
	if (routing_read(recorder->root, &routing, NULL) < 0)
		return;
	for (size_t i = 0; i < routing.address_count && i < 250; i++) {
		const struct interface_address *address = &routing.addresses[i];

		if (strchr(address->text, ':')) {
			text_add(&inet6, "fd%030zx %02zx 40 00 80 %8s\n", i + 1, i + 1,
				 address->interface);
			continue;
		}
		text_add(&route, "%s\t00%02zX000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
			 address->interface, i);
		text_add(&trie, "           |-- 10.0.%zu.1\n              /32 host LOCAL\n", i);
	}
	for (size_t i = 0; i < routing.route_count; i++)
		text_add(&route, "%s\t%s\tFE00000A\t0003\t0\t0\t0\t%s\t0\t0\t0\n",
			 routing.routes[i].interface,
			 routing.routes[i].is_default ? "00000000" : "0000FE0A",
			 routing.routes[i].is_default ? "00000000" : "0000FFFF");
	if (route.failed || trie.failed || inet6.failed) {
		recorder->tar.failed = true;
		return;
	}
	/* The names of interfaces can hold a MAC address. */
	recorder_text(recorder, "proc/net/route", route.data);
	recorder_bytes(recorder, "proc/net/fib_trie", trie.data, trie.size, 0644);
	recorder_bytes(recorder, "proc/net/ipv6_route", "", 0, 0644);
	recorder_text(recorder, "proc/net/if_inet6", inet6.data ? inet6.data : "");
}
