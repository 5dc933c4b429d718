/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: what --early is asked to hold from boot on, and what the script of the initramfs is to tell
 * it by. Changes no device.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "pci/identity.h"
#include "setup/node/configure.h"
#include "use/child.h"
#include "use/framebuffer.h"
#include "use/ifupdown.h"
#include "use/network.h"
#include "use/storage.h"

#define CLASS_VGA    0x0300 /* base class and subclass; PCI code and ID assignment */
#define VENDOR_INTEL 0x8086

/* The serial number behind the head of its capability. */
#define SERIAL_BYTES 4
#define SERIAL_SIZE  8

/* What tells two cards of one model apart. Started as { 0 }. */
struct mark {
	bool subsystem; /* it is known */
	struct pci_identity pci;
	char *nvme; /* the serial number that the controller names; or NULL */
};

static void mark_done(struct mark *mark)
{
	free(mark->nvme);
}

/* Where Intel puts its integrated graphics. */
static bool is_intel_igpu(const struct pci_device *device)
{
	return device->vendor == VENDOR_INTEL && device->address.domain == 0 &&
	       device->address.bus == 0 && device->address.device == 2;
}

static bool has_attribute(const struct sysroot *root, const char *address, const char *name)
{
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, name);
	return sysroot_exists(root, path);
}

/* Of a controller that has its driver; NULL where it has none, or names one that needs quoting. */
static char *read_nvme_serial(const struct sysroot *root, const char *address)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_.-";
	cleanup_strings struct strings names = { 0 };
	cleanup_free char *serial = NULL, *file = NULL;
	char path[SYSROOT_PATH_MAX];
	size_t size;

	pci_attribute_path(path, address, "nvme");
	if (sysroot_list(root, path, &names) < 0 || names.count != 1)
		return NULL;
	file = text_format("%s/%s/serial", path, names.items[0]);
	if (!file || sysroot_read_attribute(root, file, &serial) < 0)
		return NULL;
	size = strspn(serial, plain);
	if (size == 0 || serial[size + strspn(serial + size, " ")] != '\0')
		return NULL;
	serial[size] = '\0';
	return TAKE_PTR(serial);
}

/* What an earlier setup has read, of a disk that vfio-pci holds now: it is not read anew. */
static char *recorded_nvme_serial(const struct sysroot *root, const struct pci_device *device)
{
	static const char key[] = " nvme=";
	cleanup_record struct record record = { 0 };
	char ids[16];

	if (!text_equal(device->driver, "vfio-pci") || record_read(root, &record, NULL) < 0)
		return NULL;
	snprintf(ids, sizeof(ids), "%04x:%04x", device->vendor, device->device);
	for (size_t i = 0; i < record.settings.count; i++) {
		const struct boot_setting *setting = &record.settings.items[i];
		const char *at = setting->value ? strstr(setting->value, key) : NULL;

		if (setting->kind == BOOT_EARLY && strcmp(setting->name, device->name) == 0 &&
		    text_equal(setting->device, ids) && at)
			return strndup(at + strlen(key), strcspn(at + strlen(key), " "));
	}
	return NULL;
}

/*
 * NVMe requires a serial number of a controller, which with its vendor and model is unique (NVM
 * Express base specification, "Unique Identifier"). The EUI-64 is a namespace's, need not be there,
 * and many disks of one model have the same (NVME_QUIRK_BOGUS_NID in drivers/nvme/host/pci.c), so
 * it tells no more.
 */
static void read_mark(const struct sysroot *root, const struct pci_device *device, struct mark *ret)
{
	pci_identity_read(root, device, &ret->pci);
	/* a maker that gives none leaves zeros */
	if (strspn(ret->pci.serial, "0-") == strlen(ret->pci.serial))
		*ret->pci.serial = '\0';
	ret->subsystem = has_attribute(root, device->name, "subsystem_vendor");
	ret->nvme = read_nvme_serial(root, device->name);
	if (!ret->nvme)
		ret->nvme = recorded_nvme_serial(root, device);
}

/* The words of the script: "subsystem=1458:4074 serial=260:1111118553382500". NULL: no memory. */
static char *mark_words(const struct mark *mark)
{
	cleanup_text struct text text = { 0 };

	text_add(&text, "%s", "");
	if (mark->subsystem)
		text_add(&text, " subsystem=%04x:%04x", mark->pci.subsystem_vendor,
			 mark->pci.subsystem_device);
	if (*mark->pci.serial) {
		text_add(&text, " serial=%u:", mark->pci.serial_offset + SERIAL_BYTES);
		/* it is written from the highest byte on, and is stored from the lowest on */
		for (size_t i = 1; i <= SERIAL_SIZE; i++)
			text_add(&text, "%.2s", mark->pci.serial + PCI_SERIAL_TEXT - 3 * i);
	} else if (mark->nvme) {
		text_add(&text, " nvme=%s", mark->nvme);
	}
	if (text.failed)
		return NULL;
	return strdup(text.size > 0 ? text.data + 1 : "");
}

/* What the script compares is known of both, and differs. */
static bool tells_apart(const struct mark *a, const struct mark *b)
{
	if (a->subsystem && b->subsystem &&
	    (a->pci.subsystem_vendor != b->pci.subsystem_vendor ||
	     a->pci.subsystem_device != b->pci.subsystem_device))
		return true;
	if (*a->pci.serial)
		return *b->pci.serial && strcmp(a->pci.serial, b->pci.serial) != 0;
	return a->nvme && b->nvme && strcmp(a->nvme, b->nvme) != 0;
}

/* Adds a sentence for each use that the host has for a device. */
static int find_uses(const struct sysroot *root, const struct pci_device *device,
		     struct strings *uses, struct error *err)
{
	cleanup_network_sight struct network_sight sight = { 0 };
	cleanup_free char *boot_vga = NULL;
	struct framebuffer framebuffer;
	char path[SYSROOT_PATH_MAX];
	bool held = false;
	int r = storage_uses_find(root, device->name, NULL, uses, NULL, err);

	if (r == 0)
		r = network_uses_find(root, device->name, &sight, uses, err);
	if (r < 0)
		return r;
	pci_attribute_path(path, device->name, "boot_vga");
	(void)sysroot_read_attribute(root, path, &boot_vga);
	(void)framebuffer_find(root, device->name, &held, &framebuffer, NULL);
	if ((held || text_equal(boot_vga, "1")) &&
	    strings_add(uses, "the machine's own console is on it") < 0)
		return error_set_memory(err);
	return 0;
}

/* Cards of one model swap their addresses when a card is added or removed. */
static int check_twins(const struct sysroot *root, const char *address, const struct mark *mark,
		       struct error *err)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	int r = 0;

	r = pci_devices_list(root, &addresses, err);
	if (r == -ENOENT) {
		*err = (struct error){ 0 };
		return 0;
	}
	for (size_t i = 0; i < addresses.count && r == 0; i++) {
		cleanup_pci_device struct pci_device twin = { 0 };
		cleanup_strings struct strings uses = { 0 };
		cleanup(mark_done) struct mark other = { 0 };

		r = configure_read_device(root, addresses.items[i], &twin, err);
		if (r <= 0)
			continue;
		r = 0;
		if (strcmp(twin.name, address) == 0 || twin.vendor != mark->pci.vendor ||
		    twin.device != mark->pci.device)
			continue;
		read_mark(root, &twin, &other);
		if (tells_apart(mark, &other))
			continue;
		r = find_uses(root, &twin, &uses, err);
		if (r == 0 && uses.count > 0)
			r = error_refuse(
				err,
				"--early would hold %s by its address alone: nothing tells it "
				"from %s, which is of the same model and which the host uses "
				"(%s). When a card is added or removed, that one may be at "
				"this address. Leave it to the hook, which takes it when the "
				"VM starts, or give --early-by-address too",
				address, twin.name, uses.items[0]);
	}
	return r;
}

static int add_setting(struct boot_request *request, const char *address, const struct mark *mark,
		       const char *why, struct error *err)
{
	cleanup_free char *words = mark_words(mark), *reason = strdup(why), *name = strdup(address);
	char id[16];

	if (!words || !reason || !name)
		return error_set_memory(err);
	snprintf(id, sizeof(id), "%04x:%04x", mark->pci.vendor, mark->pci.device);
	if (boot_settings_add(&request->devices, &(struct boot_setting){ .kind = BOOT_EARLY,
									 .name = name,
									 .value = words,
									 .device = id,
									 .reason = reason }) < 0)
		return error_set_memory(err);
	return 0;
}

/*
 * Of a network card's interface: "; enp5s0 is not there when the network is brought up (auto, line 12 of
 * /etc/network/interfaces)". "" where nobody waits for it.
 */
static char *network_words(const struct sysroot *root, const char *address)
{
	cleanup_ifupdown struct ifupdown ifupdown = { 0 };
	cleanup_strings struct strings names = { 0 };
	struct text text = { 0 };

	text_add(&text, "%s", "");
	if (child_list(root, "sys/class/net", address, &names) < 0 ||
	    ifupdown_read(root, &ifupdown) < 0)
		return text_take(&text);
	for (size_t i = 0; i < names.count; i++) {
		const char *reason = ifupdown_reason(&ifupdown, names.items[i]);

		if (reason)
			text_add(&text,
				 "; %s is not there then when the network is brought up (%s)",
				 names.items[i], reason);
	}
	return text_take(&text);
}

/* A function that is there. */
static int add_present(const struct sysroot *root, const struct pci_device *device,
		       struct boot_request *request, struct error *err)
{
	cleanup_free char *name = configure_device_name(root, device);
	cleanup_free char *reason = NULL, *network = network_words(root, device->name);
	cleanup(mark_done) struct mark mark = { 0 };
	int r;

	if (!network)
		return error_set_memory(err);
	if (device->bridge)
		return error_set(err, -EINVAL, "%s is a bridge, which no VM can have",
				 device->name);
	if (has_attribute(root, device->name, "physfn"))
		return error_set(err, -EINVAL,
				 "%s is a virtual function, which is not there yet when --early "
				 "holds devices; the hook takes it when the VM starts",
				 device->name);
	r = configure_check_uses(root, device, "--early", err);
	if (r < 0)
		return r;
	read_mark(root, device, &mark);
	if (!request->early_by_address)
		r = check_twins(root, device->name, &mark, err);
	if (r < 0)
		return r;
	reason = text_format("%s: the host never has it, no picture, sound, disk or net of it%s",
			     name ? name : "", network);
	return reason ? add_setting(request, device->name, &mark, reason, err)
		      : error_set_memory(err);
}

/* One VGA device is enough, and one Intel iGPU too many: the option is for all of vfio-pci. */
static int look_for_vga(const struct sysroot *root, struct boot_request *request, struct error *err)
{
	bool vga = false, igpu = false;

	for (size_t i = 0; i < request->devices.count; i++) {
		cleanup_pci_device struct pci_device device = { 0 };
		struct pci_address address;
		int r;

		if (request->devices.items[i].kind != BOOT_EARLY ||
		    pci_address_parse(request->devices.items[i].name, &address) < 0)
			continue;
		r = configure_read_device(root, address, &device, err);
		if (r < 0)
			return r;
		if (r == 0 || device.class_code >> 8 != CLASS_VGA)
			continue;
		vga |= !is_intel_igpu(&device);
		igpu |= is_intel_igpu(&device);
	}
	request->disable_vga = vga && !igpu;
	return 0;
}

/* "10de:2484" */
static int parse_ids(const char *word, const char *ids, struct mark *ret, struct error *err)
{
	uint64_t vendor, device;

	if (strlen(ids) != 9 || ids[4] != ':' ||
	    parse_number(ids, 4, 16, UINT16_MAX, &vendor) < 0 ||
	    parse_number(ids + 5, 4, 16, UINT16_MAX, &device) < 0)
		return error_set(err, -EINVAL, "'%s' is not of the form 0000:01:00.0=10de:2484",
				 word);
	ret->pci.vendor = (uint16_t)vendor;
	ret->pci.device = (uint16_t)device;
	return 0;
}

/* "0000:01:00.0=10de:2484", for an image that has no devices, and for a card that is yet to come. */
static int add_named(const struct sysroot *root, const char *word, const char *equals,
		     struct boot_request *request, struct error *err)
{
	cleanup_free char *place = strndup(word, (size_t)(equals - word));
	cleanup_pci_device struct pci_device device = { 0 };
	cleanup(mark_done) struct mark mark = { 0 };
	struct pci_address address;
	char name[PCI_ADDRESS_TEXT];
	bool all;
	int r;

	if (!place)
		return error_set_memory(err);
	r = configure_parse_address(place, &address, &all, err);
	if (r == 0)
		r = parse_ids(word, all ? "" : equals + 1, &mark, err);
	if (r < 0)
		return r;
	pci_address_format(address, name);
	r = configure_read_device(root, address, &device, err);
	if (r < 0)
		return r;
	if (r == 0) {
		if (!request->early_by_address)
			r = check_twins(root, name, &mark, err);
		return r < 0 ? r : add_setting(request, name, &mark, equals + 1, err);
	}
	if (device.vendor != mark.pci.vendor || device.device != mark.pci.device)
		return error_set(err, -EINVAL, "%s is %04x:%04x here and not %s", name,
				 device.vendor, device.device, equals + 1);
	return add_present(root, &device, request, err);
}

int configure_early(const struct sysroot *root, const char *word, struct boot_request *request,
		    struct error *err)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	const char *equals = strchr(word, '=');
	struct pci_address wanted;
	size_t added = 0;
	bool all;
	int r;

	if (equals) {
		r = add_named(root, word, equals, request, err);
		return r < 0 ? r : look_for_vga(root, request, err);
	}
	r = configure_parse_address(word, &wanted, &all, err);
	if (r == 0)
		r = pci_devices_list(root, &addresses, err);
	for (size_t i = 0; i < addresses.count && r == 0; i++) {
		cleanup_pci_device struct pci_device device = { 0 };
		struct pci_address address = addresses.items[i];

		if (all)
			address.function = 0;
		if (!pci_address_equal(address, wanted))
			continue;
		r = pci_device_read(root, addresses.items[i], &device, err);
		if (r == 0)
			r = add_present(root, &device, request, err);
		added++;
	}
	if (r < 0)
		return r;
	if (added == 0)
		return error_set(
			err, -ENODEV,
			"there is no PCI device '%s'; 'pve-vfio devices' lists them. For an "
			"image, name it with its ids: %s=10de:2484",
			word, word);
	return look_for_vga(root, request, err);
}
