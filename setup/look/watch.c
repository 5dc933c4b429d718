/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio status --watch. Looks again and again; changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "pci/driver.h"
#include "setup/look/status.h"

/* A journal that is replaced or removed is seen at once, a driver that changes after that. */
#define PERIOD_MS 1000

__attribute__((format(printf, 2, 3))) static void tell(const json_t *vm, const char *format, ...)
{
	time_t now = time(NULL);
	char clock[32] = "";
	va_list arguments;
	struct tm parts;

	if (localtime_r(&now, &parts))
		(void)strftime(clock, sizeof(clock), "%H:%M:%S", &parts);
	printf("%s VM %d: ", clock, (int)json_integer_value(json_object_get(vm, "vmid")));
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

static const char *member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* The object of an array that has the same value there, or NULL. */
static const json_t *find_same(json_t *array, const json_t *object, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach(array, i, item)
		if (json_equal(json_object_get(item, name), json_object_get(object, name)))
			return item;
	return NULL;
}

static void tell_driver(const json_t *vm, const char *address, const char *before, const char *now)
{
	if (!text_equal(before, now))
		tell(vm, "%s %s -> %s", address, before ? before : "no driver",
		     now ? now : "no driver");
}

/* Of a VM whose journal is gone nothing else says what its devices have become. */
static void tell_gone(struct command *command, const json_t *vm)
{
	size_t i;
	json_t *device;

	json_array_foreach(json_object_get(vm, "devices"), i, device) {
		const char *address = member(device, "address");
		cleanup_free char *driver = NULL;

		if (pci_driver_read(&command->root, address, &driver) == 0)
			tell_driver(vm, address, member(device, "driver"), driver);
	}
	tell(vm, "holds no devices any more");
}

/* `before`: NULL for a VM that had none. */
static void tell_vm(const json_t *before, const json_t *now)
{
	const char *phase = member(now, "phase"), *fault = member(now, "fault");
	bool busy = json_is_true(json_object_get(now, "at_work")) ||
		    json_is_true(json_object_get(now, "locked"));
	size_t i;
	json_t *device;

	if (!text_equal(before ? member(before, "phase") : NULL, phase))
		tell(now, "%s", phase);
	json_array_foreach(json_object_get(now, "devices"), i, device) {
		const json_t *was =
			before ? find_same(json_object_get(before, "devices"), device, "address")
			       : NULL;

		tell_driver(now, member(device, "address"),
			    was ? member(was, "driver") : member(device, "before"),
			    member(device, "driver"));
	}
	/* a phase that is still running reports its own faults */
	if (fault && !busy && !text_equal(before ? member(before, "fault") : NULL, fault))
		tell(now, "%s", fault);
}

static void tell_changes(struct command *command, json_t *before, json_t *now)
{
	size_t i;
	json_t *vm;

	json_array_foreach(now, i, vm) {
		tell_vm(find_same(before, vm, "vmid"), vm);
	}
	json_array_foreach(before, i, vm)
		if (!find_same(now, vm, "vmid"))
			tell_gone(command, vm);
}

/* Until a journal changes, or the time has passed. */
static void wait_for_change(struct command *command, int events, bool *watched)
{
	struct pollfd polled = { .fd = events, .events = POLLIN };
	char buffer[4096], path[64];

	if (!*watched) {
		cleanup_close int folder =
			sysroot_openat(&command->root, "run/pve-vfio", O_RDONLY | O_DIRECTORY);

		snprintf(path, sizeof(path), "/proc/self/fd/%d", folder);
		*watched = folder >= 0 &&
			   inotify_add_watch(events, path, IN_MOVED_TO | IN_DELETE) >= 0;
	}
	if (poll(&polled, 1, PERIOD_MS) > 0)
		while (read(events, buffer, sizeof(buffer)) > 0)
			continue;
}

int status_watch(struct command *command, uint32_t vmid, struct error *err)
{
	cleanup_close int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	cleanup_json json_t *before = json_array();
	bool watched = events < 0;
	int r = status_look(command, vmid, before, NULL, err);

	if (r == 0)
		r = status_look(command, vmid, NULL, NULL, err);
	while (r == 0 && fflush(stdout) == 0) {
		json_t *now = json_array();

		wait_for_change(command, events, &watched);
		r = status_look(command, vmid, now, NULL, err);
		if (r == 0)
			tell_changes(command, before, now);
		json_decref(before);
		before = now;
	}
	return r;
}
