/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: settings. Decides about none. */
#include "boot/setting.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

static const char *const kind_names[] = {
	[BOOT_PARAMETER] = "parameter",
	[BOOT_MODULE] = "module",
	[BOOT_OPTION] = "option",
	[BOOT_BLACKLIST] = "blacklist",
	[BOOT_EARLY] = "early",
	[BOOT_SRIOV] = "sriov",
	[BOOT_PIN] = "pin",
};
TABLE_FOLLOWS(kind_names, BOOT_SETTING_KINDS);

const char *boot_setting_kind_name(enum boot_setting_kind kind)
{
	return kind_names[kind];
}

void boot_setting_done(struct boot_setting *setting)
{
	free(setting->name);
	free(setting->value);
	free(setting->device);
	free(setting->reason);
	free(setting->where);
	*setting = (struct boot_setting){ 0 };
}

void boot_settings_done(struct boot_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		boot_setting_done(&settings->items[i]);
	free(settings->items);
	*settings = (struct boot_settings){ 0 };
}

static bool copy_string(char **ret, const char *string)
{
	*ret = string ? strdup(string) : NULL;
	return *ret || !string;
}

static bool copy(struct boot_setting *to, const struct boot_setting *from)
{
	*to = (struct boot_setting){ .kind = from->kind, .found = from->found };
	return copy_string(&to->name, from->name) && copy_string(&to->value, from->value) &&
	       copy_string(&to->device, from->device) && copy_string(&to->reason, from->reason) &&
	       copy_string(&to->where, from->where);
}

int boot_settings_add(struct boot_settings *settings, const struct boot_setting *setting)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *other = &settings->items[i];

		if (other->kind == setting->kind && text_equal(other->name, setting->name) &&
		    text_equal(other->value, setting->value))
			return 0;
	}
	if (array_reserve(&settings->items, settings->count, sizeof(*settings->items)) < 0)
		return -ENOMEM;
	if (!copy(&settings->items[settings->count], setting)) {
		boot_setting_done(&settings->items[settings->count]);
		return -ENOMEM;
	}
	settings->count++;
	return 0;
}

char *boot_setting_words(const struct boot_setting *setting)
{
	switch (setting->kind) {
	case BOOT_MODULE:
		return text_format("load %s", setting->name);
	case BOOT_OPTION:
		return text_format("options %s %s", setting->name, setting->value);
	case BOOT_BLACKLIST:
		return text_format("blacklist %s", setting->name);
	case BOOT_EARLY:
		return text_format("%s held by vfio-pci from boot", setting->name);
	case BOOT_SRIOV:
		return text_format("%s with %s virtual functions", setting->name, setting->value);
	case BOOT_PIN:
		return text_format("kernel %s pinned", setting->name);
	case BOOT_PARAMETER:
	case BOOT_SETTING_KINDS:
		break;
	}
	return strdup(setting->name);
}

size_t boot_settings_count(const struct boot_settings *settings, enum boot_setting_kind kind,
			   bool ours)
{
	size_t count = 0;

	for (size_t i = 0; i < settings->count; i++)
		count += settings->items[i].kind == kind && !(ours && settings->items[i].found);
	return count;
}

json_t *boot_settings_to_json(const struct boot_settings *settings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:b}", "kind",
						kind_names[setting->kind], "name", setting->name,
						"value", setting->value, "device", setting->device,
						"reason", setting->reason, "where", setting->where,
						"found", setting->found));
	}
	return array;
}

static int read_kind(const json_t *object, enum boot_setting_kind *ret, struct error *err)
{
	cleanup_free char *name = NULL;
	int r = json_member_string(object, "kind", &name, err);

	if (r < 0)
		return r;
	for (int kind = 0; kind < BOOT_SETTING_KINDS; kind++)
		if (strcmp(kind_names[kind], name) == 0) {
			*ret = (enum boot_setting_kind)kind;
			return 0;
		}
	return error_set(err, -EBADMSG, "'%s' is not a kind of setting", name);
}

static int read_setting(const json_t *object, struct boot_settings *settings, struct error *err)
{
	struct boot_setting setting = { 0 };
	int r = read_kind(object, &setting.kind, err);

	if (r == 0)
		r = json_member_string(object, "name", &setting.name, err);
	if (r == 0)
		r = json_member_string_or_null(object, "value", &setting.value, err);
	if (r == 0)
		r = json_member_string_or_null(object, "device", &setting.device, err);
	if (r == 0)
		r = json_member_string_or_null(object, "reason", &setting.reason, err);
	if (r == 0)
		r = json_member_string_or_null(object, "where", &setting.where, err);
	if (r == 0)
		r = json_member_bool(object, "found", &setting.found, err);
	if (r == 0 && !setting.value && (setting.kind == BOOT_OPTION || setting.kind == BOOT_SRIOV))
		r = error_set(err, -EBADMSG, "the setting '%s' has no value", setting.name);
	if (r == 0)
		r = boot_settings_add(settings, &setting);
	boot_setting_done(&setting);
	return r;
}

int boot_settings_from_json(const json_t *array, struct boot_settings *ret, struct error *err)
{
	cleanup_boot_settings struct boot_settings settings = { 0 };
	const json_t *object;
	size_t i;

	json_array_foreach(array, i, object) {
		int r = read_setting(object, &settings, err);

		if (r < 0)
			return r;
	}
	*ret = TAKE_STRUCT(settings);
	return 0;
}
