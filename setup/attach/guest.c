/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what is left to do inside the guest. Words only. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "setup/attach/attach.h"
#include "setup/print.h"

#define VENDOR_NVIDIA 0x10de
#define VENDOR_INTEL  0x8086
#define VENDOR_AMD    0x1002

/* The rows are gone through from the top; vendor 0 is any. */
static const struct guide {
	enum layout_kind kind;
	uint16_t vendor;
	const char *linux_words, *windows_words;
} guides[] = {
	{ LAYOUT_INTEL_IGPU, 0,
	  "The driver i915 is in the kernel. For video encoding, and against its warnings:\n"
	  "  echo 'options i915 enable_guc=2' > /etc/modprobe.d/i915.conf\n"
	  "  update-initramfs -u -k all && reboot\n"
	  "Then see that it works:\n"
	  "  ls /dev/dri            shows card0 and renderD128\n"
	  "  dmesg | grep i915      shows no error\n"
	  "Debian's driver for encoding is intel-media-va-driver-non-free.",
	  "Turn Remote Desktop on before the first start: there is no console after. "
	  "Install Intel's graphics driver, and see Device Manager, Display adapters." },
	{ LAYOUT_AMD_APU, 0,
	  "The driver amdgpu is in the kernel; its firmware is in firmware-amd-graphics.\n"
	  "  ls /dev/dri            shows card0 and renderD128\n"
	  "  dmesg | grep amdgpu    shows no error",
	  "Turn Remote Desktop on before the first start: there is no console after. "
	  "Install AMD's driver (Adrenalin). If the GPU does not survive a restart of the "
	  "guest, install RadeonResetBugFix in it." },
	{ LAYOUT_GPU, VENDOR_NVIDIA,
	  "Install NVIDIA's driver (Debian: nvidia-driver), reboot the guest, and see:\n"
	  "  nvidia-smi             shows the GPU",
	  "Install NVIDIA's driver, and see Device Manager, Display adapters." },
	{ LAYOUT_COMPUTE, VENDOR_AMD,
	  "The driver amdgpu is in the kernel; its firmware is in firmware-amd-graphics.\n"
	  "  ls /dev/dri /dev/kfd   shows renderD128 and kfd",
	  "Install AMD's driver (Adrenalin), and see Device Manager, Display adapters. For\n"
	  "Instinct cards there is none: they want a Linux guest." },
	{ LAYOUT_GPU, VENDOR_AMD,
	  "The driver amdgpu is in the kernel; its firmware is in firmware-amd-graphics.\n"
	  "  ls /dev/dri            shows card0 and renderD128",
	  "Install AMD's driver (Adrenalin), and see Device Manager, Display adapters." },
	{ LAYOUT_GPU, 0,
	  "See that the guest's driver has it:\n"
	  "  lspci -k | grep -A3 VGA\n"
	  "  ls /dev/dri",
	  "Install the maker's driver, and see Device Manager, Display adapters." },
	{ LAYOUT_NIC, 0, "It is another network card: 'ip link' shows it; give it an address.",
	  "It is another network card: see Device Manager, Network adapters." },
	{ LAYOUT_DISK, 0, "Its disks are there as on the host: 'lsblk' shows them.",
	  "Its disks are there as on the host: see Disk Management." },
	{ LAYOUT_USB, 0, "What is plugged into its ports is the guest's: 'lsusb' shows it.",
	  "What is plugged into its ports is the guest's." },
};

bool attach_guest_is_windows(const struct attach *attach)
{
	const char *guest = attach->options->guest;
	const char *type = vm_config_get(&attach->vm.config, "ostype");

	if (guest)
		return strcmp(guest, "windows") == 0;
	return type && (*type == 'w');
}

static const struct guide *find_guide(const struct layout_device *device)
{
	static const struct guide part = {
		.linux_words =
			"Install the driver that NVIDIA has for guests of vGPUs, not the one for whole "
			"cards, and see:\n"
			"  nvidia-smi             shows the vGPU",
		.windows_words =
			"Install the driver that NVIDIA has for guests of vGPUs, not the one for whole "
			"cards, and see Device Manager, Display adapters.",
	};
	bool compute = device->kind == LAYOUT_COMPUTE;

	if (device->mdev && device->vendor == VENDOR_NVIDIA)
		return &part;
	for (size_t i = 0; i < ARRAY_SIZE(guides); i++)
		if ((guides[i].kind == device->kind || (compute && guides[i].kind == LAYOUT_GPU)) &&
		    (guides[i].vendor == 0 || guides[i].vendor == device->vendor))
			return &guides[i];
	return NULL;
}

/* OVMF keeps the boot entries in efidisk0; without it they are gone after each stop. */
static void print_efi_hint(const struct attach *attach)
{
	const struct vm_change *bios = vm_edit_find(&attach->edit, "bios");
	cleanup_free char *storage = NULL;

	if (!bios || !text_equal(bios->after, "ovmf") ||
	    vm_config_get(&attach->vm.config, "efidisk0"))
		return;
	putchar('\n');
	print_sentence(STDOUT_FILENO, "", "",
		       "OVMF keeps its boot entries on a small disk, which VM %u has not yet:",
		       attach->vm.vmid);
	if (vm_config_storage(&attach->vm.config, &storage) == 0 && storage)
		printf("  qm set %u --efidisk0 %s:1,efitype=4m\n", attach->vm.vmid, storage);
	else
		printf("  In its hardware settings: Add, EFI Disk.\n");
}

static void print_lines(const char *words)
{
	while (*words) {
		size_t size = strcspn(words, "\n");

		print_sentence(STDOUT_FILENO, "", "", "%.*s", (int)size, words);
		words += size + (words[size] == '\n');
	}
}

void attach_print_guest(const struct attach *attach)
{
	bool windows = attach_guest_is_windows(attach);
	const struct guide *last = NULL;

	print_efi_hint(attach);
	for (size_t i = 0; i < attach->device_count; i++) {
		const struct guide *guide = find_guide(&attach->devices[i].device);

		if (!guide || guide == last)
			continue;
		last = guide;
		printf("\nIn the guest (%s):\n", windows ? "Windows" : "Linux");
		print_lines(windows ? guide->windows_words : guide->linux_words);
	}
}
