/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: what settings depend on. Changes nothing. */
#include "boot/machine.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"

#define CONFIG_MAX	 ((size_t)1024 * 1024)
#define CPUINFO_MAX	 ((size_t)4096 * 1024)
#define INTERRUPTS_MAX	 ((size_t)16 * 1024 * 1024)

#define VERSION_PART_MAX 65535

void boot_machine_done(struct boot_machine *machine)
{
	boot_loader_done(&machine->loader);
	for (size_t i = 0; i < machine->count; i++)
		free(machine->kernels[i].release);
	free(machine->kernels);
	free(machine->running);
	free(machine->pinned);
	*machine = (struct boot_machine){ 0 };
}

bool boot_kernel_is_from(const struct boot_kernel *kernel, unsigned major, unsigned minor)
{
	return kernel->major > major || (kernel->major == major && kernel->minor >= minor);
}

/* "6.5.13-5-pve" begins with two numbers. */
static bool parse_version(const char *release, unsigned *ret_major, unsigned *ret_minor)
{
	size_t first = strspn(release, "0123456789"), second;
	uint64_t major, minor;

	if (release[first] != '.')
		return false;
	second = strspn(release + first + 1, "0123456789");
	if (parse_number(release, first, 10, VERSION_PART_MAX, &major) < 0 ||
	    parse_number(release + first + 1, second, 10, VERSION_PART_MAX, &minor) < 0)
		return false;
	*ret_major = (unsigned)major;
	*ret_minor = (unsigned)minor;
	return true;
}

static bool has_line(const char *text, const char *line)
{
	size_t size = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at += size)
		if ((at == text || at[-1] == '\n') && (at[size] == '\n' || at[size] == '\0'))
			return true;
	return false;
}

static void read_config(const struct sysroot *root, struct boot_kernel *kernel)
{
	cleanup_free char *path = text_format("boot/config-%s", kernel->release), *config = NULL;
	size_t size;

	if (!path || sysroot_read(root, path, CONFIG_MAX, &config, &size) < 0) {
		kernel->intel_iommu = boot_kernel_is_from(kernel, 6, 8);
		return;
	}
	kernel->but_graphics = has_line(config, "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y");
	kernel->intel_iommu =
		kernel->but_graphics || has_line(config, "CONFIG_INTEL_IOMMU_DEFAULT_ON=y");
	kernel->passthrough = has_line(config, "CONFIG_IOMMU_DEFAULT_PASSTHROUGH=y");
}

const struct boot_kernel *boot_machine_kernel(const struct boot_machine *machine,
					      const char *release)
{
	for (size_t i = 0; i < machine->count; i++)
		if (strcmp(machine->kernels[i].release, release) == 0)
			return &machine->kernels[i];
	return NULL;
}

static int add_kernel(const struct sysroot *root, struct boot_machine *machine, const char *release)
{
	struct boot_kernel kernel = { 0 };

	if (boot_machine_kernel(machine, release) ||
	    !parse_version(release, &kernel.major, &kernel.minor))
		return 0;
	if (array_reserve(&machine->kernels, machine->count, sizeof(kernel)) < 0)
		return -ENOMEM;
	kernel.release = strdup(release);
	if (!kernel.release)
		return -ENOMEM;
	read_config(root, &kernel);
	machine->kernels[machine->count++] = kernel;
	return 0;
}

static int read_kernels(const struct sysroot *root, struct boot_machine *machine)
{
	static const char prefix[] = "vmlinuz-";
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, "boot", &names);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return r;
	r = machine->running ? add_kernel(root, machine, machine->running) : 0;
	for (size_t i = 0; i < names.count && r == 0; i++)
		if (text_starts_with(names.items[i], prefix))
			r = add_kernel(root, machine, names.items[i] + strlen(prefix));
	return r;
}

const struct boot_kernel *boot_machine_next(const struct boot_machine *machine)
{
	const struct boot_kernel *newest = NULL;

	if (machine->pinned)
		newest = boot_machine_kernel(machine, machine->pinned);
	if (newest)
		return newest;
	for (size_t i = 0; i < machine->count; i++)
		if (!newest ||
		    boot_kernel_is_from(&machine->kernels[i], newest->major, newest->minor))
			newest = &machine->kernels[i];
	return newest;
}

static enum boot_cpu read_cpu(const struct sysroot *root)
{
	cleanup_free char *text = NULL;
	size_t size;

	if (sysroot_read(root, "proc/cpuinfo", CPUINFO_MAX, &text, &size) < 0)
		return BOOT_CPU_UNKNOWN;
	if (strstr(text, "GenuineIntel"))
		return BOOT_CPU_INTEL;
	if (strstr(text, "AuthenticAMD") || strstr(text, "HygonGenuine"))
		return BOOT_CPU_AMD;
	return strstr(text, "CPU implementer") ? BOOT_CPU_OTHER : BOOT_CPU_UNKNOWN;
}

/* The names of interrupt chips begin with IR- where a unit remaps them. */
static bool read_remapping(const struct sysroot *root)
{
	cleanup_free char *text = NULL;
	size_t size;

	return sysroot_read(root, "proc/interrupts", INTERRUPTS_MAX, &text, &size) == 0 &&
	       strstr(text, " IR-");
}

int boot_machine_read(const struct sysroot *root, struct boot_machine *ret, struct error *err)
{
	cleanup_boot_machine struct boot_machine machine = { 0 };
	int r = boot_loader_read(root, &machine.loader, err);

	if (r < 0)
		return r;
	(void)sysroot_read_attribute(root, "proc/sys/kernel/osrelease", &machine.running);
	(void)sysroot_read_attribute(root, "etc/kernel/proxmox-boot-pin", &machine.pinned);
	r = read_kernels(root, &machine);
	if (r < 0)
		return error_set(err, r, "cannot read /boot: %s", strerror(-r));
	machine.cpu = read_cpu(root);
	machine.remapping = read_remapping(root);
	machine.dracut = sysroot_exists(root, "usr/bin/dracut") &&
			 !sysroot_exists(root, "usr/sbin/update-initramfs");
	*ret = TAKE_STRUCT(machine);
	return 0;
}
