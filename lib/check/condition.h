/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: the conditions under which a known trouble is one: members of its entry in quirks.json. All
 * that an entry has must be met. pve-vfio(8), "Known troubles", lists them.
 */
#pragma once

#include "check/quirks.h"

/*
 * Whether the conditions of an entry are conditions; a key that is neither one nor in `others`, of
 * which there are at most seven, is an error. -EBADMSG with what is wrong.
 */
int conditions_check(json_t *entry, const char *const others[], struct error *err) must_check;

/*
 * Whether all others are met; the entry has been checked. Those of the host need no device. See
 * quirk_applies().
 */
bool conditions_meet_host(json_t *entry, const struct quirk_target *target);
bool conditions_meet_device(json_t *entry, const struct quirk_target *target);
