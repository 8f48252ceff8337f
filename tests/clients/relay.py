"""A mail relay that accepts, refuses, hangs or hangs up, with TLS or a login if it is told to."""

import base64
import datetime
import socket
import socketserver
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Relay:
    """Receives mails. `replies` maps a command to the replies that it gets in turn; then it is accepted."""

    def __init__(self, security: str = "plain", login: tuple[str, str] | None = None, tls=None, extension: str = ""):
        self.mails: list[tuple[str, str, bytes]] = []
        self.commands: list[str] = []
        self.replies: dict[str, list[str]] = {}
        self.connections = 0
        self.delay = 0.0
        self.security, self.login, self.tls, self.extension = security, login, tls, extension
        self.lock = threading.Lock()
        relay = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                relay.connections += 1
                try:
                    Conversation(relay, self.request).run()
                except (ConnectionError, ssl.SSLError, EOFError, TimeoutError):
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1" if security == "plain" else "", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]

    def recipients(self) -> list[str]:
        return [recipient for _, recipient, _ in self.mails]

    def reply(self, command: str) -> str | None:
        with self.lock:
            waiting = self.replies.get(command, [])
            return waiting.pop(0) if waiting else None

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Conversation:
    def __init__(self, relay: Relay, connection: socket.socket):
        self.relay = relay
        connection.settimeout(60)
        if relay.security == "tls":
            connection = relay.tls.wrap_socket(connection, server_side=True)
        self.take(connection)
        self.is_open = relay.login is None
        self.sender = self.recipient = ""

    def take(self, connection):
        self.connection, self.lines = connection, connection.makefile("rb")

    def say(self, *lines: str):
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def run(self):
        self.say("220 relay.example ESMTP")
        while line := self.lines.readline():
            command = line.decode().strip()
            name = command.split(":")[0].split()[0].upper()
            self.relay.commands.append(command)
            time.sleep(self.relay.delay)
            answer = self.relay.reply(name)
            if answer == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if answer == "hang":
                time.sleep(120)
                return
            if answer:
                self.say(answer)
                continue
            if name == "QUIT":
                return self.say("221 2.0.0 bye")
            getattr(self, name.lower())(command)

    def ehlo(self, command: str):
        offers = ["relay.example", "SIZE 1000000"]
        is_tls = isinstance(self.connection, ssl.SSLSocket)
        if self.relay.security == "starttls" and not is_tls:
            offers.append("STARTTLS")
        if self.relay.login:
            offers.append("AUTH PLAIN LOGIN")
        self.say(*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}")

    def starttls(self, command: str):
        self.say(f"220 go ahead{self.relay.extension}")
        self.take(self.relay.tls.wrap_socket(self.connection, server_side=True))

    def auth(self, command: str):
        _, user, password = base64.b64decode(command.split()[2]).decode().split("\0")
        self.is_open = (user, password) == self.relay.login
        self.say("235 2.7.0 welcome" if self.is_open else "535 5.7.8 wrong password")

    def rset(self, command: str):
        self.say("250 2.0.0 forgotten")

    def mail(self, command: str):
        self.sender = command.split("<")[1].split(">")[0]
        self.say("250 2.1.0 ok" if self.is_open else "530 5.7.0 log in first")

    def rcpt(self, command: str):
        self.recipient = command.split("<")[1].split(">")[0]
        self.say("250 2.1.5 ok")

    def data(self, command: str):
        self.say("354 go ahead")
        lines = []
        while (line := self.lines.readline()) != b".\r\n":
            if not line:
                raise EOFError
            lines.append(line[1:] if line.startswith(b".") else line)
        answer = self.relay.reply("accept")
        if answer == "cut":
            self.connection.shutdown(socket.SHUT_RDWR)
            raise EOFError
        if answer == "slow":
            time.sleep(40)
        elif answer:
            return self.say(answer)
        with self.relay.lock:
            self.relay.mails.append((self.sender, self.recipient, b"".join(lines)))
        self.say("250 2.0.0 queued")


def certificate(folder, names: list[str]) -> tuple[ssl.SSLContext, str]:
    """A server's TLS context, and the file with the certificate that signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    file, key_file = folder / "relay.pem", folder / "relay.key"
    file.write_bytes(pem)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return context, str(file)
