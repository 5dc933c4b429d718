/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: kernel modules. Runs no command. */
#include "host/module.h"

#include <errno.h>
#include <libkmod.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* How long a load that fails is tried again. */
#define RETRY_MS 2000

/* "sys/module/NAME", where '-' is written as '_'. */
static void module_folder(const char *name, char folder[SYSROOT_PATH_MAX / 2])
{
	snprintf(folder, SYSROOT_PATH_MAX / 2, "sys/module/%s", name);
	for (char *c = folder; *c; c++)
		if (*c == '-')
			*c = '_';
}

bool module_is_present(const struct sysroot *root, const char *name)
{
	cleanup_free char *state = NULL;
	char folder[SYSROOT_PATH_MAX / 2], path[SYSROOT_PATH_MAX];

	module_folder(name, folder);
	if (!sysroot_exists(root, folder))
		return false;
	/* The folder is there before the module is; what is built in has no state. */
	snprintf(path, sizeof(path), "%s/initstate", folder);
	return sysroot_read_attribute(root, path, &state) < 0 || strcmp(state, "live") == 0;
}

static void free_context(struct kmod_ctx **context)
{
	if (*context)
		kmod_unref(*context);
}

static void free_module(struct kmod_module **module)
{
	if (*module)
		kmod_module_unref(*module);
}

static void keep_silent(void *data, int priority, const char *file, int line, const char *function,
			const char *format, va_list arguments)
{
	(void)data, (void)priority, (void)file, (void)line, (void)function, (void)format;
	(void)arguments;
}

/* modprobe.d can replace a module's loading by a command; that is refused and reported. */
static int refuse_install_command(struct kmod_module *module, const char *command, void *data)
{
	(void)module, (void)command;
	*(bool *)data = true;
	return -EPERM;
}

static int insert(struct kmod_ctx *context, const char *name, struct error *err)
{
	cleanup(free_module) struct kmod_module *module = NULL;
	bool install_command = false;
	int r;

	r = kmod_module_new_from_name(context, name, &module);
	if (r < 0)
		return error_set(err, r, "cannot look module '%s' up: %s", name, strerror(-r));
	r = kmod_module_probe_insert_module(module, 0, NULL, refuse_install_command,
					    &install_command, NULL);
	if (install_command)
		return error_set(err, -EPERM,
				 "module '%s' has an 'install' line in /etc/modprobe.d, which is "
				 "not run; load it by hand, or remove the line",
				 name);
	if (r == -ENOENT)
		return error_set(err, r, "the running kernel has no module '%s'", name);
	if (r != 0)
		return error_set(err, r < 0 ? r : -EPERM, "cannot load module '%s': %s", name,
				 r < 0 ? strerror(-r) : "blacklisted");
	return 0;
}

static struct kmod_ctx *new_context(void)
{
	struct kmod_ctx *context = kmod_new(NULL, NULL);

	if (context)
		kmod_set_log_fn(context, keep_silent, NULL);
	return context;
}

int module_load(const struct sysroot *root, const char *name, struct error *err)
{
	cleanup(free_context) struct kmod_ctx *context = NULL;
	struct deadline deadline = deadline_in_ms(RETRY_MS);
	unsigned step = 0;
	int r;

	if (module_is_present(root, name))
		return 0;
	if (!root->live)
		return error_set(err, -EOPNOTSUPP,
				 "module '%s' is not loaded, and none can be loaded in '%s'", name,
				 root->path);
	context = new_context();
	if (!context)
		return error_set_memory(err);
	r = insert(context, name, err);
	/* Of two that load a module at once the kernel lets one fail, which need not be a failure. */
	while (!module_is_present(root, name) && deadline_wait_step(deadline, &step))
		r = insert(context, name, err);
	if (module_is_present(root, name))
		return 0;
	return r < 0 ? r
		     : error_set(err, -EIO, "module '%s' was loaded and is not in /sys/module",
				 name);
}

/* "nvidia_drm, a process": the modules that hold it, and the rest of its use count. */
static char *users_of(const struct sysroot *root, const char *folder)
{
	cleanup_strings struct strings holders = { 0 };
	cleanup_free char *count = NULL;
	char path[SYSROOT_PATH_MAX];
	struct text text = { 0 };

	snprintf(path, sizeof(path), "%s/holders", folder);
	(void)sysroot_list(root, path, &holders);
	for (size_t i = 0; i < holders.count; i++)
		text_add(&text, "%smodule %s", i > 0 ? ", " : "", holders.items[i]);
	snprintf(path, sizeof(path), "%s/refcnt", folder);
	if (holders.count == 0 && sysroot_read_attribute(root, path, &count) == 0)
		text_add(&text, "its use count is %s", count);
	return text_take(&text);
}

int module_unload(const struct sysroot *root, const char *name, struct error *err)
{
	cleanup(free_context) struct kmod_ctx *context = NULL;
	cleanup(free_module) struct kmod_module *module = NULL;
	cleanup_free char *users = NULL;
	char folder[SYSROOT_PATH_MAX / 2];
	int r;

	if (!module_is_present(root, name))
		return 0;
	if (!root->live)
		return error_set(err, -EOPNOTSUPP, "no module can be unloaded in '%s'", root->path);
	context = new_context();
	if (!context)
		return error_set_memory(err);
	r = kmod_module_new_from_name(context, name, &module);
	if (r < 0)
		return error_set(err, r, "cannot look module '%s' up: %s", name, strerror(-r));
	/* Without waiting: a module in use stays. delete_module(2). */
	r = kmod_module_remove_module(module, KMOD_REMOVE_NOWAIT);
	if (r == 0 || r == -ENOENT)
		return 0;
	module_folder(name, folder);
	users = users_of(root, folder);
	return error_set(err, r == -EAGAIN ? -EBUSY : r, "module '%s' cannot be unloaded: %s (%s)",
			 name, strerror(r == -EAGAIN ? EBUSY : -r), users ? users : "");
}
