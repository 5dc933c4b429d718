/* SPDX-License-Identifier: GPL-2.0-or-later */
/* coverage: _exit() that writes the counts first; linked in by -Wl,--wrap=_exit. */
#include <gcov.h>

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
	__gcov_dump();
	__real__exit(status);
}
