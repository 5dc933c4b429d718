// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PCI driver that misbehaves on demand, for the test VM: it takes QEMU's edu and pci-testdev, which no
 * driver of Debian's kernel wants. It must not be loaded on a real machine.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/pci.h>

static int remove_ms;
module_param(remove_ms, int, 0644);
MODULE_PARM_DESC(remove_ms, "how long an unbind takes, in ms; -1: until hang_release is set");

static bool hang_release;
module_param(hang_release, bool, 0644);
MODULE_PARM_DESC(hang_release, "lets an unbind with remove_ms=-1 end");

static int probe_ms;
module_param(probe_ms, int, 0644);
MODULE_PARM_DESC(probe_ms, "how long a bind takes, in ms");

static int probe_err;
module_param(probe_err, int, 0644);
MODULE_PARM_DESC(probe_err, "errno with which a bind fails; 0: it does not");

static int rigpci_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	if (probe_ms > 0)
		msleep(probe_ms);
	if (probe_err)
		return -probe_err;
	return pci_enable_device(dev);
}

/* In state D, as a driver that waits for hardware: even SIGKILL ends neither wait. */
static void rigpci_remove(struct pci_dev *dev)
{
	int left = remove_ms;

	while (left < 0 && !READ_ONCE(hang_release))
		schedule_timeout_uninterruptible(HZ / 10);
	if (left > 0)
		msleep(left);
	pci_disable_device(dev);
}

static const struct pci_device_id rigpci_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) }, /* edu */
	{ PCI_DEVICE(0x1b36, 0x0005) }, /* pci-testdev */
	{ }
};
MODULE_DEVICE_TABLE(pci, rigpci_ids);

static struct pci_driver rigpci_driver = {
	.name = "rigpci",
	.id_table = rigpci_ids,
	.probe = rigpci_probe,
	.remove = rigpci_remove,
};
module_pci_driver(rigpci_driver);

MODULE_DESCRIPTION("A PCI driver that misbehaves on demand");
MODULE_LICENSE("GPL");
