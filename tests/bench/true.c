/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench: a static program that does nothing. */
int main(void)
{
	return 0;
}
