/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change: what is set for virtual functions, and the mode of a card's switch, when the driver is back.
 * Makes no virtual function: sriov_numvfs is an attribute.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "change/operations.h"
#include "pci/driver.h"
#include "use/child.h"
#include "use/eswitch.h"
#include "use/sriov.h"
#include "use/vf.h"

/* How long a driver may take until its interface is there, or its devlink. */
#define APPEAR_MS 3000

/* Not the driver's that has set it up: there is nothing to put back then. False on an error too. */
static bool has_driver_before(const struct sysroot *root, const char *address, const char **note,
			      int *ret_error, struct error *err)
{
	cleanup_free char *driver = NULL;
	int r = pci_driver_read(root, address, &driver);

	*ret_error = 0;
	if (r == -ENODEV || (r == 0 && !driver))
		*note = NOTE_GONE;
	else if (r < 0)
		*ret_error = error_set(err, r, "cannot read its driver: %s", strerror(-r));
	else if (strstr(driver, "vfio"))
		*ret_error = error_set(err, -EBUSY, "it is not the host's again");
	else
		return true;
	return false;
}

/* ---- virtual functions */

static int read_all(const struct sysroot *root, const char *address, size_t wanted, struct vfs *vfs,
		    struct error *err)
{
	struct deadline deadline = deadline_in_ms(APPEAR_MS);
	unsigned step = 0;
	int r;

	do {
		vfs_done(vfs);
		r = vfs_read(root, address, vfs, err);
	} while (r == 0 && vfs->count < wanted && deadline_wait_step(deadline, &step));
	return r;
}

static const struct vf *find(const struct vfs *vfs, unsigned number)
{
	for (size_t i = 0; i < vfs->count; i++)
		if (vfs->items[i].number == number)
			return &vfs->items[i];
	return NULL;
}

/* Somebody has begun to use it: its driver is not taken from it. */
static bool is_up(const struct sysroot *root, const char *address)
{
	cleanup_strings struct strings names = { 0 };
	bool up = child_list(root, "sys/class/net", address, &names) < 0;

	for (size_t i = 0; i < names.count && !up; i++) {
		char path[SYSROOT_PATH_MAX];
		unsigned flags = 0;

		snprintf(path, sizeof(path), "sys/class/net/%s/flags", names.items[i]);
		/* IFF_UP */
		up = sysroot_read_hex(root, path, &flags) < 0 || flags & 1;
	}
	return up;
}

/*
 * A driver of the host that has the virtual function by now asks for its address when it begins, and
 * then no more. What it was given is without meaning before, so a failure here is none.
 */
static void begin_anew(const struct sysroot *root, const char *address, unsigned number)
{
	cleanup_free char *name = NULL, *driver = NULL, *override = NULL;
	char path[SYSROOT_PATH_MAX], link[32];
	struct error ignored;

	snprintf(link, sizeof(link), "virtfn%u", number);
	pci_attribute_path(path, address, link);
	if (sysroot_link_name(root, path, &name) < 0 || pci_driver_read(root, name, &driver) < 0 ||
	    !driver || strstr(driver, "vfio") || is_up(root, name) ||
	    pci_override_read(root, name, &override) < 0)
		return;
	if (pci_driver_unbind(root, name, &ignored) == 0)
		(void)pci_driver_bind(root, name, driver, &ignored);
	(void)pci_override_write(root, name, override, &ignored);
}

static int put_back(const struct sysroot *root, const char *address, const struct vfs *before,
		    const struct vfs *now, struct error *err)
{
	int first = 0;

	for (size_t i = 0; i < before->count; i++) {
		const struct vf *wanted = &before->items[i];
		const struct vf *is = find(now, wanted->number);
		int r = vf_set(root, address, wanted, first == 0 ? err : NULL);

		if (first == 0)
			first = r;
		if (is && memcmp(is->mac, wanted->mac, sizeof(is->mac)) != 0)
			begin_anew(root, address, wanted->number);
	}
	return first;
}

int vfs_revert(const struct sysroot *root, const struct action *action, const char **note,
	       struct error *err)
{
	cleanup_vfs struct vfs before = { 0 }, now = { 0 };
	char address[PCI_ADDRESS_TEXT];
	int r = vfs_parse(action->before ? action->before : "none", &before);

	(void)action_split(action, address);
	if (r < 0)
		return error_set(err, r,
				 "what was set for its virtual functions cannot be read in "
				 "the journal: '%s'",
				 action->before);
	if (before.count == 0 || !has_driver_before(root, address, note, &r, err))
		return r;
	r = read_all(root, address, before.count, &now, err);
	return r < 0 ? r : put_back(root, address, &before, &now, err);
}

/* ---- the mode of the switch */

/* A driver may register devlink after its probe. */
static int read_mode(const struct sysroot *root, const char *address, char **ret)
{
	struct deadline deadline = deadline_in_ms(APPEAR_MS);
	unsigned step = 0;
	int r;

	do
		r = eswitch_read(root, address, ret);
	while (r == -ENOENT && deadline_wait_step(deadline, &step));
	return r;
}

/* Before its virtual functions are made, where all drivers but old ones of Broadcom's take it. */
int eswitch_revert(const struct sysroot *root, const struct action *action, const char **note,
		   struct error *err)
{
	cleanup_free char *now = NULL;
	char address[PCI_ADDRESS_TEXT];
	int r;

	(void)action_split(action, address);
	if (text_equal(action->before, action->wanted))
		return 0;
	if (!has_driver_before(root, address, note, &r, err))
		return r;
	r = read_mode(root, address, &now);
	if (r < 0)
		return error_set(err, r, "cannot read the mode of its switch: %s", strerror(-r));
	if (strcmp(now, action->before) == 0)
		return 0;
	return eswitch_set(root, address, action->before, err);
}
