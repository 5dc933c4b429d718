/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: what is set for virtual functions. Makes no function, and takes none. */
#include "change/network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "change/operations.h"
#include "use/child.h"
#include "use/eswitch.h"
#include "use/sriov.h"
#include "use/vf.h"

/* enum in include/uapi/linux/netdevice.h: a card's own address, as its physical function gave it. */
#define NET_ADDR_PERM "0"

/*
 * A virtual function that was given no address makes one up, and may tell it the physical one. To set
 * that would be to forbid another one for good, so what was set is none (igb_ndo_set_vf_mac() in
 * drivers/net/ethernet/intel/igb/igb_main.c, and others like it). One that is set while the function is
 * in use is another than its interface has by then.
 */
static bool has_own_address(const struct sysroot *root, const char *address,
			    const uint8_t mac[ETH_ALEN])
{
	char text[VF_MAC_TEXT];
	cleanup_strings struct strings names = { 0 };
	bool own = false;

	if (child_list(root, "sys/class/net", address, &names) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *type = NULL, *now = NULL;
		char path[SYSROOT_PATH_MAX];

		snprintf(path, sizeof(path), "sys/class/net/%s/addr_assign_type", names.items[i]);
		if (sysroot_read_attribute(root, path, &type) < 0 ||
		    strcmp(type, NET_ADDR_PERM) == 0)
			continue;
		snprintf(path, sizeof(path), "sys/class/net/%s/address", names.items[i]);
		own |= sysroot_read_attribute(root, path, &now) == 0 &&
		       strcmp(now, vf_mac_format(mac, text)) == 0;
	}
	return own;
}

static int refuse_unset(const struct plan_device *device, const char *why, struct error *err)
{
	return error_refuse(
		err,
		"the settings want an address, a VLAN or the like for %s, and %s; take it "
		"out of \"devices\" there (pve-vfio.json(5))",
		device->device.name, why);
}

/* What the driver does not even report it cannot set. */
static int check_known(const struct plan_device *device, const struct sriov_place *place,
		       const struct vf *now, unsigned parts, struct error *err)
{
	bool trust = parts & VF_TRUST && now->trust == VF_UNKNOWN;
	bool spoof = parts & VF_SPOOF_CHECK && now->spoof_check == VF_UNKNOWN;
	cleanup_free char *why = text_format("the driver of %s has no %s", place->physical,
					     trust && spoof ? "trust and no spoof check"
					     : trust	    ? "trust"
							    : "spoof check");

	if (!trust && !spoof)
		return 0;
	return why ? refuse_unset(device, why, err) : error_set_memory(err);
}

static int read_now(const struct sysroot *root, const struct plan_device *device, unsigned parts,
		    struct vf *now, struct error *err)
{
	cleanup_free char *why = NULL;
	struct sriov_place place;
	int r = sriov_place_find(root, device->device.name, &place);

	if (r == -ENODEV)
		return refuse_unset(device, "it is not a virtual function", err);
	if (r == 0)
		r = vf_read(root, place.physical, place.number, now);
	if (r == -ENOENT || r == -ENODEV) {
		why = text_format("%s, which is its physical function, has no network interface "
				  "that could set it",
				  place.physical);
		return why ? refuse_unset(device, why, err) : error_set_memory(err);
	}
	if (r < 0)
		return error_set(err, r, "cannot read what is set for the virtual function %s: %s",
				 device->device.name, strerror(-r));
	if (has_own_address(root, device->device.name, now->mac))
		memset(now->mac, 0, sizeof(now->mac));
	return check_known(device, &place, now, parts, err);
}

static int add(struct plan *plan, enum action_type type, const struct plan_device *device,
	       const char *before, const char *wanted, bool keep)
{
	cleanup_free char *target = text_format("%s/vf", device->device.name);
	struct action action = { 0 };
	int r = target && before && wanted
			? action_make(type, target, before, wanted, device->source, &action)
			: -ENOMEM;

	action.keep = keep;
	return r < 0 ? r : actions_add(&plan->actions, &action);
}

int network_before(struct plan *plan, const struct sysroot *root, const struct settings *settings,
		   const struct plan_device *device, struct error *err)
{
	const struct device_settings *set = settings_device(settings, device->device.address);
	cleanup_free char *before = NULL, *wanted = NULL;
	struct vf vf = { 0 };
	int r;

	if (!set || set->vf_parts == 0)
		return 0;
	r = read_now(root, device, set->vf_parts, &vf, err);
	if (r < 0)
		return r;
	before = vf_format(&vf);
	vf_copy_parts(&vf, &set->vf, set->vf_parts);
	wanted = vf_format(&vf);
	r = add(plan, ACTION_SET_VF, device, before, wanted,
		settings_keep(settings, device->device.address));
	return r < 0 ? error_set_memory(err) : 0;
}

int network_after(struct plan *plan, const struct plan_device *device)
{
	cleanup_free char *target = text_format("%s/vf", device->device.name);
	const struct action *set =
		target ? actions_find(&plan->actions, ACTION_SET_VF, target) : NULL;

	if (!target)
		return -ENOMEM;
	return set ? add(plan, ACTION_KEEP_VF, device, set->before, set->wanted, set->keep) : 0;
}

/* ---- apply and revert */

/* The physical function, and what the journal says, with the number that the function has now. */
static int find(const struct sysroot *root, const struct action *action, struct sriov_place *place,
		struct vf *before, struct vf *wanted, struct error *err)
{
	char address[PCI_ADDRESS_TEXT];
	int r = vf_parse(action->before, before);

	if (r == 0)
		r = vf_parse(action->wanted, wanted);
	if (r < 0)
		return error_set(err, r,
				 "what is to be set for it cannot be read in the journal: '%s'",
				 action->wanted);
	(void)action_split(action, address);
	r = sriov_place_find(root, address, place);
	if (r < 0)
		return error_set(err, r, "cannot find its physical function: %s", strerror(-r));
	before->number = wanted->number = place->number;
	return 0;
}

static bool is_switchdev(const struct sysroot *root, const char *physical)
{
	cleanup_free char *mode = NULL;

	return eswitch_read(root, physical, &mode) == 0 && strcmp(mode, "switchdev") == 0;
}

int vf_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	struct error why = { 0 };
	struct sriov_place place;
	struct vf before, wanted;
	int r = find(root, action, &place, &before, &wanted, &why);

	if (r == 0)
		r = vf_set(root, place.physical, &wanted, &why);
	if (r == 0)
		return 0;
	return error_set(err, r, "%s: %s%s", place.physical, why.message,
			 is_switchdev(root, place.physical)
				 ? "; its switch is in switchdev mode, in which that is for the "
				   "function's representor to say"
				 : "");
}

/* Part by part: one that reads neither as we set it nor as before is somebody else's. */
int vf_revert(const struct sysroot *root, const struct action *action, const char **note,
	      struct error *err)
{
	struct sriov_place place;
	struct vf before, wanted, now, back;
	int r = find(root, action, &place, &before, &wanted, err);

	if (r == 0)
		r = vf_read(root, place.physical, place.number, &now);
	/* It is gone, or its physical function's driver is, and what was set with it. */
	if (r == -ENODEV || r == -ENOENT) {
		*note = NOTE_GONE;
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "cannot read what is set for it: %s", strerror(-r));
	back = now;
	vf_copy_parts(&back, &before, ~vf_differences(&now, &wanted));
	if (vf_differences(&now, &back) == 0)
		return 0;
	return vf_set(root, place.physical, &back, err);
}
