/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: driver binding through driver_override. Never writes new_id, and believes no write. */
#include "pci/driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "pci/device.h"

/* How long a device may take to get its driver. */
#define PROBE_SETTLE_MS 2000

int pci_driver_read(const struct sysroot *root, const char *address, char **ret_driver)
{
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, address, "driver");
	r = sysroot_link_name(root, path, ret_driver);
	if (r != -ENOENT)
		return r;
	pci_attribute_path(path, address, "");
	r = sysroot_find(root, path);
	if (r <= 0)
		return r == 0 ? -ENODEV : r;
	*ret_driver = NULL;
	return 0;
}

int pci_driver_module(const struct sysroot *root, const char *address, char **ret_module)
{
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, address, "driver/module");
	r = sysroot_link_name(root, path, ret_module);
	if (r != -ENOENT)
		return r;
	*ret_module = NULL;
	return 0;
}

int pci_override_read(const struct sysroot *root, const char *address, char **ret_override)
{
	cleanup_free char *value = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, address, "driver_override");
	r = sysroot_read_attribute(root, path, &value);
	if (r < 0)
		return r;
	*ret_override = strcmp(value, DRIVER_OVERRIDE_UNSET) == 0 ? NULL : TAKE_PTR(value);
	return 0;
}

int pci_override_write(const struct sysroot *root, const char *address, const char *override,
		       struct error *err)
{
	cleanup_free char *now = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, address, "driver_override");
	/* A write of no bytes at all would leave the old value. */
	r = sysroot_write_attribute(root, path, override ? override : "\n");
	if (r < 0)
		return error_set(err, r, "cannot set driver_override to '%s': %s",
				 override ? override : "", strerror(-r));
	r = pci_override_read(root, address, &now);
	if (r < 0)
		return error_set(err, r, "cannot read driver_override back: %s", strerror(-r));
	if (!text_equal(now, override))
		return error_set(err, -EIO, "driver_override was set to '%s' and reads '%s'",
				 override ? override : "", now ? now : DRIVER_OVERRIDE_UNSET);
	return 0;
}

static int read_driver(const struct sysroot *root, const char *address, char **ret_driver,
		       struct error *err)
{
	int r = pci_driver_read(root, address, ret_driver);

	if (r == -ENODEV)
		return error_set(err, r, "the device is no longer there");
	if (r < 0)
		return error_set(err, r, "cannot read its driver: %s", strerror(-r));
	return 0;
}

/* `driver` is the one that has it. */
static int unbind(const struct sysroot *root, const char *address, const char *driver,
		  struct error *err)
{
	cleanup_free char *after = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, address, "driver/unbind");
	r = sysroot_write_attribute(root, path, address);
	/* Another one was quicker: the link went before the file was opened, or the device since. */
	if (r < 0 && r != -ENOENT && r != -ENODEV)
		return error_set(err, r, "cannot unbind it from '%s': %s", driver, strerror(-r));
	r = read_driver(root, address, &after, err);
	if (r < 0)
		return r;
	if (text_equal(after, driver))
		return error_set(err, -EBUSY, "'%s' does not let it go", driver);
	return 0;
}

int pci_driver_unbind(const struct sysroot *root, const char *address, struct error *err)
{
	cleanup_free char *driver = NULL;
	int r = read_driver(root, address, &driver, err);

	return r < 0 || !driver ? r : unbind(root, address, driver, err);
}

/*
 * drivers_probe succeeds also when nothing binds, so only the link counts. It fails when a probe
 * does, which is tried again for a moment: the last user of an IOMMU group may be just going.
 */
static int probe(const struct sysroot *root, const char *address, const char *driver,
		 struct error *err)
{
	struct deadline deadline = deadline_in_ms(PROBE_SETTLE_MS);
	cleanup_free char *bound = NULL;
	int probed = -EAGAIN, r;
	unsigned step = 0;

	do {
		if (probed < 0)
			probed =
				sysroot_write_attribute(root, "sys/bus/pci/drivers_probe", address);
		r = read_driver(root, address, &bound, err);
		if (r < 0)
			return r;
	} while (!bound && deadline_wait_step(deadline, &step));

	if (!bound && probed < 0)
		return error_set(err, -EIO,
				 "'%s' did not take it: its probe failed (%s), see 'journalctl -k'",
				 driver, strerror(-probed));
	if (!bound)
		return error_set(err, -EIO,
				 "'%s' did not take it: its probe failed, see 'journalctl -k'",
				 driver);
	if (strcmp(bound, driver) != 0)
		return error_set(err, -EIO, "'%s' took it in place of '%s'", bound, driver);
	return 0;
}

int pci_driver_bind(const struct sysroot *root, const char *address, const char *driver,
		    struct error *err)
{
	cleanup_free char *bound = NULL;
	int r;

	/* First the override: between unbind and probe no other driver may take the device. */
	r = pci_override_write(root, address, driver, err);
	if (r < 0)
		return r;
	r = read_driver(root, address, &bound, err);
	if (r < 0)
		return r;
	if (text_equal(bound, driver))
		return 0;
	r = bound ? unbind(root, address, bound, err) : 0;
	return r < 0 ? r : probe(root, address, driver, err);
}
