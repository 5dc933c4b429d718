/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the three standard streams of a process, and what else it has open.
 * This room holds no domain word.
 */
#pragma once

/*
 * Opens each of the three that is closed on /dev/null: the first file that a program opens would
 * get its number, and take what is meant for the stream. Where there is no /dev/null they lead to a
 * descriptor that can be neither read nor written (O_PATH in open(2)). The first thing of main().
 */
void streams_open(void);

/* The three lead nowhere from now on, and keep no pipe of the caller's open. */
void streams_silence(void);

/*
 * Closes all but the standard streams, `keep` and `other`; -1 is none. Also where the kernel does not
 * know close_range(2), before Linux 5.9, or a filter refuses it.
 */
void streams_close_others(int keep, int other);
