/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * use: processes that take packets from an interface themselves, and need no address for it: packet
 * sockets (packet(7)) and XDP programs (Documentation/networking/af_xdp.rst).
 */
#pragma once

#include "host/sysroot.h"

/*
 * Adds to `uses` a sentence for each process that has a packet socket on the interface, such as
 * "enp1s0 has a packet socket of process 812 (lldpd)": /proc/net/packet, packet_seq_show() in
 * net/packet/af_packet.c. One that is open on all interfaces does not count. 0 or -ENOMEM.
 */
int packet_sockets_find(const struct sysroot *root, const char *interface, unsigned index,
			struct strings *uses) must_check;

/* The id of the XDP program on an interface (IFLA_XDP), 0: it has none; in a tree too. 0 or -errno. */
int xdp_program_find(const struct sysroot *root, unsigned index, uint32_t *ret_id) must_check;
