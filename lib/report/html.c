/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: words in HTML. */
#include "report/html.h"

#include <string.h>

void html_add(struct text *html, const char *words)
{
	for (const char *at = words; *at;) {
		size_t size = strcspn(at, "<>&\"");

		text_add(html, "%.*s", (int)size, at);
		at += size;
		if (*at)
			text_add(html, "%s",
				 *at == '<'   ? "&lt;"
				 : *at == '>' ? "&gt;"
				 : *at == '&' ? "&amp;"
					      : "&quot;");
		at += *at != '\0';
	}
}
