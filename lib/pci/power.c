/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: power states and links. Wakes nothing. */
#include "pci/power.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "pci/device.h"

static void read_word(const struct sysroot *root, int folder, const char *name, char *ret,
		      size_t size)
{
	cleanup_free char *value = NULL;

	*ret = '\0';
	if (sysroot_read_attribute_in(root, folder, name, &value) == 0 && strlen(value) < size)
		memcpy(ret, value, strlen(value) + 1);
}

void pci_power_read_in(const struct sysroot *root, int folder, struct pci_power *ret)
{
	read_word(root, folder, "power_state", ret->state, sizeof(ret->state));
	read_word(root, folder, "power/runtime_status", ret->status, sizeof(ret->status));
	read_word(root, folder, "power/control", ret->control, sizeof(ret->control));
}

void pci_power_read(const struct sysroot *root, const char *address, struct pci_power *ret)
{
	cleanup_close int folder = pci_folder_open(root, address);

	*ret = (struct pci_power){ 0 };
	if (folder >= 0)
		pci_power_read_in(root, folder, ret);
}

bool pci_power_is_awake(const struct pci_power *power)
{
	if (*power->status && strcmp(power->status, "active") != 0 &&
	    strcmp(power->status, "unsupported") != 0)
		return false;
	return *power->state ? strcmp(power->state, "D0") == 0 : *power->status;
}

/* "8.0 GT/s PCIe"; before Linux 5.7 "8 GT/s". "Unknown" is none. */
static double read_speed(const struct sysroot *root, int folder, const char *name)
{
	char word[32];
	uint64_t whole, tenth = 0;
	size_t size;

	read_word(root, folder, name, word, sizeof(word));
	size = strspn(word, "0123456789");
	if (parse_number(word, size, 10, 10000, &whole) < 0)
		return 0;
	if (word[size] == '.' && parse_number(word + size + 1, 1, 10, 9, &tenth) < 0)
		return 0;
	return (double)whole + (double)tenth / 10;
}

/* 255, all ones, is read of a device that does not answer. */
static unsigned read_width(const struct sysroot *root, int folder, const char *name)
{
	char word[8];
	uint32_t width;

	read_word(root, folder, name, word, sizeof(word));
	return parse_u32(word, &width) == 0 && width <= 32 ? width : 0;
}

void pci_link_read_in(const struct sysroot *root, int folder, struct pci_link *ret)
{
	*ret = (struct pci_link){ .speed = read_speed(root, folder, "current_link_speed") };
	if (ret->speed <= 0)
		return;
	ret->speed_most = read_speed(root, folder, "max_link_speed");
	ret->width = read_width(root, folder, "current_link_width");
	ret->width_most = read_width(root, folder, "max_link_width");
}
