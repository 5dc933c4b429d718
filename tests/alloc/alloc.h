/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: an allocation of the library fails. What is linked with this has its calls of malloc(3) and the
 * like renamed (see the Makefile), so the tests' own do not count; jansson's do.
 */
#pragma once

/* The `number`th from now on (1: the next), in this process and its children, fails; 0: none does. */
void alloc_fail_at(unsigned long number);

/* How many there were since. */
unsigned long alloc_count(void);
