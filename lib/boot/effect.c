/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: settings in effect. Reads the running machine; changes nothing. */
#include "boot/effect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "boot/parameter.h"
#include "boot/record.h"
#include "host/kernel.h"
#include "host/module.h"

#define DEVICES "sys/bus/pci/devices"

static void effect_done(struct boot_effect *effect)
{
	free(effect->asked);
	free(effect->where);
	free(effect->seen);
}

void boot_effects_done(struct boot_effects *effects)
{
	for (size_t i = 0; i < effects->count; i++)
		effect_done(&effects->items[i]);
	free(effects->items);
	*effects = (struct boot_effects){ 0 };
}

const char *boot_effect_state_name(enum boot_effect_state state)
{
	static const char *const names[] = {
		[BOOT_IN_EFFECT] = "in effect",
		[BOOT_NOT_IN_EFFECT] = "not in effect",
		[BOOT_UNKNOWN] = "unknown",
	};

	return names[state];
}

static enum boot_effect_state state_of(bool in_effect)
{
	return in_effect ? BOOT_IN_EFFECT : BOOT_NOT_IN_EFFECT;
}

static void look_at_parameter(const struct sysroot *root, const struct boot_setting *setting,
			      struct boot_effect *effect)
{
	cleanup_boot_words struct boot_words words = { 0 };
	cleanup_free char *cmdline = NULL;
	const struct boot_word *word;

	effect->state = BOOT_UNKNOWN;
	if (sysroot_read_attribute(root, "proc/cmdline", &cmdline) < 0 ||
	    boot_words_split(&words, "proc/cmdline", cmdline) < 0) {
		effect->seen = strdup("/proc/cmdline cannot be read");
		return;
	}
	effect->state = state_of(boot_parameter_find(&words, setting->name, &word));
	word = boot_words_find_name(&words, setting->name);
	effect->seen = word ? text_format("%s on /proc/cmdline", word->text)
			    : strdup("not on /proc/cmdline");
}

static void look_at_module(const struct sysroot *root, const struct boot_setting *setting,
			   struct boot_effect *effect)
{
	bool loaded = module_is_present(root, setting->name);

	if (!sysroot_exists(root, "sys/module")) {
		effect->state = BOOT_UNKNOWN;
		effect->seen = strdup("/sys/module cannot be read");
		return;
	}
	effect->state = state_of(loaded == (setting->kind == BOOT_MODULE));
	effect->seen = strdup(loaded ? "loaded" : "not loaded");
}

/* The values of one option: a switch has several words for on and off. */
static bool same_value(const char *a, const char *b)
{
	static const char *const on[] = { "1", "Y", "yes", "on", "true" };
	static const char *const off[] = { "0", "N", "no", "off", "false" };
	int which[2] = { 0 };
	const char *values[2] = { a, b };

	if (strcmp(a, b) == 0)
		return true;
	for (size_t v = 0; v < 2; v++)
		for (size_t i = 0; i < ARRAY_SIZE(on); i++)
			if (strcasecmp(values[v], on[i]) == 0)
				which[v] = 1;
			else if (strcasecmp(values[v], off[i]) == 0)
				which[v] = -1;
	return which[0] != 0 && which[0] == which[1];
}

static void look_at_option(const struct sysroot *root, const struct boot_setting *setting,
			   struct boot_effect *effect)
{
	size_t size = kernel_word_name_size(setting->value);
	const char *wanted = setting->value[size] ? setting->value + size + 1 : "1";
	cleanup_free char *path = text_format("sys/module/%s/parameters/%.*s", setting->name,
					      (int)size, setting->value);
	cleanup_free char *value = NULL;

	for (char *c = path ? path + strlen("sys/module/") : NULL; c && *c && *c != '/'; c++)
		if (*c == '-')
			*c = '_';
	effect->state = BOOT_UNKNOWN;
	if (!module_is_present(root, setting->name)) {
		effect->seen = text_format("the module %s is not loaded", setting->name);
	} else if (!path || sysroot_read_attribute(root, path, &value) < 0) {
		effect->seen = text_format("the module %s does not show it", setting->name);
	} else {
		effect->state = state_of(same_value(value, wanted));
		effect->seen = text_format("%.*s=%s", (int)size, setting->value, value);
	}
}

/* False when something else is at the address, or nothing; `effect` is written then. */
static bool look_at_device(const struct sysroot *root, const struct boot_setting *setting,
			   struct boot_effect *effect)
{
	cleanup_free char *vendor = text_format(DEVICES "/%s/vendor", setting->name);
	cleanup_free char *device = text_format(DEVICES "/%s/device", setting->name);
	unsigned vendor_id, device_id;
	char found[16];

	effect->state = BOOT_NOT_IN_EFFECT;
	if (!vendor || !device || sysroot_read_hex(root, vendor, &vendor_id) < 0 ||
	    sysroot_read_hex(root, device, &device_id) < 0) {
		effect->seen = strdup("there is no such device");
		if (!sysroot_exists(root, DEVICES))
			effect->state = BOOT_UNKNOWN;
		return false;
	}
	snprintf(found, sizeof(found), "%04x:%04x", vendor_id & 0xffff, device_id & 0xffff);
	if (setting->device && strcmp(setting->device, found) != 0) {
		effect->seen = text_format("another device is there, %s and not %s", found,
					   setting->device);
		return false;
	}
	return true;
}

static void look_at_early(const struct sysroot *root, const struct boot_setting *setting,
			  struct boot_effect *effect)
{
	cleanup_free char *path = text_format(DEVICES "/%s/driver", setting->name);
	cleanup_free char *driver = NULL;

	if (!look_at_device(root, setting, effect))
		return;
	if (path)
		(void)sysroot_link_name(root, path, &driver);
	effect->state = state_of(driver && strcmp(driver, "vfio-pci") == 0);
	effect->seen = driver ? text_format("the driver %s", driver) : strdup("no driver");
}

static void look_at_sriov(const struct sysroot *root, const struct boot_setting *setting,
			  struct boot_effect *effect)
{
	cleanup_free char *path = text_format(DEVICES "/%s/sriov_numvfs", setting->name);
	cleanup_free char *count = NULL;

	if (!look_at_device(root, setting, effect))
		return;
	if (path)
		(void)sysroot_read_attribute(root, path, &count);
	effect->state = state_of(count && strcmp(count, setting->value) == 0);
	effect->seen = count ? text_format("%s virtual functions", count)
			     : strdup("the device has no SR-IOV");
}

static void look_at_pin(const struct sysroot *root, const struct boot_setting *setting,
			struct boot_effect *effect)
{
	cleanup_free char *release = NULL;

	effect->state = BOOT_UNKNOWN;
	if (sysroot_read_attribute(root, "proc/sys/kernel/osrelease", &release) == 0)
		effect->state = state_of(strcmp(release, setting->name) == 0);
	effect->seen =
		release ? text_format("the kernel %s runs", release) : strdup("no kernel runs");
}

static int look(const struct sysroot *root, const struct boot_setting *setting,
		struct boot_effect *effect)
{
	static void (*const functions[])(const struct sysroot *root,
					 const struct boot_setting *setting,
					 struct boot_effect *effect) = {
		[BOOT_PARAMETER] = look_at_parameter,
		[BOOT_MODULE] = look_at_module,
		[BOOT_OPTION] = look_at_option,
		[BOOT_BLACKLIST] = look_at_module,
		[BOOT_EARLY] = look_at_early,
		[BOOT_SRIOV] = look_at_sriov,
		[BOOT_PIN] = look_at_pin,
	};

	*effect = (struct boot_effect){ .kind = setting->kind };
	effect->asked = boot_setting_words(setting);
	effect->where = strdup(setting->where ? setting->where : "nowhere");
	functions[setting->kind](root, setting, effect);
	return effect->asked && effect->where && effect->seen ? 0 : -ENOMEM;
}

int boot_effects_look(const struct sysroot *root, const struct boot_settings *settings,
		      struct boot_effects *ret, struct error *err)
{
	cleanup_boot_effects struct boot_effects effects = { 0 };

	for (size_t i = 0; i < settings->count; i++) {
		if (array_reserve(&effects.items, effects.count, sizeof(*effects.items)) < 0)
			return error_set_memory(err);
		if (look(root, &settings->items[i], &effects.items[effects.count++]) < 0)
			return error_set_memory(err);
	}
	*ret = TAKE_STRUCT(effects);
	return 0;
}

int boot_effects_read(const struct sysroot *root, struct boot_effects *ret, struct error *err)
{
	cleanup_record struct record record = { 0 };
	int r = record_read(root, &record, err);

	return r < 0 ? r : boot_effects_look(root, &record.settings, ret, err);
}
