/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: what keeps a function awake. The first that is found is named. */
#include "use/awake.h"

#include <errno.h>
#include <string.h>

#include "pci/power.h"
#include "pci/variant.h"

#define IDLE_PARAMETER "sys/module/vfio_pci/parameters/disable_idle_d3"

static bool is_awake(const struct sysroot *root, const char *address, struct pci_power *power)
{
	pci_power_read(root, address, power);
	return *power->status && pci_power_is_awake(power);
}

/* A card sleeps as a whole: GPUs are linked to their sound and USB (quirk_gpu_hda() in the kernel). */
static bool find_sibling(const struct sysroot *root, const struct pci_device *device,
			 char address[PCI_ADDRESS_TEXT])
{
	struct pci_address at = device->address;

	if (at.function != 0 || device->class_code >> 16 != 0x03)
		return false;
	for (at.function = 1; at.function < 4; at.function++) {
		struct pci_device sibling;
		struct pci_power power;

		if (pci_device_identify(root, at, &sibling) == 0 &&
		    is_awake(root, sibling.name, &power)) {
			pci_address_format(at, address);
			return true;
		}
	}
	return false;
}

int awake_why(const struct sysroot *root, const struct pci_device *device, char **ret)
{
	cleanup_free char *idle = NULL;
	char sibling[PCI_ADDRESS_TEXT];
	struct pci_power power;

	*ret = NULL;
	if (!is_awake(root, device->name, &power))
		return 0;
	(void)sysroot_read_attribute(root, IDLE_PARAMETER, &idle);
	if (strcmp(power.control, "on") == 0)
		*ret = strdup("power/control is on");
	else if (text_equal(device->driver, VFIO_DRIVER) && text_equal(idle, "Y"))
		*ret = strdup("vfio-pci is loaded with disable_idle_d3=1");
	else if (find_sibling(root, device, sibling))
		*ret = text_format("%s of the same card is awake", sibling);
	else if (text_equal(device->driver, "nvidia") &&
		 sysroot_exists(root, "run/nvidia-persistenced/socket"))
		*ret = strdup("nvidia-persistenced keeps its driver at work");
	else if (!device->driver)
		*ret = strdup("it has no driver, which would suspend it");
	else if (strcmp(power.status, "unsupported") == 0)
		*ret = text_format("%s does not suspend it", device->driver);
	else
		*ret = text_format("a process has it open, or %s does not suspend it",
				   device->driver);
	return *ret ? 0 : -ENOMEM;
}
