/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: the terminal that standard output is, if it is one.
 */
#pragma once

#include "report/devices.h"

/*
 * Its width, 80 where there is none; colour only on a terminal, and not with NO_COLOR in the
 * environment (no-color.org), nor with TERM=dumb.
 */
struct terminal terminal_of_output(void);
