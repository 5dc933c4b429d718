/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: a VM's configuration file. */
#include <stdint.h>
#include <stdlib.h>

#include "pve/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_vm_config struct vm_config config = { 0 };
	struct error err = { 0 };

	if (vm_config_parse(NULL, "/etc/pve/qemu-server/100.conf", (const char *)data, size,
			    &config, &err) < 0)
		return 0;
	for (size_t i = 0; i < HOSTPCI_COUNT; i++)
		if (config.hostpci[i].present != (config.hostpci[i].line > 0))
			abort();
	return 0;
}
