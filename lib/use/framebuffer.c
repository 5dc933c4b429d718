/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: the firmware's framebuffer. Maps no memory. */
#include "use/framebuffer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "pci/device.h"

#define IOMEM_MAX ((size_t)4 * 1024 * 1024)

/* BARs 0 to 5; behind them come the ROM and a bridge's windows (pci_resource_attrs in sysfs). */
#define BAR_COUNT    6
#define RESOURCE_MEM 0x00000200u /* IORESOURCE_MEM in linux/ioport.h */

struct bars {
	struct memory_range ranges[BAR_COUNT];
	size_t count;
};

/* "0x00000000fd000000 0x00000000fdffffff 0x0000000000040200": start, end, flags. */
static bool parse_bar(char *line, struct memory_range *ret)
{
	uint64_t numbers[3];
	char *rest = line;

	for (size_t i = 0; i < 3; i++) {
		const char *field = strsep(&rest, " ");

		if (!field || !text_starts_with(field, "0x") ||
		    parse_number(field + 2, strlen(field + 2), 16, UINT64_MAX, &numbers[i]) < 0)
			return false;
	}
	*ret = (struct memory_range){ numbers[0], numbers[1] };
	return numbers[2] & RESOURCE_MEM && numbers[1] > numbers[0];
}

static int read_bars(const struct sysroot *root, const char *address, struct bars *bars)
{
	cleanup_free char *resource = NULL;
	char path[SYSROOT_PATH_MAX];
	char *rest, *line;
	int r;

	pci_attribute_path(path, address, "resource");
	r = sysroot_read_attribute(root, path, &resource);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	rest = resource;
	for (size_t i = 0; i < BAR_COUNT && (line = strsep(&rest, "\n")); i++)
		if (parse_bar(line, &bars->ranges[bars->count]))
			bars->count++;
	return 0;
}

static bool is_framebuffer(const char *name)
{
	static const char *const names[] = { "BOOTFB", "simplefb", "simpledrm", "efifb",
					     "vesafb", "efidrm",   "vesadrm" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
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

static bool overlaps(const struct bars *bars, const struct memory_range *range)
{
	for (size_t i = 0; i < bars->count; i++)
		if (range->start <= bars->ranges[i].end && range->end >= bars->ranges[i].start)
			return true;
	return false;
}

int framebuffer_find(const struct sysroot *root, const char *address, bool *ret_held,
		     struct framebuffer *ret, struct error *err)
{
	struct framebuffer found = { 0 };
	cleanup_free char *data = NULL;
	struct bars bars = { 0 };
	char *rest, *line;
	bool held = false;
	size_t size;
	int r;

	r = read_bars(root, address, &bars);
	if (r == 0 && bars.count > 0)
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
		if (overlaps(&bars, &framebuffer.range)) {
			found = framebuffer;
			held = true;
		}
	}
	if (held)
		*ret = found;
	*ret_held = held;
	return 0;
}
