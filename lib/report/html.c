/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: words in HTML. */
#include "report/html.h"

#include <string.h>

/* No "::" in here: it would look like an address to anonymise(). */
static const char style[] =
	":root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--soft:#59636e;--line:#c8d1da;"
	"--box:#f4f6f8;--ok:#1a7f37;--info:#0969da;--warning:#9a6700;--error:#cf222e;"
	"--unknown:#8250df;--vital:#ffebe9}"
	"@media(prefers-color-scheme:dark){:root{--back:#0d1117;--text:#e6edf3;--soft:#9198a1;"
	"--line:#3d444d;--box:#161b22;--ok:#3fb950;--info:#58a6ff;--warning:#d29922;"
	"--error:#ff7b72;--unknown:#bc8cff;--vital:#3c1618}}"
	"@media print{:root{--back:#fff;--text:#000;--soft:#444;--line:#999;--box:#f4f4f4;"
	"--ok:#1a7f37;--info:#0969da;--warning:#7d4e00;--error:#b31d28;--unknown:#6639ba;"
	"--vital:#fdecea}.verdict,.device,.group,tr{break-inside:avoid}main{max-width:none}}"
	"*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--text);"
	"font:15px/1.45 system-ui,sans-serif}main{max-width:72rem;margin:0 auto;padding:1.5rem}"
	"h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1.25rem;margin:2rem 0 .5rem;"
	"border-bottom:1px solid var(--line);padding-bottom:.2rem}"
	"h3{font-size:1rem;margin:1.2rem 0 .3rem}"
	"code,pre,.mono{font-family:ui-monospace,monospace;font-size:.88em}"
	"pre{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:.7rem;"
	"overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}"
	".versions{color:var(--soft);margin:0;padding:0;list-style:none;display:flex;"
	"flex-wrap:wrap;gap:.2rem 1.2rem}"
	".verdict{display:grid;grid-template-columns:5.2rem 1fr;gap:.1rem .6rem;padding:.25rem 0;"
	"border-top:1px solid var(--line)}"
	".mark{font-weight:600;font-size:.85em;padding-top:.1em}"
	".remedy{grid-column:2;color:var(--soft)}"
	".ok{color:var(--ok)}.info{color:var(--info)}.warning{color:var(--warning)}"
	".error{color:var(--error)}.unknown{color:var(--unknown)}"
	"table{border-collapse:collapse;width:100%;font-size:.9em}"
	"th,td{text-align:left;vertical-align:top;padding:.3rem .5rem;"
	"border-bottom:1px solid var(--line);overflow-wrap:anywhere}"
	"th{color:var(--soft);font-weight:600}.verdict>div{overflow-wrap:anywhere;min-width:0}"
	"@media(max-width:40rem){main{padding:.8rem}.verdict{grid-template-columns:1fr}"
	".remedy{grid-column:1}.bus,.bridge,.group{padding:.3rem}}"
	".yes{color:var(--ok);font-weight:600}.with{color:var(--warning);font-weight:600}"
	".no{color:var(--error);font-weight:600}"
	".bus,.bridge,.group{border:1px solid var(--line);border-radius:8px;padding:.5rem;"
	"margin:.4rem 0;min-width:0}.bus{background:var(--box)}.bridge{background:var(--back)}"
	".group{border:2px dashed var(--info);background:var(--box)}"
	".label{font-size:.78rem;color:var(--soft);overflow-wrap:anywhere}"
	".row{display:flex;flex-wrap:wrap;gap:.5rem;align-items:flex-start}"
	".row>*{flex:1 1 min(15rem,100%);min-width:0}"
	".device{border:1px solid var(--line);border-left:5px solid var(--ok);border-radius:6px;"
	"padding:.35rem .5rem;background:var(--back);margin:.3rem 0;overflow-wrap:anywhere}"
	".device.not{border-left-color:var(--error)}.device.go{border-left-color:var(--warning)}"
	".device.vital{background:var(--vital)}"
	".tag{display:inline-block;border:1px solid currentColor;border-radius:999px;"
	"padding:0 .5em;font-size:.75rem;font-weight:600}"
	".legend{color:var(--soft);font-size:.88em}";

const char *html_style(void)
{
	return style;
}

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
