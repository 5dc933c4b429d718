/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: actions on the host as a whole. Kills nothing: a unit is stopped by systemd. */
#include <errno.h>

#include "change/operations.h"
#include "host/module.h"
#include "host/unit.h"
#include "use/console.h"
#include "use/framebuffer.h"

/* The lane these run in ends them sooner. */
#define UNIT_MS (3600u * 1000)

int unit_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	return unit_stop(root, action->target, UNIT_MS, err);
}

int unit_revert(const struct sysroot *root, const struct action *action, const char **note,
		struct error *err)
{
	(void)note;
	return unit_start(root, action->target, UNIT_MS, err);
}

/* The entry goes with the last framebuffer, which an earlier run may have released. */
int console_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	bool bound;

	if (console_is_bound(root, action->target, &bound) < 0 || !bound)
		return 0;
	return console_bind(root, action->target, false, err);
}

/* It is there again with a new framebuffer, on which the kernel may draw of its own accord. */
int console_revert(const struct sysroot *root, const struct action *action, const char **note,
		   struct error *err)
{
	bool bound;

	if (console_is_bound(root, action->target, &bound) < 0) {
		*note = NOTE_GONE;
		return 0;
	}
	return bound ? 0 : console_bind(root, action->target, true, err);
}

int framebuffer_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	return framebuffer_unbind(root, action->target, err);
}

/*
 * The kernel drops the platform device for good once a driver of the card has asked for its
 * memory, as vfio-pci does for a VGA card (sysfb_disable() in drivers/firmware/sysfb.c).
 */
int framebuffer_revert(const struct sysroot *root, const struct action *action, const char **note,
		       struct error *err)
{
	int r = framebuffer_bind(root, action->target, action->before, err);

	if (r != -ENODEV)
		return r;
	*note = "dropped by the kernel until the next boot";
	return 0;
}

int unload_apply(const struct sysroot *root, const struct action *action, struct error *err)
{
	return module_unload(root, action->target, err);
}

int unload_revert(const struct sysroot *root, const struct action *action, const char **note,
		  struct error *err)
{
	(void)note;
	return module_load(root, action->target, err);
}
