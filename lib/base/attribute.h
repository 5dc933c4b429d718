/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: attributes of functions, for the compiler.
 * This room holds no domain word.
 */
#pragma once

/*
 * The result says whether it worked, and nobody here leaves it away. gcc warns of a (void), too: what
 * somebody may rightly pass over, such as a clean-up after another failure, is not marked.
 */
#define must_check __attribute__((warn_unused_result))

/* No pointer that it takes may be NULL. */
#define nonnull_all __attribute__((nonnull))
