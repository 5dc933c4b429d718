/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: the configuration file of a VM. Keeps what concerns PCI devices; changes no file. */
#include "pve/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "pve/args.h"
#include "pve/schema.h"
#include "pve/setting.h"

/* A piece of the file, not terminated. */
struct slice {
	const char *data;
	size_t size;
};

static bool slice_starts_with(struct slice slice, const char *start)
{
	size_t size = strlen(start);

	return slice.size >= size && memcmp(slice.data, start, size) == 0;
}

/* Perl's \s for what a file can hold. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct slice trim(struct slice slice)
{
	while (slice.size > 0 && is_space(slice.data[0])) {
		slice.data++;
		slice.size--;
	}
	while (slice.size > 0 && is_space(slice.data[slice.size - 1]))
		slice.size--;
	return slice;
}

/* Cuts the next line off `rest`; false at the end. */
static bool next_line(struct slice *rest, struct slice *ret)
{
	const char *end;

	if (rest->size == 0)
		return false;
	end = memchr(rest->data, '\n', rest->size);
	ret->data = rest->data;
	ret->size = end ? (size_t)(end - rest->data) : rest->size;
	rest->data += ret->size;
	rest->size -= ret->size;
	if (end) {
		rest->data++;
		rest->size--;
	}
	return true;
}

/* ^\[[^\]]*\]\s*$ : any such line ends the section before it, known to PVE or not. */
static bool is_header(struct slice line)
{
	const char *close;

	if (line.size == 0 || line.data[0] != '[')
		return false;
	close = memchr(line.data, ']', line.size);
	if (!close)
		return false;
	close++;
	return trim((struct slice){ close, line.size - (size_t)(close - line.data) }).size == 0;
}

static bool cut_end(struct slice *slice, const char *end)
{
	size_t size = strlen(end);

	if (slice->size < size || memcmp(slice->data + slice->size - size, end, size) != 0)
		return false;
	slice->size -= size;
	return true;
}

/*
 * snapstate:\s*(prepare|delete)\s*$ , which PVE does not anchor and tries before any key. Looked at
 * from the end, where the expression has its anchor: a line can be a megabyte.
 */
static bool is_snapstate(struct slice line)
{
	line = trim(line);
	if (!cut_end(&line, "prepare") && !cut_end(&line, "delete"))
		return false;
	line = trim(line);
	return cut_end(&line, "snapstate:");
}

/* Is blank, a comment, or a key PVE treats before all others. */
static bool is_of_no_concern(struct slice line)
{
	return trim(line).size == 0 || line.data[0] == '#' ||
	       slice_starts_with(line, "description:") || slice_starts_with(line, "delete:") ||
	       is_snapstate(line);
}

/* ^([a-z][a-z_\-]*\d*):\s*(.+?)\s*$ ; a value of blanks alone is one blank. */
static bool split_key(struct slice line, struct slice *ret_key, struct slice *ret_value)
{
	size_t end = 0;

	if (line.size == 0 || line.data[0] < 'a' || line.data[0] > 'z')
		return false;
	while (end < line.size && ((line.data[end] >= 'a' && line.data[end] <= 'z') ||
				   line.data[end] == '_' || line.data[end] == '-'))
		end++;
	while (end < line.size && line.data[end] >= '0' && line.data[end] <= '9')
		end++;
	if (end + 1 >= line.size || line.data[end] != ':')
		return false;
	*ret_key = (struct slice){ line.data, end };
	*ret_value = trim((struct slice){ line.data + end + 1, line.size - end - 1 });
	if (ret_value->size == 0)
		*ret_value = (struct slice){ line.data + line.size - 1, 1 };
	return true;
}

static char *slice_copy(struct slice slice)
{
	return strndup(slice.data, slice.size);
}

/* The file while it is read. */
struct reading {
	const struct sysroot *root;
	struct vm_config *config;
	unsigned number;   /* of the line */
	struct slice line; /* all of it */
	struct slice key;  /* of the line; no size where it has none */
};

static int drop_line(struct reading *reading, const char *why)
{
	struct vm_config *config = reading->config;
	struct vm_dropped_line dropped = { .line = reading->number };

	if (reading->key.size > 0)
		dropped.key = slice_copy(reading->key);
	dropped.text = slice_copy(trim(reading->line));
	dropped.why = strdup(why);
	if ((reading->key.size > 0 && !dropped.key) || !dropped.text || !dropped.why ||
	    array_reserve(&config->dropped, config->dropped_count, sizeof(dropped)) < 0) {
		free(dropped.key);
		free(dropped.text);
		free(dropped.why);
		return -ENOMEM;
	}
	config->dropped[config->dropped_count++] = dropped;
	return 0;
}

/* hostpci0 to hostpci15 and no other spelling; -1 for any other key. */
static int hostpci_index(struct slice key)
{
	uint64_t index;

	if (!slice_starts_with(key, "hostpci"))
		return -1;
	key.data += strlen("hostpci");
	key.size -= strlen("hostpci");
	if ((key.size > 1 && key.data[0] == '0') ||
	    parse_number(key.data, key.size, 10, HOSTPCI_COUNT - 1, &index) < 0)
		return -1;
	return (int)index;
}

/* Whether there is a key on the line that this node's PVE does not know; why it drops the line. */
static bool has_unknown_key(const struct sysroot *root, const struct hostpci *hostpci,
			    struct error *why)
{
	for (size_t i = 0; i < hostpci->unknown_keys.count; i++) {
		const char *key = hostpci->unknown_keys.items[i];

		if (hostpci_key_knowledge(root, key, false) != KEY_UNKNOWN)
			continue;
		error_set(why, 0, "it does not know a key '%.64s' here", key);
		return true;
	}
	if (!hostpci->has_driver || hostpci_key_knowledge(root, "driver", true) != KEY_UNKNOWN)
		return false;
	error_set(why, 0,
		  "it does not know the key 'driver', which qemu-server has from 9.0.25 on");
	return true;
}

/* A later valid line replaces an earlier one; an invalid one leaves it. */
static int read_hostpci(struct reading *reading, int index, struct slice value)
{
	struct vm_hostpci *slot = &reading->config->hostpci[index];
	cleanup_hostpci struct hostpci hostpci = { 0 };
	cleanup_free char *copy = NULL;
	struct error err = { 0 };
	int r;

	if (memchr(value.data, '\0', value.size) || memchr(value.data, '\r', value.size))
		return drop_line(reading, "its value holds a control character");
	copy = slice_copy(value);
	if (!copy)
		return -ENOMEM;
	r = hostpci_parse(copy, &hostpci, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return drop_line(reading, err.message);
	if (has_unknown_key(reading->root, &hostpci, &err))
		return drop_line(reading, err.message);
	hostpci_done(&slot->hostpci);
	free(slot->value);
	*slot = (struct vm_hostpci){
		.present = true,
		.line = reading->number,
		.value = TAKE_PTR(copy),
		.hostpci = hostpci,
	};
	hostpci = (struct hostpci){ 0 };
	return 0;
}

static bool slice_equal(struct slice slice, const char *text)
{
	return slice.size == strlen(text) && memcmp(slice.data, text, slice.size) == 0;
}

/*
 * ^args:\s*(.*\S)\s*$ is kept as it is; an `args` of blanks alone is a setting like others. Unlike
 * PVE, which would fail later, this drops a value with a NUL.
 */
static int read_setting(struct reading *reading, struct slice value)
{
	struct vm_config *config = reading->config;
	struct vm_setting setting = { .line = reading->number };
	bool raw = slice_equal(reading->key, "args") && trim(value).size > 0;
	cleanup_free char *copy = NULL;
	struct error err = { 0 };
	int r = 0;

	if (memchr(value.data, '\0', value.size) || (!raw && memchr(value.data, '\r', value.size)))
		return drop_line(reading, "its value holds a control character");
	copy = slice_copy(value);
	setting.key = slice_copy(reading->key);
	if (!copy || !setting.key)
		r = -ENOMEM;
	else if (raw)
		setting.value = TAKE_PTR(copy);
	else
		r = setting_read(reading->root, setting.key, copy, &setting.value, &err);
	if (r == 0)
		r = array_reserve(&config->settings, config->setting_count, sizeof(setting));
	if (r < 0) {
		free(setting.key);
		free(setting.value);
		return r == -EINVAL ? drop_line(reading, err.message) : r;
	}
	config->settings[config->setting_count++] = setting;
	return 0;
}

/* A line that is not a setting in PVE's eyes though somebody meant a device with it. */
static bool means_hostpci(struct slice line)
{
	static const char word[] = "hostpci";

	line = trim(line);
	return line.size >= sizeof(word) - 1 && strncasecmp(line.data, word, sizeof(word) - 1) == 0;
}

static int read_line(struct reading *reading)
{
	struct slice line = reading->line, value;
	int index;

	reading->key = (struct slice){ 0 };
	if (is_of_no_concern(line))
		return 0;
	if (!split_key(line, &reading->key, &value)) {
		if (!means_hostpci(line))
			return 0;
		return drop_line(reading, "it is not of the form 'hostpciN: VALUE', in lower case "
					  "and without blanks before the colon");
	}
	index = hostpci_index(reading->key);
	if (index >= 0)
		return read_hostpci(reading, index, value);
	if (slice_starts_with(reading->key, "hostpci"))
		return drop_line(reading, "there are only hostpci0 to hostpci15");
	return read_setting(reading, value);
}

int vm_config_parse(const struct sysroot *root, const char *path, const char *data, size_t size,
		    struct vm_config *ret, struct error *err)
{
	cleanup_vm_config struct vm_config config = { 0 };
	struct reading reading = { .root = root, .config = &config };
	struct slice rest = { data, size };

	config.path = strdup(path);
	if (!config.path)
		return error_set_memory(err);
	while (next_line(&rest, &reading.line) && !is_header(reading.line)) {
		reading.number++;
		if (read_line(&reading) < 0)
			return error_set_memory(err);
	}
	config.is_template = text_equal(vm_config_get(&config, "template"), "1");
	*ret = TAKE_STRUCT(config);
	return 0;
}

bool vm_config_vmid(const char *file, uint32_t *ret)
{
	size_t size = strcspn(file, ".");
	uint64_t vmid;

	if (strcmp(file + size, ".conf") != 0 ||
	    parse_number(file, size, 10, UINT32_MAX, &vmid) < 0)
		return false;
	*ret = (uint32_t)vmid;
	return true;
}

int vm_refuse_absent(const struct sysroot *root, uint32_t vmid, struct error *err)
{
	cleanup_strings struct strings nodes = { 0 };
	char path[SYSROOT_PATH_MAX];

	(void)sysroot_list(root, "etc/pve/nodes", &nodes);
	for (size_t i = 0; i < nodes.count; i++) {
		snprintf(path, sizeof(path), "etc/pve/nodes/%s/qemu-server/%u.conf", nodes.items[i],
			 vmid);
		if (sysroot_exists(root, path))
			return error_set(err, -ENOENT,
					 "VM %u is on node '%s': its devices are there; run this "
					 "on that node",
					 vmid, nodes.items[i]);
		snprintf(path, sizeof(path), "etc/pve/nodes/%s/lxc/%u.conf", nodes.items[i], vmid);
		if (sysroot_exists(root, path))
			return error_set(err, -ENOENT,
					 "%u is a container: PCI devices go to VMs only", vmid);
	}
	return error_set(err, -ENOENT, "there is no VM %u; 'qm list' shows those of this node",
			 vmid);
}

int vm_look(const struct sysroot *root, uint32_t vmid, struct error *err)
{
	char path[SYSROOT_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "etc/pve/qemu-server/%u.conf", vmid);
	r = sysroot_find(root, path);
	if (r < 0)
		return error_set(err, r, "cannot open '/%s': %s", path, strerror(-r));
	return r > 0 ? 0 : vm_refuse_absent(root, vmid, err);
}

int vm_config_read(const struct sysroot *root, const char *node, uint32_t vmid,
		   struct vm_config *ret, struct error *err)
{
	cleanup_free char *data = NULL;
	char path[SYSROOT_PATH_MAX];
	size_t size;
	int r;

	if (node)
		snprintf(path, sizeof(path), "/etc/pve/nodes/%s/qemu-server/%u.conf", node, vmid);
	else
		snprintf(path, sizeof(path), "/etc/pve/qemu-server/%u.conf", vmid);
	r = sysroot_read(root, path + 1, VM_CONFIG_MAX, &data, &size);
	if (r == -EFBIG)
		return error_set(err, r, "%s: larger than the 1 MiB Proxmox VE allows", path);
	if (r == -ENOENT && !node)
		return vm_refuse_absent(root, vmid, err);
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", path, strerror(-r));
	return vm_config_parse(root, path, data, size, ret, err);
}

const struct vm_setting *vm_config_find(const struct vm_config *config, const char *key)
{
	for (size_t i = config->setting_count; i > 0; i--)
		if (strcmp(config->settings[i - 1].key, key) == 0)
			return &config->settings[i - 1];
	return NULL;
}

const char *vm_config_get(const struct vm_config *config, const char *key)
{
	const struct vm_setting *setting = vm_config_find(config, key);

	return setting ? setting->value : NULL;
}

const struct vm_dropped_line *vm_config_find_dropped(const struct vm_config *config,
						     const char *key)
{
	const struct vm_setting *setting = vm_config_find(config, key);

	for (size_t i = config->dropped_count; i > 0; i--) {
		const struct vm_dropped_line *dropped = &config->dropped[i - 1];

		if (text_equal(dropped->key, key))
			return setting && setting->line > dropped->line ? NULL : dropped;
	}
	return NULL;
}

const struct vm_hostpci *vm_config_hostpci(const struct vm_config *config, const char *source)
{
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		char name[16];

		snprintf(name, sizeof(name), "hostpci%u", i);
		if (config->hostpci[i].present && strcmp(name, source) == 0)
			return &config->hostpci[i];
	}
	return NULL;
}

const struct hostpci *vm_config_line(const struct vm_config *config, const char *source)
{
	const struct vm_hostpci *line = vm_config_hostpci(config, source);

	return line ? &line->hostpci : NULL;
}

bool vm_config_names_devices(const struct vm_config *config)
{
	cleanup_args struct args args = { 0 };
	const char *arguments = vm_config_get(config, "args");

	if (config->is_template)
		return false;
	for (size_t i = 0; i < HOSTPCI_COUNT; i++)
		if (config->hostpci[i].present)
			return true;
	if (!arguments)
		return false;
	return args_parse(arguments, &args, NULL) < 0 || args.count > 0 || args.problem_count > 0;
}

bool vm_config_is_q35(const struct vm_config *config)
{
	const char *machine = vm_config_get(config, "machine");

	return machine && strstr(machine, "q35");
}

int vm_config_storage(const struct vm_config *config, char **ret)
{
	static const char *const keys[] = { "scsi0", "virtio0", "sata0", "ide0", "tpmstate0" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *volume = vm_config_get(config, keys[i]);
		size_t size = volume ? strcspn(volume, ":,/") : 0;

		if (size > 0 && volume[size] == ':' && !strstr(volume, "media=cdrom")) {
			*ret = text_format("%.*s", (int)size, volume);
			return *ret ? 0 : -ENOMEM;
		}
	}
	*ret = NULL;
	return 0;
}

void vm_config_done(struct vm_config *config)
{
	for (size_t i = 0; i < HOSTPCI_COUNT; i++) {
		hostpci_done(&config->hostpci[i].hostpci);
		free(config->hostpci[i].value);
	}
	for (size_t i = 0; i < config->dropped_count; i++) {
		free(config->dropped[i].key);
		free(config->dropped[i].text);
		free(config->dropped[i].why);
	}
	free(config->dropped);
	for (size_t i = 0; i < config->setting_count; i++) {
		free(config->settings[i].key);
		free(config->settings[i].value);
	}
	free(config->settings);
	free(config->path);
	*config = (struct vm_config){ 0 };
}
