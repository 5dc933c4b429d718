/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: exported block devices. Exports none, and stops none. */
#include "use/export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

#define NVMET "sys/kernel/config/nvmet/subsystems"
#define LIO   "sys/kernel/config/target/core"

/* `folder` has the attribute `path`, and counts where `enable` is not "0". Takes `words` over. */
static int add(const struct sysroot *root, const char *folder, const char *path, char *words,
	       struct exports *exports)
{
	cleanup_free char *value = NULL, *enabled = NULL, *owned = words;
	char attribute[SYSROOT_PATH_MAX];
	struct export export = { 0 };

	if (!words)
		return -ENOMEM;
	snprintf(attribute, sizeof(attribute), "%s/enable", folder);
	if (sysroot_read_attribute(root, attribute, &enabled) == 0 && strcmp(enabled, "0") == 0)
		return 0;
	snprintf(attribute, sizeof(attribute), "%s/%s", folder, path);
	if (sysroot_read_attribute(root, attribute, &value) < 0 || *value != '/')
		return 0;
	if (node_look(root, value + 1, &export.id, &export.path) < 0)
		export.path = strdup(value);
	if (!export.path || array_reserve(&exports->items, exports->count, sizeof(export)) < 0) {
		free(export.path);
		return -ENOMEM;
	}
	export.words = TAKE_PTR(owned);
	exports->items[exports->count++] = export;
	return 0;
}

static int add_subsystem(const struct sysroot *root, const char *name, struct exports *exports)
{
	cleanup_strings struct strings names = { 0 };
	char folder[SYSROOT_PATH_MAX / 2], path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), NVMET "/%s/passthru", name);
	r = add(root, path, "device_path", text_format("exported over NVMe as %s", name), exports);
	snprintf(folder, sizeof(folder), NVMET "/%s/namespaces", name);
	if (r < 0 || sysroot_list(root, folder, &names) < 0)
		return r;
	for (size_t i = 0; i < names.count && r == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names.items[i]);
		r = add(root, path, "device_path", text_format("exported over NVMe as %s", name),
			exports);
	}
	return r;
}

static int add_backstore(const struct sysroot *root, const char *name, struct exports *exports)
{
	cleanup_strings struct strings names = { 0 };
	char folder[SYSROOT_PATH_MAX / 2], path[SYSROOT_PATH_MAX];
	int r = 0;

	snprintf(folder, sizeof(folder), LIO "/%s", name);
	if (sysroot_list(root, folder, &names) < 0)
		return 0;
	for (size_t i = 0; i < names.count && r == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names.items[i]);
		r = add(root, path, "udev_path",
			text_format("exported by the SCSI target as %s", names.items[i]), exports);
	}
	return r;
}

int exports_read(const struct sysroot *root, struct exports *ret)
{
	cleanup_strings struct strings subsystems = { 0 }, backstores = { 0 };
	cleanup_exports struct exports exports = { 0 };
	int r = 0;

	(void)sysroot_list(root, NVMET, &subsystems);
	(void)sysroot_list(root, LIO, &backstores);
	for (size_t i = 0; i < subsystems.count && r == 0; i++)
		r = add_subsystem(root, subsystems.items[i], &exports);
	for (size_t i = 0; i < backstores.count && r == 0; i++)
		r = add_backstore(root, backstores.items[i], &exports);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(exports);
	return 0;
}

/* "/dev/nvme0", a controller that is passed on whole, has the namespaces nvme0n1, nvme0n2, … */
static bool is_controller_of(const char *path, const char *name)
{
	size_t size = strlen(path);

	if (!text_starts_with(path, "/dev/nvme"))
		return false;
	path += strlen("/dev/");
	size -= strlen("/dev/");
	return strncmp(name, path, size) == 0 && name[size] == 'n';
}

const struct export *export_find(const struct exports *exports, const struct node_id *id,
				 const char *node, const char *name)
{
	for (size_t i = 0; i < exports->count; i++) {
		const struct export *export = &exports->items[i];

		if (export->id.type == 'b' && id->type
			    ? export->id.major == id->major && export->id.minor == id->minor
			    : text_equal(export->path, node) ||
				      is_controller_of(export->path, name))
			return export;
	}
	return NULL;
}

void exports_done(struct exports *exports)
{
	for (size_t i = 0; i < exports->count; i++) {
		free(exports->items[i].path);
		free(exports->items[i].words);
	}
	free(exports->items);
	*exports = (struct exports){ 0 };
}
