/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: PVE's file of reservations. Each id is there once. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pve/reservation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_reservations struct reservations reservations = { 0 };
	struct error err = { 0 };

	if (reservations_parse((const char *)data, size, &reservations, &err) < 0)
		return 0;
	for (size_t i = 1; i < reservations.count; i++)
		if (strcmp(reservations.items[i - 1].id, reservations.items[i].id) == 0)
			abort();
	return 0;
}
