/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: the firmware's framebuffer. Maps no memory. */
#include "use/framebuffer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "pci/bar.h"

#define IOMEM_MAX	 ((size_t)4 * 1024 * 1024)
#define PLATFORM_DEVICES "sys/bus/platform/devices"

static bool is_framebuffer(const char *name)
{
	static const char *const names[] = { "BOOTFB", "simplefb", "simpledrm", "efifb",
					     "vesafb", "efidrm",   "vesadrm" };

	return TABLE_FIND(names, name) >= 0;
}

/* "    fd000000-fd2fffff : BOOTFB", deeper for what lies within. */
static bool parse_iomem(char *line, struct framebuffer *ret)
{
	char *name = strstr(line, " : ");
	char *dash, *start = line + strspn(line, " ");

	if (!name)
		return false;
	*name = '\0';
	name += strlen(" : ");
	dash = strchr(start, '-');
	if (!dash || !is_framebuffer(name) ||
	    parse_number(start, (size_t)(dash - start), 16, UINT64_MAX, &ret->range.start) < 0 ||
	    parse_number(dash + 1, strlen(dash + 1), 16, UINT64_MAX, &ret->range.end) < 0)
		return false;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return true;
}

static bool has_memory(const struct pci_bar bars[PCI_BAR_COUNT])
{
	for (size_t i = 0; i < PCI_BAR_COUNT; i++)
		if (bars[i].size > 0)
			return true;
	return false;
}

static bool overlaps(const struct pci_bar bars[PCI_BAR_COUNT], const struct memory_range *range)
{
	for (size_t i = 0; i < PCI_BAR_COUNT; i++)
		if (bars[i].size > 0 && range->start <= bars[i].end && range->end >= bars[i].start)
			return true;
	return false;
}

int framebuffer_find(const struct sysroot *root, const char *address, bool *ret_held,
		     struct framebuffer *ret, struct error *err)
{
	struct framebuffer found = { 0 };
	cleanup_free char *data = NULL;
	struct pci_bar bars[PCI_BAR_COUNT];
	char *rest, *line;
	bool held = false;
	size_t size;
	int r;

	r = pci_bars_read(root, address, bars);
	if (r == 0 && has_memory(bars))
		r = sysroot_read(root, "proc/iomem", IOMEM_MAX, &data, &size);
	if (r < 0)
		return error_set(err, r, "cannot read who holds its memory in /proc/iomem: %s",
				 strerror(-r));
	rest = data;
	while ((line = strsep(&rest, "\n"))) {
		struct framebuffer framebuffer;

		if (!parse_iomem(line, &framebuffer))
			continue;
		if (framebuffer.range.end == 0)
			return error_set(err, -EACCES, "/proc/iomem shows no addresses");
		if (overlaps(bars, &framebuffer.range)) {
			found = framebuffer;
			held = true;
		}
	}
	if (held)
		*ret = found;
	*ret_held = held;
	return 0;
}

/* The platform devices sysfb makes, and their drivers' (drivers/firmware/sysfb*.c). */
static bool is_platform_framebuffer(const char *name)
{
	static const char *const starts[] = {
		"simple-framebuffer.", "efi-framebuffer.", "vesa-framebuffer.",
		"vga-framebuffer.",    "ega-framebuffer.", "platform-framebuffer.",
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (text_starts_with(name, starts[i]))
			return true;
	return false;
}

static int read_platform_driver(const struct sysroot *root, const char *device, char **ret)
{
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), PLATFORM_DEVICES "/%s", device);
	r = sysroot_find(root, path);
	if (r <= 0)
		return r == 0 ? -ENODEV : r;
	snprintf(path, sizeof(path), PLATFORM_DEVICES "/%s/driver", device);
	r = sysroot_link_name(root, path, ret);
	if (r == -ENOENT)
		*ret = NULL;
	return r == -ENOENT ? 0 : r;
}

int framebuffer_device(const struct sysroot *root, char **ret_device, char **ret_driver,
		       struct error *err)
{
	cleanup_strings struct strings devices = { 0 };
	int r;

	r = sysroot_list(root, PLATFORM_DEVICES, &devices);
	if (r < 0 && r != -ENOENT)
		return error_set(err, r, "cannot list /" PLATFORM_DEVICES ": %s", strerror(-r));
	for (size_t i = 0; i < devices.count; i++) {
		cleanup_free char *driver = NULL;

		if (!is_platform_framebuffer(devices.items[i]) ||
		    read_platform_driver(root, devices.items[i], &driver) < 0 || !driver)
			continue;
		*ret_device = strdup(devices.items[i]);
		*ret_driver = TAKE_PTR(driver);
		return *ret_device ? 0 : error_set_memory(err);
	}
	*ret_device = *ret_driver = NULL;
	return 0;
}

static int set_driver(const struct sysroot *root, const char *device, const char *driver,
		      const char *verb, bool bound, struct error *err)
{
	cleanup_free char *now = NULL;
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "sys/bus/platform/drivers/%s/%s", driver, verb);
	r = sysroot_write_attribute(root, path, device);
	if (r == 0)
		r = read_platform_driver(root, device, &now);
	if (r < 0)
		return error_set(err, r, "cannot %s '%s': %s", verb, driver, strerror(-r));
	if ((now != NULL) != bound)
		return error_set(err, -EIO, "'%s' %s", driver,
				 bound ? "does not take it" : "does not let it go");
	return 0;
}

int framebuffer_unbind(const struct sysroot *root, const char *device, struct error *err)
{
	cleanup_free char *driver = NULL;
	int r = read_platform_driver(root, device, &driver);

	if (r == -ENODEV || (r == 0 && !driver))
		return 0;
	if (r < 0)
		return error_set(err, r, "cannot read its driver: %s", strerror(-r));
	return set_driver(root, device, driver, "unbind", false, err);
}

int framebuffer_bind(const struct sysroot *root, const char *device, const char *driver,
		     struct error *err)
{
	cleanup_free char *now = NULL;
	int r = read_platform_driver(root, device, &now);

	if (r < 0)
		return error_set(err, r, "cannot read its driver: %s", strerror(-r));
	return now ? 0 : set_driver(root, device, driver, "bind", true, err);
}
