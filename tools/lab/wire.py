"""How a phone's messages travel: datagrams, or streams of TCP and TLS with the connections it made and
took. A stream keeps what came on which connection, for tests of reuse."""

import contextlib
import re
import select
import socket
import ssl
import threading

LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d+)[ \t]*\r$", re.I | re.M)


def open_wire(host, address, port, transport="udp", tls=None):
    """`tls`: a pair of contexts, to connect and to accept with, for the transport tls."""
    if transport == "udp":
        return Datagrams(host.socket(port, address=address))
    return Streams(host, address, port, tls if transport == "tls" else (None, None))


class Datagrams:
    def __init__(self, opened):
        self.socket = opened

    def close(self):
        self.socket.close()

    def send(self, data, target):
        with contextlib.suppress(OSError):
            self.socket.sendto(data, target)

    def messages(self, wake):
        """(data, source) of each, until `wake` can be read."""
        while True:
            ready, _, _ = select.select([self.socket, wake], [], [])
            if wake in ready:
                return
            with contextlib.suppress(ConnectionRefusedError):
                yield self.socket.recvfrom(65535)


class Connection:
    def __init__(self, opened, peer, is_ours):
        self.socket, self.peer, self.is_ours = opened, peer, is_ours
        self.waiting = b""
        self.messages = []  # that came on it
        self.pongs = 0

    def feed(self, data):
        """The whole messages there are now."""
        self.waiting += data
        found = []
        while True:
            while self.waiting.startswith(b"\r\n"):
                self.waiting = self.waiting[2:]
                self.pongs += 1
            head, end, rest = self.waiting.partition(b"\r\n\r\n")
            size = LENGTH.search(head + b"\r\n")
            if not end or not size or len(rest) < int(size[1]):
                return found
            length = len(head) + 4 + int(size[1])
            found.append(self.waiting[:length])
            self.waiting = self.waiting[length:]
            self.messages.append(found[-1])


class Streams:
    """Sends on the newest connection to that address, else to its host, else on a new one."""

    def __init__(self, host, address, port, tls):
        self.host, self.address, (self.client, self.server) = host, address, tls
        self.listener = host.socket(port, socket.SOCK_STREAM, address)
        self.listener.listen(64)
        self.connections, self.lock = [], threading.RLock()
        self.news, self.tell = socket.socketpair()  # a connection was made

    def close(self):
        with self.lock:
            for one in [self.listener, self.news, self.tell, *(it.socket for it in self.connections)]:
                one.close()
            self.connections = []

    def connect(self, target):
        opened = self.host.socket(0, socket.SOCK_STREAM, self.address)
        opened.settimeout(5)
        opened.connect(target)
        if self.client:
            opened = self.client.wrap_socket(opened, server_hostname=target[0])
        return self._keep(Connection(opened, target, True))

    def _keep(self, made):
        with self.lock:
            self.connections.append(made)
        with contextlib.suppress(OSError):
            self.tell.send(b".")
        return made

    def find(self, target):
        with self.lock:
            near = [one for one in self.connections if one.peer[0] == target[0]]
            return next((one for one in reversed(near) if one.peer[1] == target[1]),
                        near[-1] if near else None)

    def send(self, data, target):
        with contextlib.suppress(OSError):
            (self.find(target) or self.connect(target)).socket.sendall(data)

    def drop(self, one):
        with self.lock:
            if one in self.connections:
                self.connections.remove(one)
        one.socket.close()

    def messages(self, wake):
        while True:
            with self.lock:
                by_socket = {one.socket: one for one in self.connections}
            ready, _, _ = select.select([self.listener, self.news, wake, *by_socket], [], [])
            if wake in ready:
                return
            if self.news in ready:
                self.news.recv(64)
            if self.listener in ready:
                self._accept()
            for one in (by_socket[it] for it in ready if it in by_socket):
                for data in self._receive(one):
                    yield data, one.peer

    def _accept(self):
        opened, peer = self.listener.accept()
        opened.settimeout(5)
        with contextlib.suppress(OSError):
            if self.server:
                opened = self.server.wrap_socket(opened, server_side=True)
            self._keep(Connection(opened, peer[:2], False))

    def _receive(self, one):
        try:
            data = one.socket.recv(65536)
            while isinstance(one.socket, ssl.SSLSocket) and one.socket.pending():
                data += one.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.drop(one)
        return one.feed(data)
