/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: the three standard streams of a process.
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
