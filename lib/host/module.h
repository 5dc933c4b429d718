/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: kernel modules, through libkmod. Nothing is ever unloaded by dependency, and no `install`
 * line of modprobe.d is run: libkmod would run it in a shell.
 */
#pragma once

#include "host/sysroot.h"

/*
 * The module is loaded and has initialised, or is built into the kernel. '-' and '_' are the same
 * in `name`.
 */
bool module_is_present(const struct sysroot *root, const char *name);

/*
 * Loads a module with its dependencies, by its own name (a blacklist holds for aliases only, as
 * with modprobe). Nothing to do when it is there. Blocks while the module initialises, also where
 * another process is loading it just now: call it in a lane. In a tree that is not live a module
 * that is missing is an error.
 */
int module_load(const struct sysroot *root, const char *name, struct error *err);

/*
 * Unloads a module that nothing uses; nothing to do when it is not loaded. -EBUSY, with who uses
 * it, when something does; one that is built in cannot go. Blocks while the module cleans up: call
 * it in a lane.
 */
int module_unload(const struct sysroot *root, const char *name, struct error *err) must_check;
