/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci: how a function raises interrupts: its line, which others may share, and its MSI-X table. What
 * VFIO and QEMU make of both is for the checks to say.
 */
#pragma once

#include "pci/device.h"

/* An MSI-X capability (PCI Local Bus Specification 3.0, 6.8.2). Offsets are in bytes. */
struct pci_msix {
	unsigned vectors;
	unsigned table_bar, pba_bar;
	uint32_t table_offset, pba_offset;
};

/*
 * Reads the capability from the function's configuration space; false where there is none, or not
 * all of it can be read (who is not root sees 64 bytes). Wakes the device from D3cold, which can take
 * a second.
 */
bool pci_msix_read(const struct sysroot *root, const char *address, struct pci_msix *ret);

/*
 * The number of its interrupt line; 0 where it has none, or uses messages now, or where it is not
 * known yet: until a function has been enabled once, the kernel shows what the firmware wrote, which
 * is below 16 (acpi_pci_irq_enable() in drivers/acpi/pci_irq.c).
 */
unsigned pci_line_read(const struct sysroot *root, const char *address);

/*
 * The kernel never masks this device's line by the function's own bit, since it does not work there:
 * broken_intx_masking in drivers/pci/quirks.c (Linux 6.12). VFIO then wants the line for itself
 * (vfio_intx_enable() in drivers/vfio/pci/vfio_pci_intrs.c). Without those whose line it hides
 * (vfio_pci_nointx()), and without ConnectX-4, where that depends on the firmware.
 */
bool pci_line_is_unmaskable(const struct pci_device *device);

/*
 * Who has a handler on a line, as /proc/interrupts names them: "ehci_hcd:usb1",
 * "vfio-intx(0000:04:00.0)". Lines of an I/O APIC alone. 0 or -errno; does not block.
 */
int pci_line_users(const struct sysroot *root, unsigned line, struct strings *ret);
