/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: what the compiler is told of a function.
 * This room holds no domain word.
 */
#pragma once

/* The result says whether it worked: who does not care writes (void). */
#define must_check __attribute__((warn_unused_result))

/* No pointer that it takes may be NULL. */
#define nonnull_all __attribute__((nonnull))
