/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: what the settings depend on: the kernels there are, the processor, interrupt remapping, and
 * the boot loader.
 */
#pragma once

#include "boot/loader.h"

/* OTHER: known to be neither, as on arm64, where none of the words about x86's IOMMU means anything. */
enum boot_cpu { BOOT_CPU_UNKNOWN, BOOT_CPU_INTEL, BOOT_CPU_AMD, BOOT_CPU_OTHER };

/* A kernel in /boot, or the running one. */
struct boot_kernel {
	char *release; /* "6.5.13-5-pve" */
	unsigned major, minor;
	bool intel_iommu;  /* starts the IOMMU of an Intel CPU by itself, */
	bool but_graphics; /* but not for the CPU's own graphics */
	bool passthrough;  /* has iommu=pt by itself */
};

/* Started as { 0 }. */
struct boot_machine {
	struct boot_loader loader;
	struct boot_kernel *kernels; /* in the order of their names */
	size_t count;
	char *running; /* the release of the running kernel; NULL in an image */
	char *pinned;  /* the one that proxmox-boot-tool always starts, or NULL */
	enum boot_cpu cpu;
	bool remapping; /* interrupts are known to be remapped */
	/* dracut makes the initramfs, and reads nothing of /etc/initramfs-tools. Debian's has no
	 * update-initramfs, which is initramfs-tools' own (dracut 106-6, initramfs-tools 0.148.4). */
	bool dracut;
};

void boot_machine_done(struct boot_machine *machine);
#define cleanup_boot_machine cleanup(boot_machine_done)

/*
 * Reads a running machine or an image. What a kernel does by itself is in its config-RELEASE in /boot
 * (CONFIG_INTEL_IOMMU_DEFAULT_ON, CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF of Debian's kernels,
 * CONFIG_IOMMU_DEFAULT_PASSTHROUGH); without that file its version tells: Proxmox VE starts the
 * IOMMU from 6.8 on.
 */
int boot_machine_read(const struct sysroot *root, struct boot_machine *ret,
		      struct error *err) must_check;

/* The kernel that `release` is, or NULL. */
const struct boot_kernel *boot_machine_kernel(const struct boot_machine *machine,
					      const char *release);

/* The kernel that will most likely be started next: the pinned one, or the newest. May be NULL. */
const struct boot_kernel *boot_machine_next(const struct boot_machine *machine);

bool boot_kernel_is_from(const struct boot_kernel *kernel, unsigned major, unsigned minor);
