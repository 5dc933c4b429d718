/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: what must be let go of. Adds actions to a plan; changes nothing. */
#include "change/release.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "change/holding.h"
#include "change/network.h"
#include "host/module.h"
#include "host/unit.h"
#include "pci/bar.h"
#include "use/child.h"
#include "use/console.h"
#include "use/eswitch.h"
#include "use/framebuffer.h"
#include "use/nvswitch.h"
#include "use/stack.h"
#include "use/vf.h"

#define CLASS_VGA	 0x0300
#define CLASS_STORAGE	 0x01
#define CLASS_NETWORK	 0x02
#define CLASS_SERIAL_BUS 0x0c
#define NVIDIA_DRIVER	 "nvidia"

/* What asks for an action that no device does. */
#define SOURCE_SETTINGS "settings"

/* NVIDIA's own services, which hold its GPUs and can be stopped and started at any time. */
static const char *const nvidia_units[] = {
	"nvidia-persistenced.service", "nvidia-powerd.service", FABRIC_MANAGER_UNIT,
	"nvidia-dcgm.service",	       "dcgm.service",
};

/* Its modules on top of `nvidia`, in the order in which they can be unloaded. */
static const char *const nvidia_modules[] = { "nvidia_drm", "nvidia_modeset", "nvidia_uvm" };

/* While a plan is added to. */
struct release {
	struct plan *plan;
	const struct sysroot *root;
	const struct settings *settings;
	struct error *err;
};

static bool is_taken(const struct plan_device *device)
{
	return !device->foreseen;
}

static int add(const struct release *release, enum action_type type, const char *target,
	       const char *before, const char *wanted, const char *source, bool keep)
{
	struct action action = { 0 };
	int r;

	if (actions_find(&release->plan->actions, type, target))
		return 0;
	r = action_make(type, target, before, wanted, source, &action);
	action.keep = keep;
	if (r == 0)
		r = actions_add(&release->plan->actions, &action);
	return r < 0 ? error_set_memory(release->err) : 0;
}

/* What no device asks for stays as it is only if all devices do. */
static bool all_kept(const struct release *release)
{
	for (size_t i = 0; i < release->plan->device_count; i++)
		if (!settings_keep(release->settings, release->plan->devices[i].device.address))
			return false;
	return true;
}

/* ---- services */

static int add_unit(const struct release *release, const char *unit, const char *source)
{
	bool active;
	int r = unit_is_active(release->root, unit, &active, release->err);

	return r < 0 ? r
		     : add(release, ACTION_STOP_UNIT, unit, active ? "active" : "inactive",
			   "inactive", source, all_kept(release));
}

static bool is_nvidia(const struct plan_device *device)
{
	return is_taken(device) && text_equal(device->device.driver, NVIDIA_DRIVER);
}

static const struct plan_device *find_nvidia(const struct plan *plan)
{
	for (size_t i = 0; i < plan->device_count; i++)
		if (is_nvidia(&plan->devices[i]))
			return &plan->devices[i];
	return NULL;
}

static bool is_nvidia_unit(const char *unit)
{
	return TABLE_FIND(nvidia_units, unit) >= 0;
}

/* Its NVSwitches stay with the host, and so it does too: check/nvswitch.c. */
static bool is_fabric_left(const struct release *release, const char *unit)
{
	cleanup_pci_addresses struct pci_addresses switches = { 0 };

	if (strcmp(unit, FABRIC_MANAGER_UNIT) != 0 || nvswitches_list(release->root, &switches) < 0)
		return false;
	for (size_t i = 0; i < switches.count; i++)
		if (!plan_has_device(release->plan, switches.items[i]))
			return true;
	return false;
}

static int add_units(const struct release *release)
{
	const struct strings *units = &release->settings->stop_units;
	const struct plan_device *nvidia = find_nvidia(release->plan);
	cleanup_holdings struct holdings helds = { 0 };
	int r = 0;

	for (size_t i = 0; i < units->count && r == 0; i++)
		r = add_unit(release, units->items[i], SOURCE_SETTINGS);
	if (r < 0 || !nvidia)
		return r;
	r = holdings_find(release->plan, release->root, &helds, release->err);
	for (size_t i = 0; i < helds.count && r == 0; i++) {
		const struct holder *holder = &helds.items[i].holder;

		if (holder->kind == HOLDER_UNIT && is_nvidia_unit(holder->unit) &&
		    !is_fabric_left(release, holder->unit))
			r = add_unit(release, holder->unit, nvidia->device.name);
	}
	return r;
}

/* ---- text console and the firmware's framebuffer */

/* The firmware's framebuffer in the memory of one of the devices; NULL when it is not there. */
static int find_boot_framebuffer(const struct release *release,
				 const struct plan_device **ret_owner, char **ret_device,
				 char **ret_driver)
{
	const struct plan *plan = release->plan;
	int r = framebuffer_device(release->root, ret_device, ret_driver, release->err);

	*ret_owner = NULL;
	for (size_t i = 0; i < plan->device_count && r == 0 && *ret_device; i++) {
		struct framebuffer framebuffer;
		bool held;

		if (!is_taken(&plan->devices[i]))
			continue;
		/* Who cannot see /proc/iomem is warned by the check of the same name. */
		if (framebuffer_find(release->root, plan->devices[i].device.name, &held,
				     &framebuffer, NULL) == 0 &&
		    held)
			*ret_owner = &plan->devices[i];
	}
	return r;
}

/* Adds the framebuffers "fbN" below `parent` that are not in the list yet. */
static int add_framebuffers(const struct sysroot *root, const char *parent, struct strings *found)
{
	cleanup_strings struct strings names = { 0 };
	int r = child_list(root, "sys/class/graphics", parent, &names);

	for (size_t i = 0; i < names.count && r == 0; i++)
		if (text_starts_with(names.items[i], "fb") && !strings_has(found, names.items[i]))
			r = strings_add(found, names.items[i]);
	return r;
}

static size_t count_framebuffers(const struct sysroot *root)
{
	cleanup_strings struct strings names = { 0 };
	size_t count = 0;

	(void)sysroot_list(root, "sys/class/graphics", &names);
	for (size_t i = 0; i < names.count; i++)
		count += text_starts_with(names.items[i], "fb") &&
			 strcmp(names.items[i], "fbcon") != 0;
	return count;
}

/*
 * The console's driver is one for all framebuffers. It is released only when all there are go: as
 * long as another one stays, the kernel moves the console there by itself.
 */
static int add_framebuffer_console(const struct release *release, const char *boot_device,
				   const struct plan_device **ret_owner)
{
	cleanup_strings struct strings going = { 0 };
	const struct plan *plan = release->plan;
	int r = 0;

	for (size_t i = 0; i < plan->device_count && r == 0; i++) {
		size_t before = going.count;

		if (!is_taken(&plan->devices[i]))
			continue;
		r = add_framebuffers(release->root, plan->devices[i].device.name, &going);
		if (going.count > before && !*ret_owner)
			*ret_owner = &plan->devices[i];
	}
	if (r == 0 && boot_device)
		r = add_framebuffers(release->root, boot_device, &going);
	if (r < 0)
		return error_set(release->err, r, "cannot list the framebuffers: %s", strerror(-r));
	if (going.count < count_framebuffers(release->root))
		*ret_owner = NULL;
	return 0;
}

/* The card that shows the text mode the firmware left: boot_vga in sysfs-bus-pci. */
static const struct plan_device *find_boot_vga(const struct release *release)
{
	const struct plan *plan = release->plan;

	for (size_t i = 0; i < plan->device_count; i++) {
		const struct plan_device *device = &plan->devices[i];
		char path[SYSROOT_PATH_MAX];
		unsigned boot;

		pci_attribute_path(path, device->device.name, "boot_vga");
		if (is_taken(device) && device->device.class_code >> 8 == CLASS_VGA &&
		    sysroot_read_hex(release->root, path, &boot) == 0 && boot == 1)
			return device;
	}
	return NULL;
}

static int add_console(const struct release *release, enum console_kind kind,
		       const struct plan_device *owner)
{
	cleanup_free char *console = NULL;
	int r = 0;

	if (owner)
		r = console_find(release->root, kind, &console, release->err);
	if (r < 0 || !console)
		return r;
	return add(release, ACTION_RELEASE_CONSOLE, console, "1", "0", owner->device.name,
		   settings_keep(release->settings, owner->device.address));
}

static int add_display(const struct release *release)
{
	const struct plan_device *boot_owner = NULL, *owner = NULL;
	cleanup_free char *device = NULL, *driver = NULL;
	int r;

	if (release->settings->leave_console)
		return 0;
	r = find_boot_framebuffer(release, &boot_owner, &device, &driver);
	owner = boot_owner;
	if (r == 0)
		r = add_framebuffer_console(release, boot_owner ? device : NULL, &owner);
	if (r == 0)
		r = add_console(release, CONSOLE_FRAMEBUFFER, owner);
	if (r == 0)
		r = add_console(release, CONSOLE_VGA, find_boot_vga(release));
	if (r < 0 || !boot_owner)
		return r;
	return add(release, ACTION_RELEASE_FRAMEBUFFER, device, driver, "none",
		   boot_owner->device.name,
		   settings_keep(release->settings, boot_owner->device.address));
}

/* ---- modules */

static int add_unload(const struct release *release, const char *module, const char *source)
{
	return add(release, ACTION_UNLOAD_MODULE, module,
		   module_is_present(release->root, module) ? "loaded" : "unloaded", "unloaded",
		   source, all_kept(release));
}

static int add_modules(const struct release *release)
{
	const struct strings *modules = &release->settings->unload_modules;
	const struct plan_device *nvidia = find_nvidia(release->plan);
	int r = 0;

	for (size_t i = 0; i < modules->count && r == 0; i++)
		r = add_unload(release, modules->items[i], SOURCE_SETTINGS);
	if (r < 0 || !nvidia || holding_driver_is_left(release->plan, release->root, NVIDIA_DRIVER))
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(nvidia_modules) && r == 0; i++)
		if (module_is_present(release->root, nvidia_modules[i]))
			r = add_unload(release, nvidia_modules[i], nvidia->device.name);
	return r;
}

int release_host(struct plan *plan, const struct sysroot *root, const struct settings *settings,
		 struct error *err)
{
	struct release release = { plan, root, settings, err };
	int r;

	if (plan->device_count == 0)
		return 0;
	r = add_units(&release);
	if (r == 0)
		r = add_display(&release);
	return r < 0 ? r : add_modules(&release);
}

/* ---- attributes of one function */

/* `before` is what it will be when the action comes; NULL: what it is now. */
static int add_attribute(const struct release *release, const struct plan_device *device,
			 const char *name, const char *before, const char *wanted)
{
	cleanup_free char *target = text_format("%s/%s", device->device.name, name);
	cleanup_free char *now = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, device->device.name, name);
	r = sysroot_read_attribute(release->root, path, &now);
	if (r < 0)
		return error_set(release->err, r, "cannot read %s of %s, which is to be '%s': %s",
				 name, device->device.name, wanted, strerror(-r));
	if (!target)
		return error_set_memory(release->err);
	return add(release, ACTION_SET_ATTRIBUTE, target, before ? before : now, wanted,
		   device->source, settings_keep(release->settings, device->device.address));
}

/*
 * vfio-pci lets a device be suspended, and forbids it when it lets go of it
 * (vfio_pci_core_unregister_device() in drivers/vfio/pci/vfio_pci_core.c), whatever it was before.
 */
static int add_power(const struct release *release, const struct plan_device *device)
{
	cleanup_free char *target = text_format("%s/power/control", device->device.name);
	cleanup_free char *now = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, device->device.name, "power/control");
	if (sysroot_read_attribute(release->root, path, &now) < 0)
		return 0;
	if (!target)
		return error_set_memory(release->err);
	return add(release, ACTION_KEEP_ATTRIBUTE, target, now, "any", device->source,
		   settings_keep(release->settings, device->device.address));
}

static int add_kept(const struct release *release, const struct plan_device *device,
		    enum action_type type, const char *name, const char *values[2])
{
	cleanup_free char *target = text_format("%s/%s", device->device.name, name);

	return target ? add(release, type, target, values[0], values[1], device->source,
			    settings_keep(release->settings, device->device.address))
		      : error_set_memory(release->err);
}

/* What is set for a network card's virtual functions goes with them. */
static int add_vfs(const struct release *release, const struct plan_device *device)
{
	cleanup_vfs struct vfs vfs = { 0 };
	cleanup_free char *before = NULL;
	int r = vfs_read(release->root, device->device.name, &vfs, release->err);

	if (r < 0)
		return r;
	before = vfs_format(&vfs);
	return before ? add_kept(release, device, ACTION_KEEP_VFS, "vfs",
				 (const char *[]){ before, "none" })
		      : error_set_memory(release->err);
}

/* A driver comes back with "legacy". */
static int add_eswitch(const struct release *release, const struct plan_device *device)
{
	cleanup_free char *mode = NULL;
	int r = eswitch_read(release->root, device->device.name, &mode);

	if (r < 0 && r != -ENOENT)
		return error_set(release->err, r, "cannot read the mode of the switch in %s: %s",
				 device->device.name, strerror(-r));
	return add_kept(release, device, ACTION_KEEP_ESWITCH, "eswitch",
			(const char *[]){ mode ? mode : "legacy", "legacy" });
}

/*
 * The driver takes its virtual functions along when it goes (pci-iov-howto.rst), and does not make
 * them again when it comes back. Also where there are none now: an earlier run may have had them. On
 * the way back, which is the opposite, the mode of the switch comes first: most drivers do not change
 * it once there are virtual functions.
 */
static int add_sriov(const struct release *release, const struct plan_device *device)
{
	bool network = device->device.class_code >> 16 == CLASS_NETWORK;
	cleanup_free char *count = NULL;
	char path[SYSROOT_PATH_MAX];
	int r = 0;

	pci_attribute_path(path, device->device.name, "sriov_numvfs");
	if (sysroot_read_attribute(release->root, path, &count) < 0)
		return 0;
	if (network)
		r = add_vfs(release, device);
	if (r == 0)
		r = add_attribute(release, device, "sriov_numvfs", NULL, "0");
	return r == 0 && network ? add_eswitch(release, device) : r;
}

/* Mass storage, and what disks can be plugged into: USB, FireWire, Fibre Channel. */
static bool can_have_disks(const struct plan_device *device)
{
	unsigned base = device->device.class_code >> 16;

	return base == CLASS_STORAGE || base == CLASS_SERIAL_BUS;
}

/* The administrator has accepted that the host uses it. */
static bool is_use_allowed(const struct settings *settings)
{
	return strings_has(&settings->allow, "storage-in-use") ||
	       strings_has(&settings->allow, "usb-storage-in-use");
}

/* "released", and the other functions on whose disks a layer may lie. */
static char *disks_wanted(const struct plan *plan, const struct plan_device *device)
{
	struct text wanted = { 0 };

	text_add(&wanted, "released");
	for (size_t i = 0; i < plan->device_count; i++)
		if (&plan->devices[i] != device && is_taken(&plan->devices[i]) &&
		    can_have_disks(&plan->devices[i]))
			text_add(&wanted, " %s", plan->devices[i].device.name);
	return text_take(&wanted);
}

/*
 * Also where nothing is built on the disks: udev may be about to. Whether it may go is for the check
 * of storage to say. Its source is the function, so that an earlier run's is found when the disks are
 * not the host's (plan_adopt()).
 */
static int add_disks(const struct release *release, const struct plan_device *device)
{
	const char *address = device->device.name;
	cleanup_strings struct strings own = { 0 }, layers = { 0 };
	cleanup_free char *target = NULL, *wanted = NULL, *before = NULL;
	struct text text = { 0 };
	int r;

	if (!can_have_disks(device) || is_use_allowed(release->settings))
		return 0;
	r = child_list(release->root, BLOCK_CLASS, address, &own);
	if (r == 0 && own.count > 0)
		r = stack_words(release->root, address, &layers);
	if (r < 0)
		return error_set(release->err, r,
				 "cannot list what is built on the disks of %s: %s", address,
				 strerror(-r));
	if (own.count == 0)
		return 0;
	for (size_t i = 0; i < layers.count; i++)
		text_add(&text, "%s%s", i > 0 ? " " : "", layers.items[i]);
	before = text_take(&text);
	target = text_format("%s/disks", address);
	wanted = disks_wanted(release->plan, device);
	if (!before || !target || !wanted)
		return error_set_memory(release->err);
	return add(release, ACTION_RELEASE_DISKS, target, *before ? before : NULL, wanted, address,
		   settings_keep(release->settings, device->device.address));
}

int release_before(struct plan *plan, const struct sysroot *root, const struct settings *settings,
		   const struct plan_device *device, struct error *err)
{
	const struct device_settings *wanted = settings_device(settings, device->device.address);
	struct release release = { plan, root, settings, err };
	int r;

	if (!is_taken(device))
		return 0;
	r = add_disks(&release, device);
	if (r == 0)
		r = add_power(&release, device);
	if (r == 0)
		r = add_sriov(&release, device);
	if (r == 0)
		r = network_before(plan, root, settings, device, err);
	if (r < 0 || !wanted)
		return r;
	if (wanted->reset_method)
		r = add_attribute(&release, device, "reset_method", NULL, wanted->reset_method);
	if (r == 0 && wanted->has_d3cold)
		r = add_attribute(&release, device, "d3cold_allowed", NULL,
				  wanted->d3cold ? "1" : "0");
	return r;
}

static int add_resize(const struct release *release, const struct plan_device *device, unsigned bar,
		      unsigned mib)
{
	char target[PCI_ADDRESS_TEXT + 24], before[24], wanted[24];
	struct pci_bar bars[PCI_BAR_COUNT] = { 0 };
	uint64_t sizes;
	int r = pci_bar_sizes(release->root, device->device.name, bar, &sizes);

	if (r == 0)
		r = pci_bars_read(release->root, device->device.name, bars);
	if (r < 0)
		return error_set(release->err, r,
				 "the size of BAR %u of %s, which is to be %u MiB, cannot be "
				 "changed: %s",
				 bar, device->device.name, mib, strerror(-r));
	snprintf(target, sizeof(target), "%s/resource%u_resize", device->device.name, bar);
	snprintf(before, sizeof(before), "%ju", (uintmax_t)(bars[bar].size >> 20));
	snprintf(wanted, sizeof(wanted), "%u", mib);
	return add(release, ACTION_RESIZE_BAR, target, before, wanted, device->source,
		   settings_keep(release->settings, device->device.address));
}

/*
 * The way back is the opposite: the size goes first, since once the function has been found again
 * the host's driver has it.
 */
int release_after(struct plan *plan, const struct sysroot *root, const struct settings *settings,
		  const struct plan_device *device, struct error *err)
{
	const struct device_settings *wanted = settings_device(settings, device->device.address);
	struct release release = { plan, root, settings, err };
	char target[PCI_ADDRESS_TEXT + 24];
	int r = 0;

	if (!wanted || !is_taken(device))
		return 0;
	if (network_after(plan, device) < 0)
		return error_set_memory(err);
	snprintf(target, sizeof(target), "%s/remove", device->device.name);
	if (wanted->rescan)
		r = add(&release, ACTION_RESCAN, target, NULL, device->vfio.name, device->source,
			settings_keep(settings, device->device.address));
	for (unsigned i = 0; i < PCI_BAR_COUNT && r == 0; i++)
		if (wanted->resize_bar[i] > 0)
			r = add_resize(&release, device, i, wanted->resize_bar[i]);
	/* Binding sets it, so it comes after, also where the host has had it "on". */
	if (r == 0 && wanted->has_power)
		r = add_attribute(&release, device, "power/control",
				  wanted->power_on ? "auto" : NULL,
				  wanted->power_on ? "on" : "auto");
	return r;
}
