/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: the questions of pve-vfio rom fix, in the words of rom-fixer, which guides quote.
 */
#pragma once

#include "rom/fix.h"

/*
 * Asks on standard error, image by image, and reads the answers from standard input. -ECANCELED
 * when the input ends before the questions do: then nothing is to be written.
 */
int rom_ask(struct rom_fix *fix, struct error *err) must_check;
