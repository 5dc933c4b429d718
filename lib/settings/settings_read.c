/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: the files of settings, and whose they are. Understands no key. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "settings/settings.h"

void settings_vm_path(uint32_t vmid, char path[SYSROOT_PATH_MAX])
{
	snprintf(path, SYSROOT_PATH_MAX, "%s/%u.json", SETTINGS_VM_FOLDER, vmid);
}

/* A file without content has no settings; an editor or a copy that went wrong leaves one. */
static int read_file(const struct sysroot *root, const char *path, struct settings *settings,
		     struct error *err)
{
	cleanup_close int fd = sysroot_openat(root, path + 1, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	cleanup_free char *data = NULL;
	struct stat status;
	size_t size;
	int r = fd;

	if (r == -ENOENT)
		return r;
	if (r >= 0)
		r = fstat(fd, &status) < 0 ? -errno : file_read_fd(fd, SETTINGS_MAX, &data, &size);
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	settings->written = status.st_mtime;
	if (strspn(data, " \t\r\n") == size)
		return 0;
	return settings_parse(path, data, size, settings, err);
}

bool settings_are_foreign(const struct vm_identity *noted, time_t written,
			  const struct vm_identity *now)
{
	if (vm_identity_is_known(noted))
		return !vm_identity_equal(noted, now);
	return now->ctime > 0 && written >= 0 && (uint64_t)written < now->ctime;
}

/* A VM that cannot be read is nobody else: then nothing starts either. */
static bool is_foreign(const struct sysroot *root, const char *config_node, uint32_t vmid,
		       const struct settings *settings)
{
	cleanup_vm_config struct vm_config config = { 0 };
	struct vm_identity now;

	if (vm_config_read(root, config_node, vmid, &config, NULL) < 0)
		return false;
	vm_identity_of(&config, &now);
	return settings_are_foreign(&settings->vm, settings->written, &now);
}

/* The VM's file over the node's; that of an earlier VM is read for nothing but a word about it. */
static int read_vm_file(const struct sysroot *root, uint32_t vmid, const char *config_node,
			struct settings *settings, struct error *err)
{
	cleanup_settings struct settings own;
	char path[SYSROOT_PATH_MAX];
	int r;

	settings_vm_path(vmid, path);
	settings_init(&own);
	r = read_file(root, path, &own, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (is_foreign(root, config_node, vmid, &own)) {
		settings->vm = own.vm;
		settings->written = own.written;
		settings->foreign = true;
	} else {
		r = read_file(root, path, settings, err);
	}
	settings->has_file = r == 0;
	return r;
}

int settings_read(const struct sysroot *root, uint32_t vmid, const char *config_node,
		  struct settings *ret, struct error *err)
{
	cleanup_settings struct settings settings;
	int r;

	settings_init(&settings);
	r = read_file(root, SETTINGS_NODE_PATH, &settings, err);
	/* That one is for all VMs, whatever it says. */
	settings.vm = (struct vm_identity){ 0 };
	if ((r == 0 || r == -ENOENT) && vmid)
		r = read_vm_file(root, vmid, config_node, &settings, err);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = TAKE_STRUCT(settings);
	return 0;
}
