#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a cluster in a tree, and says by Proxmox VE's own rules where each VM could start.

    cluster.py TREE SEED NODES VMS      writes /etc/pve below TREE, prints "VMID NODE yes|no" for each

The rules are written anew here, from pve-guest-common's Mapping/PCI.pm (get_node_mapping, assert_valid)
and qemu-server's PCI.pm (choose_hostpci_devices) and QemuServer.pm (check_local_resources): it shares
nothing with the program.
"""
import json
import os
import random
import sys
import time

tree, seed, node_count, vm_count = sys.argv[1], *map(int, sys.argv[2:5])
rng = random.Random(seed)
KINDS = [('10de:2484', '1462:3884', '030000'), ('10de:2204', '10de:147d', '030000'),
         ('8086:10d3', '8086:a01f', '020000'), ('144d:a80a', '144d:a801', '010802'),
         ('1002:73bf', '1002:0e3a', '030000')]


def write(path, text):
    path = os.path.join(tree, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)


nodes = [f'n{number}' for number in range(2, node_count + 2)]
online = {node: rng.random() > 0.05 for node in nodes}
devices = {}
for node in nodes:
    devices[node] = {}
    for slot in range(rng.randint(1, 6)):
        ident, subsystem, class_code = rng.choice(KINDS)
        for function in range(2 if rng.random() < 0.2 else 1):
            devices[node][f'0000:{slot + 1:02x}:00.{function}'] = {
                'id': ident, 'subsystem-id': subsystem, 'class': class_code,
                'iommugroup': None if rng.random() < 0.05 else slot + 10, 'mdev': rng.random() < 0.1}

# Mappings: most are right, as Proxmox VE's dialogue writes them; some are not.
mappings = {}
for number in range(max(3, node_count // 3)):
    entries = []
    for node in nodes:
        for _ in range(rng.choice([0, 1, 1, 2])):
            address = rng.choice(sorted(devices[node]))
            device = devices[node][address]
            entry = {'node': node, 'path': address, 'id': device['id'], 'subsystem-id': device['subsystem-id']}
            if device['iommugroup'] is not None:
                entry['iommugroup'] = str(device['iommugroup'])
            fault = rng.random()
            if fault < 0.04:
                entry['id'] = 'ffff:0001'
            elif fault < 0.08:
                entry['iommugroup'] = '99'
            elif fault < 0.11:
                del entry['subsystem-id']
            elif fault < 0.14:
                entry['path'] = '0000:7f:00.0'
            elif fault < 0.16:
                entry['id'] = entry['id'].upper().replace('10DE', '10DF')
            elif fault < 0.20:
                entry['path'] = address[:-2]
            elif fault < 0.24 and len(devices[node]) > 1:
                entry['path'] += ';' + rng.choice([a for a in sorted(devices[node]) if a != address])
            entries.append(entry)
    if entries:
        mappings[f'map{number}'] = {'mdev': rng.random() < 0.1, 'entries': entries}
text = ''
for name, mapping in mappings.items():
    text += f'{name}\n'
    for entry in mapping['entries']:
        text += '\tmap ' + ','.join(f'{key}={value}' for key, value in sorted(entry.items())) + '\n'
    if mapping['mdev']:
        text += '\tmdev 1\n'
    text += '\n'
write('etc/pve/mapping/pci.cfg', text)


def valid(mapping, entry):
    for position, path in enumerate(entry['path'].split(';')):
        address = path if '.' in path else path + '.0'
        device = devices[entry['node']].get(address)
        if not device:
            return False
        expected = {'id': device['id'], 'subsystem-id': device['subsystem-id'], 'mdev': device['mdev']}
        configured = {'id': entry['id'], 'subsystem-id': entry.get('subsystem-id'), 'mdev': mapping['mdev']}
        if position == 0:
            group = device['iommugroup']
            expected['iommugroup'] = None if group is None else str(group)
            configured['iommugroup'] = entry.get('iommugroup')
        if expected != configured:
            return False
    return True


def functions(node, path):
    """The functions that a path passes: one, or all of the slot."""
    return {address for address in devices[node] if address == path or ('.' not in path and address[:-2] == path)}


def could_start(lines, home, node):
    if not online[node]:
        return False
    taken = set()
    for kind, value in lines:
        if kind == 'host':
            if node != home:
                return False
            have = functions(node, value)
            if not have or have & taken:
                return False
            taken |= have
            continue
        mapping = mappings.get(value)
        own = [entry for entry in mapping['entries'] if entry['node'] == node] if mapping else []
        if not own or not all(valid(mapping, entry) for entry in own):
            return False
        for entry in own:
            wants = set().union(*(functions(node, path) for path in entry['path'].split(';')))
            if not wants & taken:
                taken |= wants
                break
        else:
            return False
    return True


for number in range(vm_count):
    vmid, home = 100 + number, rng.choice(nodes)
    lines = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        if rng.random() < 0.15:
            address = rng.choice(sorted(devices[home]) + ['0000:66:00.0'])
            lines.append(('host', address if rng.random() < 0.7 else address[:-2]))
        else:
            lines.append(('mapping', rng.choice(sorted(mappings) + ['absent'] if rng.random() < 0.1 else sorted(mappings))))
    write(f'etc/pve/nodes/{home}/qemu-server/{vmid}.conf', ''.join(
        f'hostpci{i}: {value if kind == "host" else "mapping=" + value}\n' for i, (kind, value) in enumerate(lines)) +
        f'name: vm{vmid}\n')
    for node in nodes:
        print(vmid, node, 'yes' if could_start(lines, home, node) else 'no')

for node in nodes:
    write(f'etc/pve/pve-vfio/nodes/{node}.json', json.dumps({
        'format': 1, 'node': node, 'version': '0.2.0', 'qemu_server': '9.1.13', 'kernel': '6.14.8-2-pve',
        'written': int(time.time()), 'hooks': {'local': '0.2.0'}, 'left_out': 0, 'devices': [
            {'address': address, 'id': device['id'], 'subsystem_id': device['subsystem-id'],
             'class': device['class'], 'group': device['iommugroup'], 'name': 'a device', 'pass': 'yes',
             'why': None, 'mdev': device['mdev']} for address, device in sorted(devices[node].items())]}))
write('etc/pve/.members', json.dumps({
    'nodename': 'pve1', 'version': 5,
    'cluster': {'name': 'c', 'version': 3, 'nodes': node_count, 'quorate': 1},
    'nodelist': {node: {'id': i + 1, 'online': int(online[node]), 'ip': f'10.0.0.{i % 250}'}
                 for i, node in enumerate(nodes)}}))
