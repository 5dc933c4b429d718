/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coverage: _exit() that writes the counts first, which needs files: so nobody enters a cage but the test of it.
 * Linked in by -Wl,--wrap=_exit,--wrap=cage_enter.
 */
#include <errno.h>
#include <gcov.h>
#include <string.h>

#include "base/cage.h"

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
void __real_cage_enter(const struct cage *cage, unsigned calls);
void __wrap_cage_enter(const struct cage *cage, unsigned calls);

_Noreturn void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}

void __wrap_cage_enter(const struct cage *cage, unsigned calls)
{
	if (strcmp(program_invocation_short_name, "test_change_reach") == 0)
		__real_cage_enter(cage, calls);
}
