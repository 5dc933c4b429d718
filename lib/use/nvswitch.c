/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: NVSwitches. Asks the fabric manager nothing. */
#include "use/nvswitch.h"

#include <string.h>

#include "pci/driver.h"

#define CONFIG_MAX ((size_t)1 << 20)

int nvswitches_list(const struct sysroot *root, struct pci_addresses *ret)
{
	cleanup_pci_addresses struct pci_addresses all = { 0 };
	int r = pci_devices_list(root, &all, NULL);

	for (size_t i = 0; i < all.count && r == 0; i++) {
		cleanup_free char *driver = NULL;
		char name[PCI_ADDRESS_TEXT];

		(void)pci_driver_read(root, pci_address_format(all.items[i], name), &driver);
		if (text_equal(driver, "nvidia-nvswitch"))
			r = pci_addresses_add(ret, all.items[i]);
	}
	return r;
}

enum fabric_mode fabric_mode_read(const struct sysroot *root)
{
	static const char key[] = "FABRIC_MODE=";
	cleanup_free char *data = NULL;
	enum fabric_mode mode = FABRIC_UNKNOWN;
	char *rest, *line;
	size_t size;

	if (sysroot_read(root, FABRIC_MANAGER_PATH, CONFIG_MAX, &data, &size) < 0)
		return FABRIC_UNKNOWN;
	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t");
		if (!text_starts_with(line, key))
			continue;
		switch (line[strlen(key)]) {
		case '0':
			mode = FABRIC_BARE;
			break;
		case '1':
			mode = FABRIC_SHARED;
			break;
		case '2':
			mode = FABRIC_VGPU;
			break;
		default:
			mode = FABRIC_UNKNOWN;
		}
	}
	return mode;
}
