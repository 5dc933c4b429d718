# SPDX-License-Identifier: GPL-2.0-or-later
# systemd-journald, as far as the hook writes to it: journal.py SOCKET FILE takes datagrams of the native
# protocol and adds a JSON object a line to FILE, as 'journalctl -o json' prints them; made when it listens.
import json, os, socket, struct, sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
listener.bind(sys.argv[1])
now = 1764320000000000
with open(sys.argv[2], 'w') as journal:
    while True:
        rest = listener.recv(1 << 20)
        entry = {'__REALTIME_TIMESTAMP': str(now), '_UID': '0'}
        now += 1000000
        while rest:
            line, rest = rest.split(b'\n', 1)
            if b'=' in line:
                name, value = line.split(b'=', 1)
            else:
                size = struct.unpack('<Q', rest[:8])[0]
                name, value, rest = line, rest[8:8 + size], rest[8 + size + 1:]
            entry[name.decode()] = value.decode()
        journal.write(json.dumps(entry) + '\n')
        journal.flush()
