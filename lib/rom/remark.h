/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom: what else a person should know about an option ROM; a part of rom/verdict.h.
 *
 * Sources: ids of 0000 are in NVIDIA's EFI images and ffff in Intel's and in those made with EfiRom
 * without ids (seen in published ROMs); PCI Firmware Specification 3.3, 5.1.2 (device list).
 */
#pragma once

#include "rom/verdict.h"

/* Adds the remarks on a ROM that has images. Returns 0 or -ENOMEM. */
int rom_remarks_add(const struct rom *rom, const struct rom_target *target,
		    struct rom_judgement *judgement);

/*
 * Whether the ids of the image mean the device though they are not its own: an id of its slot or its
 * family, one that means any device, one read as decimal, or one that the device list adds.
 */
bool rom_ids_mean(const struct rom_image *image, const struct rom_target *target);
