/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: a kernel for sequences. Plays drivers/base and vfio's group nodes; believes nobody. */
#include "fake_kernel.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "pci/driver.h"

#define DEVICES	  "sys/bus/pci/devices/"
#define DRIVERS	  "sys/bus/pci/drivers/"
#define NAME_SIZE 64

enum kind { OVERRIDE, UNBIND, PROBE };

static const char *const kind_names[] = { "override", "unbind", "probe" };

/* One write while it is in the kernel. */
struct fake_write {
	const struct tree *tree;
	const char *address;
	enum kind kind;
	const char *value;
	char driver[NAME_SIZE];	  /* bound, or "" */
	char override[NAME_SIZE]; /* or "" */
};

static void device_file(const char *address, const char *name, char path[PATH_MAX])
{
	tree_format(path, ".fake/%s/%s", address, name);
}

static bool is_vfio(const char *driver)
{
	return strstr(driver, "vfio") != NULL;
}

/* ---- what is bound where */

static void link_name(const struct tree *tree, const char *path, char name[NAME_SIZE])
{
	char full[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t size;

	name[0] = '\0';
	tree_path(tree, path, full);
	size = readlink(full, target, sizeof(target) - 1);
	if (size < 0)
		return;
	target[size] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, NAME_SIZE, "%.63s", slash ? slash + 1 : target);
}

static void bound_driver(const struct tree *tree, const char *address, char driver[NAME_SIZE])
{
	char path[PATH_MAX];

	tree_format(path, DEVICES "%s/driver", address);
	link_name(tree, path, driver);
}

static void read_override(const struct tree *tree, const char *address, char override[NAME_SIZE])
{
	char path[PATH_MAX];
	char *content;

	tree_format(path, DEVICES "%s/driver_override", address);
	content = tree_read(tree, path);
	snprintf(override, NAME_SIZE, "%.*s", content ? (int)strcspn(content, "\n") : 0,
		 content ? content : "");
	if (strcmp(override, DRIVER_OVERRIDE_UNSET) == 0)
		override[0] = '\0';
	free(content);
}

/* /dev/vfio/GROUP is there as long as a VFIO driver has one of the group. */
static void update_group_node(const struct tree *tree, const char *address)
{
	struct strings members = { 0 };
	char path[PATH_MAX], group[NAME_SIZE], driver[NAME_SIZE];
	bool open = false;

	tree_format(path, DEVICES "%s/iommu_group", address);
	link_name(tree, path, group);
	if (!*group)
		return;
	tree_format(path, "sys/kernel/iommu_groups/%s/devices", group);
	sysroot_list(&tree->root, path, &members);
	for (size_t i = 0; i < members.count; i++) {
		bound_driver(tree, members.items[i], driver);
		open |= is_vfio(driver);
	}
	strings_done(&members);
	tree_format(path, "dev/vfio/%s", group);
	if (open)
		tree_bytes(tree, path, "", 0);
	else
		tree_remove(tree, path);
}

static int take_lock(const struct tree *tree, const char *path)
{
	char full[PATH_MAX];
	int fd;

	tree_folder_of(tree, path);
	tree_path(tree, path, full);
	fd = open(full, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		tree_broken("lock", full);
	return fd;
}

static void set_driver(const struct tree *tree, const char *address, const char *driver)
{
	char path[PATH_MAX], before[NAME_SIZE];
	int lock = take_lock(tree, ".fake/lock");

	bound_driver(tree, address, before);
	if (*before) {
		tree_format(path, DRIVERS "%s/%s", before, address);
		tree_remove(tree, path);
		tree_format(path, DEVICES "%s/driver", address);
		tree_remove(tree, path);
	}
	if (driver)
		tree_bind(tree, address, driver);
	update_group_node(tree, address);
	close(lock);
}

static void set_override(const struct tree *tree, const char *address, const char *override)
{
	char path[PATH_MAX];

	tree_format(path, DEVICES "%s/driver_override", address);
	tree_file(tree, path, "%s\n", override && *override ? override : DRIVER_OVERRIDE_UNSET);
}

void fake_vanish(const struct fake_kernel *kernel, const char *address)
{
	const struct tree *tree = &kernel->tree;
	char path[PATH_MAX], group[NAME_SIZE];

	set_driver(tree, address, NULL);
	tree_format(path, DEVICES "%s/iommu_group", address);
	link_name(tree, path, group);
	tree_format(path, "sys/kernel/iommu_groups/%s/devices/%s", group, address);
	tree_remove(tree, path);
	tree_format(path, DEVICES "%s", address);
	tree_remove(tree, path);
	tree_format(path, "sys/devices/pci0000:00/%s", address);
	tree_remove(tree, path);
}

/* ---- what the kernel does */

/* Whether "8086:10d3" stands in a driver's table, or was learned. */
static bool takes_id(const struct tree *tree, const char *address, const char *ids)
{
	unsigned vendor = 0, device = 0;
	char path[PATH_MAX], id[16];

	tree_format(path, DEVICES "%s/vendor", address);
	sysroot_read_hex(&tree->root, path, &vendor);
	tree_format(path, DEVICES "%s/device", address);
	sysroot_read_hex(&tree->root, path, &device);
	snprintf(id, sizeof(id), "%04x:%04x", vendor & 0xffff, device & 0xffff);
	return strstr(ids, id) != NULL;
}

/* pci_match_device(): with an override the name alone counts, in order of registration. */
static void probe(const struct fake_write *write)
{
	struct strings drivers = { 0 };
	bool bound = false;

	if (*write->driver)
		return;
	sysroot_list(&write->tree->root, ".fake/drivers", &drivers);
	for (size_t i = 0; i < drivers.count && !bound; i++) {
		const char *name = strchr(drivers.items[i], '-') + 1;
		char path[PATH_MAX];
		char *ids;

		tree_format(path, ".fake/drivers/%s", drivers.items[i]);
		ids = tree_read(write->tree, path);
		bound = *write->override ? strcmp(write->override, name) == 0
					 : takes_id(write->tree, write->address, ids);
		if (bound)
			set_driver(write->tree, write->address, name);
		free(ids);
	}
	strings_done(&drivers);
}

static void do_write(const struct fake_write *write)
{
	switch (write->kind) {
	case OVERRIDE: {
		char value[NAME_SIZE];

		/* sysfs does not even call the store function for no bytes */
		if (!*write->value)
			return;
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(write->value, "\n"),
			 write->value);
		set_override(write->tree, write->address, value);
		return;
	}
	case UNBIND:
		set_driver(write->tree, write->address, NULL);
		return;
	case PROBE:
		probe(write);
		return;
	}
}

/* ---- misbehaviour */

_Noreturn static void wait_for_ever(void)
{
	pid_t parent = getppid();

	while (getppid() == parent)
		clock_sleep_ms(5);
	_exit(EXIT_FAILURE);
}

/*
 * A task that sleeps in the kernel uninterruptibly survives its SIGKILL, and what it has open
 * stays open. A user's process cannot do that, but a child of it that the signal does not reach
 * has the same descriptors: the lane's pipe, the VM's lock, the device's lock.
 */
static void stick(const struct fake_write *write)
{
	char loose[PATH_MAX], path[PATH_MAX];
	pid_t self = getpid(), child;

	tree_format(path, "proc/%d/wchan", (int)self);
	tree_file(write->tree, path, "nvkm_thread_sleep");
	child = fork();
	if (child < 0)
		tree_broken("fork", "");
	if (child > 0)
		wait_for_ever();
	device_file(write->address, "loose", loose);
	while (!tree_has(write->tree, loose)) {
		if (!tree_has(write->tree, ".fake"))
			_exit(EXIT_FAILURE);
		clock_sleep_ms(5);
	}
	do_write(write);
	device_file(write->address, "misbehave", path);
	tree_remove(write->tree, path);
	tree_remove(write->tree, loose);
	_exit(EXIT_SUCCESS);
}

static void bind_late(const struct fake_write *write, unsigned milliseconds)
{
	pid_t child = fork();

	if (child < 0)
		tree_broken("fork", "");
	if (child > 0)
		return;
	/* no pipe of the lane may stay open */
	for (int fd = 3; fd < 256; fd++)
		if (fd != write->tree->root.fd)
			close(fd);
	clock_sleep_ms(milliseconds);
	do_write(write);
	_exit(EXIT_SUCCESS);
}

/* What the write is told to do, "" for nothing. Forgets a "once". */
static void find_misbehaviour(const struct fake_write *write, char what[NAME_SIZE])
{
	const char *const which[] = { write->value, write->driver, write->override };
	const char *kind = kind_names[write->kind];
	char path[PATH_MAX];
	char *content;

	tree_format(path, ".fake/%s/misbehave/%s@%.*s", write->address, kind,
		    (int)strcspn(which[write->kind], "\n"), which[write->kind]);
	if (!tree_has(write->tree, path))
		tree_format(path, ".fake/%s/misbehave/%s", write->address, kind);
	content = tree_read(write->tree, path);
	what[0] = '\0';
	if (!content)
		return;
	if (text_starts_with(content, "once "))
		tree_remove(write->tree, path);
	snprintf(what, NAME_SIZE, "%s",
		 content + (text_starts_with(content, "once ") ? strlen("once ") : 0));
	free(content);
}

static int perform(const struct fake_write *write)
{
	char what[NAME_SIZE];
	struct fake_kernel kernel;

	find_misbehaviour(write, what);
	if (text_starts_with(what, "fail ")) {
		return -atoi(what + strlen("fail "));
	} else if (text_starts_with(what, "wrong ")) {
		set_driver(write->tree, write->address, what + strlen("wrong "));
	} else if (text_starts_with(what, "late ")) {
		bind_late(write, (unsigned)atoi(what + strlen("late ")));
	} else if (strcmp(what, "stall") == 0) {
		wait_for_ever();
	} else if (strcmp(what, "stick") == 0) {
		stick(write);
	} else if (strcmp(what, "die") == 0) {
		kill(getpid(), SIGKILL);
	} else if (strcmp(what, "vanish") == 0) {
		kernel.tree = *write->tree;
		fake_vanish(&kernel, write->address);
		return -ENODEV;
	} else if (strcmp(what, "beaten") == 0) {
		do_write(write);
		return -ENODEV;
	} else if (!*what) {
		do_write(write);
	} else if (strcmp(what, "ignore") != 0) {
		tree_broken("misbehave", what);
	}
	return 0;
}

/* ---- being killed */

/* Counts the writes of all processes; true for the one at which fake_kill_at() wants the end. */
static bool is_last_write(const struct tree *tree)
{
	int lock = take_lock(tree, ".fake/lock");
	char *wanted = tree_read(tree, ".fake/kill-at");
	char *count = tree_read(tree, ".fake/count");
	int now = count ? atoi(count) + 1 : 1;
	bool last = wanted && atoi(wanted) == now;

	tree_file(tree, ".fake/count", "%d", now);
	free(wanted);
	free(count);
	close(lock);
	return last;
}

/* The lane and the process that runs it, as when the machine's OOM killer finds them. */
_Noreturn static void die(void)
{
	kill(getppid(), SIGKILL);
	kill(getpid(), SIGKILL);
	_exit(EXIT_FAILURE);
}

/* ---- the way in */

static void note_write(const struct fake_write *write)
{
	char path[PATH_MAX], full[PATH_MAX], line[2 * NAME_SIZE];
	const char *const which[] = { write->value, write->driver, "" };
	int fd;

	snprintf(line, sizeof(line), "%s%s%.*s ", kind_names[write->kind],
		 write->kind == PROBE ? "" : "=", (int)strcspn(which[write->kind], "\n"),
		 which[write->kind]);
	device_file(write->address, "writes", path);
	tree_folder_of(write->tree, path);
	tree_path(write->tree, path, full);
	fd = open(full, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dprintf(fd, "%s", line) < 0)
		tree_broken("write", full);
	close(fd);
}

/* Takes "sys/bus/pci/devices/ADDRESS/NAME" apart; false for another path. */
static bool split_path(const char *path, char address[NAME_SIZE], enum kind *kind)
{
	const char *name;

	if (!text_starts_with(path, DEVICES))
		return false;
	path += strlen(DEVICES);
	name = strchr(path, '/');
	if (!name)
		return false;
	snprintf(address, NAME_SIZE, "%.*s", (int)(name - path), path);
	*kind = strcmp(name, "/driver_override") == 0 ? OVERRIDE : UNBIND;
	return *kind == OVERRIDE || strcmp(name, "/driver/unbind") == 0;
}

/* The write itself, under the device's lock. */
static int write_locked(struct fake_write *write)
{
	bool last, after;
	int lock, r;
	char path[PATH_MAX];

	device_file(write->address, "lock", path);
	lock = take_lock(write->tree, path);
	bound_driver(write->tree, write->address, write->driver);
	read_override(write->tree, write->address, write->override);
	note_write(write);
	last = is_last_write(write->tree);
	after = tree_has(write->tree, ".fake/kill-after");
	if (last && !after)
		die();
	r = perform(write);
	if (last)
		die();
	close(lock);
	return r;
}

static int fake_write(const struct sysroot *root, const char *path, const char *value)
{
	struct tree tree = { .root = *root };
	char address[NAME_SIZE], folder[PATH_MAX];
	struct fake_write write = { .tree = &tree, .address = address, .value = value };
	pid_t parent = getppid();
	int on_death = 0, r;

	snprintf(tree.path, sizeof(tree.path), "%s", root->path);
	if (strcmp(path, "sys/bus/pci/drivers_probe") == 0) {
		write.kind = PROBE;
		snprintf(address, sizeof(address), "%s", value);
		tree_format(folder, DEVICES "%s", address);
		if (!tree_has(&tree, folder))
			return -ENODEV;
	} else if (!split_path(path, address, &write.kind)) {
		tree_broken("unexpected write to", path);
	} else if (!sysroot_exists(root, path)) {
		return -ENOENT;
	} else if (write.kind == UNBIND && strcmp(value, address) != 0) {
		return -ENODEV;
	}

	/* what the kernel does for a write is not cut off by the death of a parent */
	prctl(PR_GET_PDEATHSIG, &on_death);
	prctl(PR_SET_PDEATHSIG, 0);
	r = write_locked(&write);
	prctl(PR_SET_PDEATHSIG, on_death);
	if (on_death && getppid() != parent)
		kill(getpid(), on_death);
	return r;
}

/* ---- for the tests */

int fake_setup(void **state)
{
	struct fake_kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel)
		return -1;
	tree_make(&kernel->tree);
	kernel->tree.root.fake_write = fake_write;
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

	/* the driver is there already, with its module */
	unbound.driver = NULL;
	tree_add_device(&kernel->tree, &unbound);
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

void fake_misbehave(const struct fake_kernel *kernel, const char *address, const char *where,
		    const char *what)
{
	char path[PATH_MAX];

	tree_format(path, ".fake/%s/misbehave/%s", address, where);
	tree_file(&kernel->tree, path, "%s", what);
}

void fake_behave(const struct fake_kernel *kernel, const char *address, const char *where)
{
	char path[PATH_MAX];

	tree_format(path, ".fake/%s/misbehave/%s", address, where);
	tree_remove(&kernel->tree, path);
}

void fake_kill_at(const struct fake_kernel *kernel, unsigned number, bool after)
{
	tree_remove(&kernel->tree, ".fake/count");
	tree_file(&kernel->tree, ".fake/kill-at", "%u", number);
	tree_remove(&kernel->tree, ".fake/kill-after");
	if (after)
		tree_file(&kernel->tree, ".fake/kill-after", "yes");
}

void fake_loosen(const struct fake_kernel *kernel, const char *address)
{
	char path[PATH_MAX];

	device_file(address, "loose", path);
	tree_file(&kernel->tree, path, "loose");
	while (tree_has(&kernel->tree, path))
		clock_sleep_ms(5);
	/* the device's lock goes when the process has ended */
	device_file(address, "lock", path);
	close(take_lock(&kernel->tree, path));
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
