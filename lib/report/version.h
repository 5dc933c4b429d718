/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: what --version prints.
 */
#pragma once

/* "PROGRAM VERSION" and a line with the libraries linked in; the caller frees it. */
char *version_words(const char *program);
