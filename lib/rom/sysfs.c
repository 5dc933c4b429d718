/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: the attribute `rom` of a PCI device. Leaves nothing turned on. */
#include "rom/sysfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/lanes.h"
#include "base/number.h"
#include "rom/image.h"

/* Waking a device and reading a slow flash chip take their time. */
#define DEADLINE_MS 15000
#define WAKE_MS	    3000

/* Lines of `resource`: six BARs, then the ROM (linux pci.h, PCI_ROM_RESOURCE). */
#define RESOURCE_ROM   6
#define SHADOW_START   0xc0000

#define CONFIG_COMMAND 0x04
#define COMMAND_MEMORY 0x02

/*
 * What turns the ROM off: up to 6.12 the kernel takes nothing but these two bytes for it, and
 * anything else, "0" alone included, for turning it on.
 */
#define ROM_OFF "0\n"
#define ROM_ON	"1\n"

/* What a child hands to its parent: memory that both see. */
struct shared {
	size_t size;
	char data[ROM_SIZE_MAX];
};

/* What the child was at when it failed. */
enum reading_step {
	STEP_WAKE,
	STEP_ENABLE,
	STEP_TURN_ON,
	STEP_READ,
	STEP_TURN_OFF,
};

struct outcome {
	enum reading_step step;
	int result;
};

struct reading {
	const struct sysroot *root;
	const struct pci_device *device;
	struct shared *shared;
	bool only_off; /* turn off what an earlier child may have left on */
};

static int write_to(const struct reading *reading, const char *name, const char *value)
{
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, reading->device->name, name);
	return sysroot_write_attribute(reading->root, path, value);
}

static int read_from(const struct reading *reading, const char *name, char **ret)
{
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, reading->device->name, name);
	return sysroot_read_attribute(reading->root, path, ret);
}

/* The range of the ROM BAR: both 0 where the device has none, start 0 where it has no address. */
static int read_range(const struct sysroot *root, const char *address, uint64_t *ret_start,
		      uint64_t *ret_end)
{
	cleanup_free char *value = NULL;
	char path[SYSROOT_PATH_MAX], *rest, *line = NULL, *start, *end;
	int r;

	pci_attribute_path(path, address, "resource");
	r = sysroot_read_attribute(root, path, &value);
	if (r < 0)
		return r;
	rest = value;
	for (unsigned i = 0; i <= RESOURCE_ROM; i++)
		line = strsep(&rest, "\n");
	start = strsep(&line, " ");
	end = strsep(&line, " ");
	if (!start || !end || strlen(start) < 3 || strlen(end) < 3)
		return -EBADMSG;
	/* behind the 0x of each */
	r = parse_number(start + 2, strlen(start + 2), 16, UINT64_MAX, ret_start);
	return r < 0 ? r : parse_number(end + 2, strlen(end + 2), 16, UINT64_MAX, ret_end);
}

bool rom_is_shadowed(const struct sysroot *root, const char *address)
{
	uint64_t start, end;

	return read_range(root, address, &start, &end) == 0 && start == SHADOW_START;
}

static bool is_awake(const struct reading *reading)
{
	cleanup_free char *state = NULL;

	/* kernels before 5.11 do not tell */
	return read_from(reading, "power_state", &state) < 0 || !text_starts_with(state, "D3");
}

/* Wakes the device, and says in *ret_control what power/control was; NULL: it was awake. */
static int wake(const struct reading *reading, char **ret_control)
{
	struct deadline deadline = deadline_in_ms(WAKE_MS);
	unsigned step = 0;
	int r;

	if (is_awake(reading))
		return 0;
	r = read_from(reading, "power/control", ret_control);
	if (r == 0)
		r = write_to(reading, "power/control", "on");
	while (r == 0 && !is_awake(reading) && deadline_wait_step(deadline, &step))
		continue;
	return r;
}

/* A device without a driver may not decode memory; 1 when it was made to. */
static int enable_device(const struct reading *reading)
{
	cleanup_free char *enabled = NULL;
	int r;

	if (reading->device->driver || read_from(reading, "enable", &enabled) < 0 ||
	    !text_equal(enabled, "0"))
		return 0;
	r = write_to(reading, "enable", "1");
	return r < 0 ? r : 1;
}

static int read_rom(const struct reading *reading)
{
	cleanup_free char *data = NULL;
	char path[SYSROOT_PATH_MAX];
	size_t size;
	int r;

	pci_attribute_path(path, reading->device->name, "rom");
	r = sysroot_read(reading->root, path, ROM_SIZE_MAX, &data, &size);
	if (r < 0)
		return r;
	memcpy(reading->shared->data, data, size);
	reading->shared->size = size;
	return 0;
}

/* Turns the ROM on and, whatever comes of it, off again. The first fault is the outcome. */
static struct outcome switch_and_read(const struct reading *reading)
{
	struct outcome outcome = { STEP_TURN_ON, write_to(reading, "rom", ROM_ON) };
	int r;

	if (outcome.result == 0)
		outcome = (struct outcome){ STEP_READ, read_rom(reading) };
	r = write_to(reading, "rom", ROM_OFF);
	if (outcome.result == 0 && r < 0)
		outcome = (struct outcome){ STEP_TURN_OFF, r };
	return outcome;
}

/* Changes, reads, and puts back in reverse order, whatever fails in between. */
static struct outcome read_prepared(const struct reading *reading)
{
	cleanup_free char *control = NULL;
	struct outcome outcome = { STEP_WAKE, wake(reading, &control) };
	bool enabled = false;

	if (outcome.result == 0) {
		int r = enable_device(reading);

		enabled = r > 0;
		outcome = (struct outcome){ STEP_ENABLE, r < 0 ? r : 0 };
	}
	if (outcome.result == 0)
		outcome = switch_and_read(reading);
	if (enabled)
		(void)write_to(reading, "enable", "0");
	if (control && !text_equal(control, "on"))
		(void)write_to(reading, "power/control", control);
	return outcome;
}

/* A recorded tree has nothing to be turned on, and is not to be written to. */
static bool is_recording(const struct sysroot *root)
{
	return !root->live && !root->fake_write;
}

/* The child. */
static void run(int fd, void *work, void *context)
{
	const struct reading *reading = work;
	struct lane_report report = { 0 };
	struct outcome outcome = { STEP_TURN_OFF, 0 };

	(void)context;
	if (reading->only_off)
		outcome.result = write_to(reading, "rom", ROM_OFF);
	else if (is_recording(reading->root))
		outcome = (struct outcome){ STEP_READ, read_rom(reading) };
	else
		outcome = read_prepared(reading);
	report.step = outcome.step;
	report.result = outcome.result;
	lane_send(fd, &report);
}

static void receive(const struct lane_report *report, struct lane *lane, void *context)
{
	struct outcome *outcome = context;

	(void)lane;
	*outcome = (struct outcome){ (enum reading_step)report->step, report->result };
}

/* `path`: what one that was late waited for. */
static enum lane_end run_child(struct reading *reading, struct outcome *ret,
			       char path[LANE_PATH_MAX])
{
	static const struct lanes_callbacks callbacks = { .run = run, .report = receive };
	struct lane lane = { .work = reading };
	int r;

	*ret = (struct outcome){ STEP_WAKE, -ETIMEDOUT };
	r = lanes_run(&lane, 1, DEADLINE_MS, &callbacks, ret);
	if (r < 0)
		*ret = (struct outcome){ STEP_WAKE, r };
	snprintf(path, LANE_PATH_MAX, "%s", *lane.path ? lane.path : "the device");
	return lane.end;
}

/* What the device itself has to say to an error of input and output. */
static const char *explain_eio(const struct reading *reading)
{
	const struct sysroot *root = reading->root;
	const char *address = reading->device->name;
	cleanup_free char *config = NULL;
	char path[SYSROOT_PATH_MAX];
	uint64_t start, end;
	size_t size;

	if (!is_awake(reading))
		return "it sleeps (D3) and does not wake up; use it once, or boot with "
		       "'pcie_port_pm=off', and try again";
	if (read_range(root, address, &start, &end) == 0 && start == 0 && end != 0)
		return "its ROM BAR has no address, as the machine's firmware gave it none; boot "
		       "with 'pci=realloc', or use a ROM file from elsewhere";
	pci_attribute_path(path, address, "config");
	if (sysroot_read(root, path, ATTRIBUTE_MAX, &config, &size) == 0 && size > CONFIG_COMMAND) {
		struct bytes space = { (const uint8_t *)config, size };

		if (bytes_u16(space, 0) == UINT16_MAX)
			return "it no longer answers; restart the machine";
		if (!(bytes_u8(space, CONFIG_COMMAND) & COMMAND_MEMORY))
			return "it does not answer to memory addresses; let its driver start it, "
			       "or unbind it, and try again";
	}
	return "the kernel finds no option ROM in it ('dmesg' has the first bytes); a machine "
	       "booted with another display, or in legacy mode, may show one";
}

static int explain(const struct reading *reading, struct outcome outcome, struct error *err)
{
	static const char *const attempts[] = {
		[STEP_WAKE] = "cannot wake the device",
		[STEP_ENABLE] = "cannot make the device answer to memory addresses",
		[STEP_TURN_ON] = "cannot turn its ROM on",
		[STEP_READ] = "cannot read its ROM",
		[STEP_TURN_OFF] = "its ROM was read, but cannot be turned off again",
	};
	const char *attempt = attempts[outcome.step];
	int r = outcome.result;

	if (r == -EIO && outcome.step == STEP_READ)
		return error_set(err, r, "%s: %s", attempt, explain_eio(reading));
	if (r == -EINVAL && outcome.step == STEP_READ)
		return error_set(err, r, "%s: something else turned it off meanwhile; try again",
				 attempt);
	return error_set(err, r, "%s: %s%s", attempt, strerror(-r),
			 r == -EACCES  ? "; run this as root"
			 : r == -EPERM ? "; the kernel is locked down, or this is not run by root"
				       : "");
}

static int read_in_child(struct reading *reading, char **ret_data, size_t *ret_size,
			 struct error *err)
{
	struct outcome outcome, ignored;
	char path[LANE_PATH_MAX], other[LANE_PATH_MAX];
	enum lane_end end = run_child(reading, &outcome, path);
	char *data;

	if (end == LANE_STUCK)
		return error_set(err, -ETIMEDOUT,
				 "%s hangs in the device's driver, and its ROM may be turned on; "
				 "restart the machine",
				 path);
	if (end != LANE_FINISHED) {
		reading->only_off = true;
		run_child(reading, &ignored, other);
		return error_set(err, -ETIMEDOUT, "%s did not answer within %d s", path,
				 DEADLINE_MS / 1000);
	}
	if (outcome.result == 0 && reading->shared->size == 0)
		outcome = (struct outcome){ STEP_READ, -EIO };
	if (outcome.result < 0)
		return explain(reading, outcome, err);
	data = malloc(reading->shared->size);
	if (!data)
		return error_set_memory(err);
	memcpy(data, reading->shared->data, reading->shared->size);
	*ret_data = data;
	*ret_size = reading->shared->size;
	return 0;
}

int rom_sysfs_read(const struct sysroot *root, const struct pci_device *device, char **ret_data,
		   size_t *ret_size, struct error *err)
{
	struct reading reading = { .root = root, .device = device };
	char path[SYSROOT_PATH_MAX];
	int r;

	pci_attribute_path(path, device->name, "rom");
	if (!sysroot_exists(root, path))
		return error_set(err, -ENOENT, "the device has no ROM of its own (no '/%s')", path);
	/* Pages that are not touched cost nothing. */
	reading.shared = mmap(NULL, sizeof(*reading.shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reading.shared == MAP_FAILED)
		return error_set_memory(err);
	r = read_in_child(&reading, ret_data, ret_size, err);
	munmap(reading.shared, sizeof(*reading.shared));
	return r;
}
