/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: words in HTML. */
#pragma once

#include "base/text.h"

/* Adds words with what HTML would take for its own replaced. */
void html_add(struct text *html, const char *words);

/* How our pages look: for a screen, a phone and paper, light and dark. */
const char *html_style(void);
