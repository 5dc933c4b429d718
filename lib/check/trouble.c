/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the devices of the plan against the table of known troubles. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "check/quirks.h"
#include "check/remedy.h"

/* How many other devices are named before they are only counted. */
#define NAMES_MAX 3

/* "The same goes for 0000:2a:00.0, 0000:3a:00.0 and 5 more. " or nothing. */
static char *words_of_others(const struct strings *devices)
{
	struct text text = { 0 };

	if (devices->count > 1) {
		text_add(&text, "The same goes for ");
		strings_words(devices, 1, NAMES_MAX, &text);
		text_add(&text, ". ");
	}
	return text_take(&text);
}

/* The evidence begins with the trouble's id and a colon: the task log quotes no more of it. */
static int add_trouble(const struct start *start, const struct quirk *quirk,
		       const struct plan_device *first, const struct strings *devices,
		       struct findings *findings)
{
	const char *address = first->device.name;
	cleanup_free char *rombar_off =
		vm_config_hostpci(&start->config, first->source)
			? remedy_line(start, first->source, "rombar", NULL, "rombar=0")
			: NULL;
	cleanup_free char *remedy = quirk_remedy(quirk, address, start->vmid, rombar_off);
	cleanup_free char *sources = quirk_sources(quirk);
	cleanup_free char *others = words_of_others(devices);

	if (!remedy || !sources || !others ||
	    finding_add(findings, CHECK_KNOWN_TROUBLE, address, "%s: %s %sSource: %s", quirk->id,
			quirk->what, others, sources) < 0)
		return -ENOMEM;
	finding_set_level(findings, quirk->level);
	return finding_advise(findings, "%s", remedy);
}

/* One finding for each trouble, however many functions have it. */
static int look_for(const struct start *start, const char *release, const struct quirk *quirk,
		    struct findings *findings)
{
	cleanup_strings struct strings devices = { 0 };
	const struct plan_device *first = NULL;

	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];
		struct quirk_target target = {
			.root = start->root,
			.release = release,
			.device = &planned->device,
			.config = &start->config,
			.line = vm_config_hostpci(&start->config, planned->source),
		};

		if (planned->foreseen || planned->device.bridge || !quirk_applies(quirk, &target))
			continue;
		if (!first)
			first = planned;
		if (strings_add(&devices, planned->device.name) < 0)
			return -ENOMEM;
	}
	return first ? add_trouble(start, quirk, first, &devices, findings) : 0;
}

/* A table that cannot be read is reported, and keeps nobody from starting. */
int check_trouble(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup_quirks struct quirks quirks = { 0 };
	cleanup_free char *release = NULL;
	cleanup_free struct quirk_kind *kinds =
		calloc(start->plan.device_count + 1, sizeof(*kinds));
	struct error reason = { 0 };

	if (!kinds)
		return error_set_memory(err);
	if (start->plan.device_count == 0)
		return 0;
	for (size_t i = 0; i < start->plan.device_count; i++)
		kinds[i] = (struct quirk_kind){ start->plan.devices[i].device.vendor,
						start->plan.devices[i].device.class_code };
	if (quirks_read(start->root, kinds, start->plan.device_count, &quirks, &reason) < 0) {
		if (finding_add(findings, CHECK_KNOWN_TROUBLE, "known troubles", "%s.",
				reason.message) < 0 ||
		    finding_advise(findings, "Correct or remove %s.", QUIRKS_PATH) < 0)
			return error_set_memory(err);
		return 0;
	}
	(void)sysroot_read_attribute(start->root, "proc/sys/kernel/osrelease", &release);
	for (size_t i = 0; i < quirks.count; i++)
		if (look_for(start, release ? release : "", &quirks.items[i], findings) < 0)
			return error_set_memory(err);
	return 0;
}
