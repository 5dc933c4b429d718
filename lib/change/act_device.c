/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: actions on attributes of one function. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "change/operations.h"
#include "pci/bar.h"
#include "pci/driver.h"

/* How long a function may take to be found again. */
#define RESCAN_MS 10000

/*
 * What reset_method_store() in drivers/pci/pci.c takes for the kernel's own choice; it reads as the
 * methods that are.
 */
#define RESET_METHOD_DEFAULT "default"

/* The note of a revert that found a value that is neither ours nor the one before. */
#define NOTE_SET_SINCE "left as it has been set since"

static int read_attribute(const struct sysroot *root, const struct action *action, char **ret)
{
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, action->target, "");
	return sysroot_read_attribute(root, path, ret);
}

static bool is_reset_default(const struct action *action, const char *value)
{
	return text_equal(strchr(action->target, '/'), "/reset_method") &&
	       text_equal(value, RESET_METHOD_DEFAULT);
}

static int write_attribute(const struct sysroot *root, const struct action *action,
			   const char *value, struct error *err)
{
	cleanup_free char *now = NULL;
	char path[SYSROOT_PATH_MAX], address[PCI_ADDRESS_TEXT];
	const char *name = action_split(action, address);
	int r;

	pci_attribute_path(path, action->target, "");
	/* A write of no bytes at all would leave the old value: sysfs_kf_write() in fs/sysfs/file.c. */
	r = sysroot_write_attribute(root, path, *value ? value : "\n");
	if (r < 0)
		return error_set(err, r, "cannot set its %s to '%s': %s", name, value,
				 strerror(-r));
	r = read_attribute(root, action, &now);
	if (r < 0)
		return error_set(err, r, "cannot read its %s back: %s", name, strerror(-r));
	if (!text_equal(now, value) && !is_reset_default(action, value))
		return error_set(err, -EIO, "its %s was set to '%s' and reads '%s'", name, value,
				 now);
	return 0;
}

/* Remembered alone: what changes it is the way of the device from driver to driver. */
int keep_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	(void)root, (void)action, (void)err;
	return 0;
}

int keep_revert(const struct sysroot *root, const struct action *action, const char **note,
		struct error *err)
{
	cleanup_free char *now = NULL;
	int r = read_attribute(root, action, &now);

	if (r == -ENOENT || r == -ENODEV) {
		*note = NOTE_GONE;
		return 0;
	}
	if (r == 0 && text_equal(now, action->before))
		return 0;
	return write_attribute(root, action, action->before, err);
}

int attribute_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	return write_attribute(root, action, action->wanted, err);
}

/* Whether it reads as we set it. What the kernel's own choice reads as, it tells when asked again. */
static int is_as_set(const struct sysroot *root, const struct action *action, const char *now,
		     bool *ret, struct error *err)
{
	cleanup_free char *ours = NULL;
	int r;

	*ret = text_equal(now, action->wanted);
	if (!is_reset_default(action, action->wanted))
		return 0;
	r = write_attribute(root, action, action->wanted, err);
	if (r < 0)
		return r;
	r = read_attribute(root, action, &ours);
	if (r < 0)
		return error_set(err, r, "cannot read it: %s", strerror(-r));
	*ret = text_equal(now, ours);
	return *ret ? 0 : write_attribute(root, action, now, err);
}

int attribute_revert(const struct sysroot *root, const struct action *action, const char **note,
		     struct error *err)
{
	cleanup_free char *now = NULL;
	int r = read_attribute(root, action, &now);
	bool ours;

	if (r == -ENOENT || r == -ENODEV) {
		*note = NOTE_GONE;
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "cannot read it: %s", strerror(-r));
	if (text_equal(now, action->before))
		return 0;
	r = is_as_set(root, action, now, &ours, err);
	if (r < 0)
		return r;
	if (!ours) {
		*note = NOTE_SET_SINCE;
		return 0;
	}
	return write_attribute(root, action, action->before, err);
}

/* "resource1_resize" and a size in MiB. */
static int parse_resize(const struct action *action, const char *size,
			char address[PCI_ADDRESS_TEXT], unsigned *ret_bar, uint64_t *ret_mib,
			struct error *err)
{
	const char *name = action_split(action, address);
	size_t start = strlen("resource");

	if (!text_starts_with(name, "resource") || name[start] < '0' ||
	    name[start] >= '0' + PCI_BAR_COUNT || !size || parse_u64(size, ret_mib) < 0)
		return error_set(err, -EINVAL, "'%s' is no BAR, or '%s' no size", name,
				 size ? size : "");
	*ret_bar = (unsigned)(name[start] - '0');
	return 0;
}

static int bar_mib(const struct sysroot *root, const char *address, unsigned bar, uint64_t *ret,
		   struct error *err)
{
	struct pci_bar bars[PCI_BAR_COUNT];
	int r = pci_bars_read(root, address, bars);

	if (r < 0)
		return error_set(err, r, "cannot read the sizes of its BARs: %s", strerror(-r));
	*ret = bars[bar].size >> 20;
	return 0;
}

/*
 * The kernel resizes a BAR only while no driver has the function. It is with its VFIO driver by
 * now, whose name the override holds, and goes back there.
 */
int resize_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	cleanup_free char *driver = NULL;
	char address[PCI_ADDRESS_TEXT];
	uint64_t mib = 0, now = 0;
	unsigned bar;
	int r;

	r = parse_resize(action, action->wanted, address, &bar, &mib, err);
	if (r == 0)
		r = bar_mib(root, address, bar, &now, err);
	if (r < 0 || now == mib)
		return r;
	r = pci_override_read(root, address, &driver);
	if (r < 0)
		return error_set(err, r, "cannot read driver_override: %s", strerror(-r));
	r = pci_driver_unbind(root, address, err);
	if (r == 0)
		r = pci_bar_resize(root, address, bar, mib, err);
	return r < 0 || !driver ? r : pci_driver_bind(root, address, driver, err);
}

/*
 * The function is left without a driver: giving it back to the host's is what comes next. From
 * another than a VFIO driver, which all have it in their name, it is not taken.
 */
int resize_revert(const struct sysroot *root, const struct action *action, const char **note,
		  struct error *err)
{
	cleanup_free char *driver = NULL;
	char address[PCI_ADDRESS_TEXT];
	uint64_t mib = 0, ours = 0, now = 0;
	unsigned bar;
	int r;

	r = parse_resize(action, action->before, address, &bar, &mib, err);
	if (r == 0)
		r = parse_resize(action, action->wanted, address, &bar, &ours, err);
	if (r == 0)
		r = bar_mib(root, address, bar, &now, err);
	if (r < 0 || now == mib)
		return r;
	if (now == 0 || now != ours) {
		*note = now == 0 ? NOTE_GONE : NOTE_SET_SINCE;
		return 0;
	}
	r = pci_driver_read(root, address, &driver);
	if (r < 0)
		return error_set(err, r, "cannot read its driver: %s", strerror(-r));
	if (driver && !strstr(driver, "vfio")) {
		*note = NOTE_LEFT;
		return 0;
	}
	r = pci_driver_unbind(root, address, err);
	return r < 0 ? r : pci_bar_resize(root, address, bar, mib, err);
}

/* Nothing is done when the VM gets it: it is the way back that differs. */
int rescan_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	(void)root, (void)action, (void)err;
	return 0;
}

/*
 * Its own bus is looked through, and no other: another function may have been removed on purpose.
 * One that is not there may have been removed by a run that was killed here.
 */
int rescan_revert(const struct sysroot *root, const struct action *action, const char **note,
		  struct error *err)
{
	struct deadline deadline = deadline_in_ms(RESCAN_MS);
	char address[PCI_ADDRESS_TEXT], path[SYSROOT_PATH_MAX];
	cleanup_free char *driver = NULL;
	unsigned step = 0;
	int r;

	(void)action_split(action, address);
	r = pci_driver_read(root, address, &driver);
	if (r == 0 && driver && !text_equal(driver, action->wanted)) {
		*note = NOTE_LEFT;
		return 0;
	}
	pci_attribute_path(path, address, "remove");
	r = r == -ENODEV ? 0 : sysroot_write_attribute(root, path, "1");
	if (r < 0)
		return error_set(err, r, "cannot remove it: %s", strerror(-r));
	snprintf(path, sizeof(path), "sys/class/pci_bus/%.*s/rescan",
		 (int)(strrchr(address, ':') - address), address);
	r = sysroot_write_attribute(root, path, "1");
	if (r < 0)
		return error_set(err, r, "cannot rescan its bus: %s", strerror(-r));
	pci_attribute_path(path, address, "");
	while (!sysroot_exists(root, path))
		if (!deadline_wait_step(deadline, &step))
			return error_set(err, -ENODEV, "it was removed and is not found again");
	return 0;
}
