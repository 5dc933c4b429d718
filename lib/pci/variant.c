/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: VFIO drivers. Loads no module. */
#include "pci/variant.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

#define ALIASES_MAX ((size_t)16 * 1024 * 1024)
#define ALIAS	    "alias vfio_pci:"
#define MODALIAS    "pci:"

/*
 * Until a module is loaded it does not show its driver's name, which is most often that of the
 * module (KBUILD_MODNAME); these are the others of drivers/vfio/pci in Linux 6.17.
 */
static const struct {
	const char *module, *driver;
} names[] = {
	{ "vfio_pci", VFIO_DRIVER },
	{ "hisi_acc_vfio_pci", "hisi-acc-vfio-pci" },
	{ "pds_vfio_pci", "pds-vfio-pci" },
};

static int make(const char *module, struct vfio_driver *ret, struct error *err)
{
	const char *name = module;
	struct vfio_driver driver;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].module, module) == 0)
			name = names[i].driver;
	/* libkmod takes '-' for '_', and everybody knows this one by its driver's name. */
	if (strcmp(name, VFIO_DRIVER) == 0)
		module = VFIO_DRIVER;
	driver = (struct vfio_driver){ strdup(name), strdup(module) };
	if (!driver.name || !driver.module) {
		vfio_driver_done(&driver);
		return error_set_memory(err);
	}
	*ret = driver;
	return 0;
}

int vfio_driver_named(const char *name, struct vfio_driver *ret, struct error *err)
{
	cleanup_free char *module = strdup(name);

	if (!module)
		return error_set_memory(err);
	for (char *c = module; *c; c++)
		if (*c == '-')
			*c = '_';
	return make(module, ret, err);
}

static unsigned count_wildcards(const char *pattern)
{
	unsigned count = 0;

	for (; *pattern; pattern++)
		count += *pattern == '*';
	return count;
}

/*
 * Lines of modules.alias: "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci". Ten
 * thousand others are around them, so these are searched for.
 */
static char *find_module(char *aliases, const char *modalias)
{
	unsigned least = UINT_MAX;
	char *found = NULL, *end;

	for (char *line = strstr(aliases, ALIAS); line; line = strstr(end, ALIAS)) {
		char *pattern = line + strlen(ALIAS);
		bool is_line = line == aliases || line[-1] == '\n' || line[-1] == '\0';
		char *module;

		end = pattern + strcspn(pattern, "\n");
		if (*end)
			*end++ = '\0';
		module = strchr(pattern, ' ');
		if (!is_line || !module)
			continue;
		*module++ = '\0';
		if (count_wildcards(pattern) >= least || fnmatch(pattern, modalias, 0) != 0)
			continue;
		least = count_wildcards(pattern);
		found = module;
	}
	return found;
}

int vfio_driver_find(const struct sysroot *root, const char *address, struct vfio_driver *ret,
		     struct error *err)
{
	cleanup_free char *release = NULL, *modalias = NULL, *aliases = NULL;
	char path[SYSROOT_PATH_MAX];
	const char *module = NULL;
	size_t size;
	int r;

	pci_attribute_path(path, address, "modalias");
	r = sysroot_read_attribute(root, path, &modalias);
	if (r == 0)
		r = sysroot_read_attribute(root, "proc/sys/kernel/osrelease", &release);
	if (r == 0) {
		snprintf(path, sizeof(path), "lib/modules/%s/modules.alias", release);
		r = sysroot_read(root, path, ALIASES_MAX, &aliases, &size);
	}
	if (r == 0 && text_starts_with(modalias, MODALIAS))
		module = find_module(aliases, modalias + strlen(MODALIAS));
	if (r < 0 && r != -ENOENT)
		return error_set(err, r, "cannot look for the VFIO driver of %s: %s", address,
				 strerror(-r));
	return make(module ? module : "vfio_pci", ret, err);
}

bool vfio_driver_is_variant(const struct vfio_driver *driver)
{
	return driver->name && strcmp(driver->name, VFIO_DRIVER) != 0;
}

void vfio_driver_done(struct vfio_driver *driver)
{
	free(driver->name);
	free(driver->module);
	*driver = (struct vfio_driver){ 0 };
}
