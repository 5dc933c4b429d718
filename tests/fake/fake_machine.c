/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: the machine of the fake kernel: what it is built of, and what is looked at. */
#include "fake_write.h"

int fake_setup(void **state)
{
	struct fake_kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return -1;
	tree_make(&kernel->tree);
	kernel->tree.root.fake_write = fake_write;
	kernel->tree.root.fake_open = fake_open;
	kernel->tree.root.fake_netlink = fake_netlink;
	tree_boot(&kernel->tree, TREE_BOOT_ID);
	tree_folder(&kernel->tree, "run");
	tree_folder(&kernel->tree, "sys/bus/pci/devices");
	tree_bytes(&kernel->tree, "sys/bus/pci/drivers_probe", "", 0);
	tree_bytes(&kernel->tree, "dev/vfio/vfio", "", 0);
	fake_driver(kernel, "vfio-pci", "vfio_pci", "");
	if (state_open(&kernel->tree.root, true, &kernel->state, &kernel->err) < 0)
		return -1;
	*state = kernel;
	return 0;
}

void fake_host(const struct fake_kernel *kernel)
{
	static const char *const empty[] = { "proc/1/mountinfo",  "proc/swaps", "proc/net/route",
					     "proc/net/fib_trie", "proc/iomem", "proc/net/unix" };
	const struct tree *tree = &kernel->tree;

	tree_process(tree, 1, "systemd", 0);
	tree_file(tree, "proc/sys/kernel/hostname", "pve1\n");
	tree_file(tree, "proc/meminfo", "MemAvailable: 9999999 kB\n");
	for (size_t i = 0; i < COUNT(empty); i++)
		tree_bytes(tree, empty[i], "", 0);
}

void fake_gpu(const struct fake_kernel *kernel, const char *gpu, const char *audio, int group)
{
	fake_driver(kernel, "nouveau", "nouveau", "10de:2484");
	fake_driver(kernel, "snd_hda_intel", "snd_hda_intel", "10de:228b");
	fake_device(kernel, &(struct tree_device){ gpu, 0x10de, 0x2484, 0x030000,
						   .driver = "nouveau", .group = group });
	fake_device(kernel, &(struct tree_device){ audio, 0x10de, 0x228b, 0x040300,
						   .driver = "snd_hda_intel", .group = group });
}

int fake_teardown(void **state)
{
	struct fake_kernel *kernel = *state;

	state_done(&kernel->state);
	text_done(&kernel->told);
	tree_done(&kernel->tree);
	free(kernel);
	return 0;
}

void fake_driver(const struct fake_kernel *kernel, const char *name, const char *module,
		 const char *ids)
{
	struct strings before = { 0 };
	char path[PATH_MAX];

	sysroot_list(&kernel->tree.root, ".fake/drivers", &before);
	tree_format(path, ".fake/drivers/%02zu-%s", before.count, name);
	tree_file(&kernel->tree, path, "%s", ids);
	tree_driver(&kernel->tree, name, module);
	strings_done(&before);
}

void fake_learn(const struct fake_kernel *kernel, const char *driver, const char *ids)
{
	struct strings drivers = { 0 };
	char path[PATH_MAX];

	sysroot_list(&kernel->tree.root, ".fake/drivers", &drivers);
	for (size_t i = 0; i < drivers.count; i++) {
		char *known;

		if (strcmp(strchr(drivers.items[i], '-') + 1, driver) != 0)
			continue;
		tree_format(path, ".fake/drivers/%s", drivers.items[i]);
		known = tree_read(&kernel->tree, path);
		tree_file(&kernel->tree, path, "%s %s", known, ids);
		free(known);
	}
	strings_done(&drivers);
}

void fake_device(const struct fake_kernel *kernel, const struct tree_device *device)
{
	struct tree_device unbound = *device;
	char path[PATH_MAX];

	/* the driver is there already, with its module */
	unbound.driver = NULL;
	tree_add_device(&kernel->tree, &unbound);
	tree_attribute(&kernel->tree, device->address, "remove", "");
	tree_format(path, BUSES "%.7s/rescan", device->address);
	tree_bytes(&kernel->tree, path, "", 0);
	if (device->driver)
		set_driver(&kernel->tree, device->address, device->driver);
}

void fake_set_override(const struct fake_kernel *kernel, const char *address, const char *override)
{
	set_override(&kernel->tree, address, override);
}

void fake_give(const struct fake_kernel *kernel, const char *address, const char *driver)
{
	set_driver(&kernel->tree, address, driver);
}

void assert_binding(const struct fake_kernel *kernel, const char *address, const char *binding)
{
	char path[PATH_MAX], driver[NAME_SIZE], now[3 * NAME_SIZE] = "gone";
	char *override;

	tree_format(path, DEVICES "%s/driver_override", address);
	override = tree_read(&kernel->tree, path);
	bound_driver(&kernel->tree, address, driver);
	if (override)
		snprintf(now, sizeof(now), "%s %.*s", *driver ? driver : "none",
			 (int)strcspn(override, "\n"), override);
	free(override);
	assert_string_equal(now, binding);
}

void assert_writes(const struct fake_kernel *kernel, const char *address, const char *writes)
{
	const char *last = "";
	struct text seen = { 0 };
	char path[PATH_MAX];
	char *content, *rest, *word, *text;
	bool again = false;

	device_file(address, "writes", path);
	content = tree_read(&kernel->tree, path);
	rest = content;
	while (rest && (word = strsep(&rest, " ")) && *word) {
		if (strcmp(word, last) == 0) {
			text_add(&seen, "%s", again ? "" : "*");
			again = true;
			continue;
		}
		text_add(&seen, "%s%s", *last ? " " : "", word);
		last = word;
		again = false;
	}
	tree_remove(&kernel->tree, path);
	text = text_take(&seen);
	free(content);
	assert_string_equal(text, writes);
	free(text);
}

bool fake_has_journal(const struct fake_kernel *kernel)
{
	return tree_has(&kernel->tree, "run/pve-vfio/101.json");
}
