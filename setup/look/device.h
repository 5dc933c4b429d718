/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: all there is to know of one device, for 'devices ADDRESS'.
 */
#pragma once

#include "report/devices.h"
#include "setup/setup.h"

/*
 * Prints the functions that the command's argument means ("0000:01:00.0", "01:00.0", "01:00" for all
 * of it). -ENODEV, with words, where there is none.
 */
/* Whether the word is an address of that form. */
bool device_is_address(const char *word);

int device_print(struct command *command, const struct pve_node *node,
		 const struct device_rows *rows, struct error *err) must_check;
