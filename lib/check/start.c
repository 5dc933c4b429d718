/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: the checks of a start, one after another. */
#include "check/check.h"

static int (*const topics[])(const struct check_start *start, struct findings *findings,
			     struct error *err) = {
	check_config,
	check_device,
	check_owner,
	check_romfile,
};

int check_start_run(const struct check_start *start, struct findings *findings, struct error *err)
{
	for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++) {
		int r = topics[i](start, findings, err);

		if (r < 0)
			return r;
	}
	return 0;
}
