#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""relay.py NETNS: the Internet of a test's network namespace, as far as package mirrors need it.

In the namespace (a file, as `ip netns` makes it) it answers every DNS question for an A record, on 198.51.100.1,
with an address of 198.51.100.0/24 that stands for the name, and takes TCP connections to ports 80 and 443 of these.
It leads them to the same port of that name, as the machine itself resolves and reaches it: so a VE whose network is
a test's gets packages from where the machine gets its own."""
import ctypes
import os
import socket
import sys
import threading

ROUTER, FIRST = "198.51.100.1", 10
names = []  # the N-th name that was asked for has the address FIRST + N
libc = ctypes.CDLL(None, use_errno=True)


def enter(fd):
    if libc.setns(fd, 0x40000000) < 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")


def question(packet):
    """The name in a query, and where its question ends."""
    at, labels = 12, []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii", "replace"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), at + 5


def answer(packet):
    name, end = question(packet)
    records = b""
    if packet[end - 4:end] == b"\0\1\0\1":  # A, IN
        if name not in names:
            names.append(name)
        address = bytes([198, 51, 100, FIRST + names.index(name)])
        records = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + address
    counts = b"\0\1" + (b"\0\1" if records else b"\0\0") + b"\0\0\0\0"
    return packet[:2] + b"\x81\x80" + counts + packet[12:end] + records


def serve_names(sock):
    while True:
        packet, peer = sock.recvfrom(4096)
        try:
            sock.sendto(answer(packet), peer)
        except (IndexError, ValueError):
            pass


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        sink.close()


def relay(inside):
    address, port = inside.getsockname()
    try:
        outside = socket.create_connection((names[int(address.split(".")[3]) - FIRST], port), 20)
        outside.settimeout(None)
    except (IndexError, OSError):
        inside.close()
        return
    threading.Thread(target=pump, args=(outside, inside), daemon=True).start()
    pump(inside, outside)


def serve_connections(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=relay, args=(connection,), daemon=True).start()


home = os.open("/proc/self/ns/net", os.O_RDONLY)
enter(os.open(sys.argv[1], os.O_RDONLY))
dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
dns.bind((ROUTER, 53))
listeners = [socket.create_server(("", port)) for port in (80, 443)]
enter(home)
for each in listeners:
    threading.Thread(target=serve_connections, args=(each,), daemon=True).start()
print("ready", flush=True)
serve_names(dns)
