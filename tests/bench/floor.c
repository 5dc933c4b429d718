/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench: the floor, the writes to sysfs that a device's change of hands is, and nothing else. It must
 * not look at what comes of them.
 *
 *   floor take ADDRESS...          to vfio-pci
 *   floor give ADDRESS=DRIVER...   back to a driver
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		perror(path);
	close(fd);
}

static void bind(const char *address, const char *driver)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", address);
	put(path, driver);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", address);
	put(path, address);
	put("/sys/bus/pci/drivers_probe", address);
}

static void give(char *what)
{
	char path[128], *driver = strchr(what, '=');

	if (!driver)
		return;
	*driver++ = '\0';
	bind(what, driver);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", what);
	put(path, "\n");
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[1], "take") == 0)
			bind(argv[i], "vfio-pci");
		else
			give(argv[i]);
	}
	return 0;
}
