#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Stand-in for the monitor of a VM's QEMU: answers what pve-vfio asks of one, client after client.
#
#   tests/cli/monitor.py SOCKET CONTROL
#
# CONTROL is read anew for each command, lines KEY VALUE: machine (q35, pc), version (10.1), status
# (running), migrate (none), guest (obeys, deaf: neither switches a device on nor lets go of one),
# refuse (what device_add fails with), numbered (0: before the firmware), taken (ids of others, in their places).
# What it was asked, but for questions, is in CONTROL.log.
import json
import os
import socket
import sys

path, control = sys.argv[1:]
devices = {}


def settings():
    found = {'machine': 'q35', 'version': '10.1', 'status': 'running', 'migrate': '', 'guest': 'obeys',
             'refuse': '', 'numbered': '1', 'taken': ''}
    for line in open(control):
        key, _, value = line.strip().partition(' ')
        found[key] = value
    return found


def function(name, slot, number, mapped):
    return {'bus': 0, 'slot': slot, 'function': number, 'qdev_id': name, 'class_info': {'class': 512},
            'regions': [{'bar': 0, 'type': 'memory', 'size': 4096, 'address': 0xfe000000 if mapped else -1}]}


def behind(bus, found):
    there = [function(name, *place[1:]) for name, place in sorted(devices.items()) if place[0] == bus]
    return there + [function(name, 0, 0, True) for name in found['taken'].split() if f'{bus}' == name.split('@')[-1]]


def bridge(name, slot, number, found):
    secondary = slot if found['numbered'] == '1' else 0
    one = function(name, slot, number, False)
    one['pci_bridge'] = {'bus': {'number': 0, 'secondary': secondary, 'subordinate': secondary}}
    if secondary:
        one['pci_bridge']['devices'] = behind(name, found)
    return one


def query_pci(found):
    if found['machine'] == 'q35':
        return [{'bus': 0, 'devices': [bridge(f'ich9-pcie-port-{i + 1}', 28, i, found) for i in range(4)]}]
    return [{'bus': 0, 'devices': [bridge('pci.2', 31, 0, found)] + behind('pci.0', found)}]


def answer(command, arguments, found):
    if command == 'query-status':
        return {'return': {'status': found['status'], 'running': found['status'] == 'running'}}
    if command == 'query-migrate':
        return {'return': {'status': found['migrate']} if found['migrate'] else {}}
    if command == 'query-pci':
        return {'return': query_pci(found)}
    if command not in ('device_add', 'device_del'):
        return {'return': {}}
    with open(control + '.log', 'a') as log:
        print(command, json.dumps(arguments, sort_keys=True), file=log)
    name = arguments['id']
    if command == 'device_add':
        if found['refuse']:
            return {'error': {'class': 'GenericError', 'desc': found['refuse']}}
        slot, _, number = arguments['addr'].partition('.')
        devices[name] = (arguments['bus'], int(slot, 16), int(number), found['guest'] == 'obeys')
        return {'return': {}}
    if name not in devices:
        return {'error': {'class': 'DeviceNotFound', 'desc': f"Device '{name}' not found"}}
    if found['guest'] == 'obeys':
        for other in [other for other in devices if other.split('.')[0] == name.split('.')[0]]:
            del devices[other]
    return {'return': {}}


def talk(client):
    found = settings()
    major, minor = found['version'].split('.')
    stream = client.makefile('rw', encoding='utf-8', newline='\n')
    print(json.dumps({'QMP': {'version': {'qemu': {'major': int(major), 'minor': int(minor), 'micro': 0},
                                          'package': ''}, 'capabilities': []}}), file=stream, flush=True)
    for line in stream:
        message = json.loads(line)
        document = answer(message['execute'], message.get('arguments', {}), settings())
        print(json.dumps(dict(document, id=message['id'])), file=stream, flush=True)


if os.path.exists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(1)
while True:
    connection, _ = listener.accept()
    try:
        talk(connection)
    except OSError:
        pass
    connection.close()
