#!/usr/bin/python3
"""A mail server that behaves as told, for tests: one way of behaving a process, on a free port of 127.0.0.1.

    smtp_servers.py BEHAVIOUR FOLDER [--certificate FILE --key FILE] [--tls] [--login USER:PASSWORD]

Once it takes connections it writes its port as a line to standard output. Each mail that it has seen whole is put under
FOLDER as <number>.eml (complete under its name, or not there), whatever it answers to it; a line for each connection and
each RCPT goes to FOLDER/talk. Ends with its standard input.

BEHAVIOUR says what becomes of a mail:
    take            250
    busy            421 as the greeting
    reject          550 5.1.1 to RCPT, with the address in its text
    deny            554 5.7.1 to RCPT, as a relay that is not ours
    spam            554 5.6.0 after the final dot
    later_once      451 to the first RCPT, 250 to all that follow
    silent          takes the connection and never says a word
    stall           never answers the final dot, and takes the connection no further
    slow_once       answers the first final dot when a second connection is there, the others at once
    slow            250, two seconds after the final dot
    drop            closes in the middle of DATA
    lose            takes the mail and closes instead of answering the final dot
    hang_up         250, and closes every connection after its first mail
"""

import argparse
import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword


class Server:
    """What all connections share."""

    def __init__(self, options):
        self.options = options
        self.mails = 0
        self.recipients = 0
        self.connections = 0
        self.second_connection = asyncio.Event()

    def note(self, line):
        with open(os.path.join(self.options.folder, "talk"), "a", encoding="utf-8") as talk:
            talk.write(line + "\n")

    def keep(self, content):
        self.mails += 1
        path = os.path.join(self.options.folder, f"{self.mails}.eml")
        with open(path + ".new", "wb") as mail:
            mail.write(content)
        os.rename(path + ".new", path)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        self.recipients += 1
        self.note("rcpt")
        behaviour = self.options.behaviour
        if behaviour == "reject":
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        if behaviour == "deny":
            return f"554 5.7.1 <{address}>: Relay access denied"
        if behaviour == "later_once" and self.recipients == 1:
            return "451 4.3.0 come again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        self.keep(envelope.original_content)
        behaviour = self.options.behaviour
        if behaviour == "spam":
            return "554 5.6.0 the link https://example.org/secret is not welcome"
        if behaviour == "stall":
            await asyncio.Event().wait()
        if behaviour == "slow_once" and self.mails == 1:
            await self.second_connection.wait()
        if behaviour == "slow":
            await asyncio.sleep(2)
        if behaviour == "lose":
            server.transport.abort()
        if behaviour == "hang_up":
            asyncio.get_running_loop().call_later(0, server.transport.close)
        return "250 2.0.0 taken"

    def authenticate(self, server, session, envelope, mechanism, data):
        if isinstance(data, LoginPassword) and (data.login + b":" + data.password).decode() == self.options.login:
            self.note("login")
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False)


class Connection(SMTP):
    def __init__(self, server, **more):
        super().__init__(server, hostname="relay.test", **more)
        self.server = server

    def connection_made(self, transport):
        # STARTTLS comes through here a second time, on the same connection.
        if transport.get_extra_info("sslcontext") is None or self.server.options.tls:
            self.server.note("connection")
            self.server.connections += 1
            if self.server.connections == 2:
                self.server.second_connection.set()
        if self.server.options.behaviour == "silent":
            self.transport = transport
            return
        if self.server.options.behaviour == "busy":
            transport.write(b"421 4.3.2 too busy\r\n")
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, error):
        if self.server.options.behaviour not in ("silent", "busy"):
            super().connection_lost(error)

    def data_received(self, data):
        if self.server.options.behaviour not in ("silent", "busy"):
            super().data_received(data)

    def eof_received(self):
        if self.server.options.behaviour in ("silent", "busy"):
            return False
        return super().eof_received()

    async def smtp_DATA(self, arg):
        if self.server.options.behaviour != "drop":
            await super().smtp_DATA(arg)
            return
        await self.push("354 go ahead")
        await self._reader.readline()
        self.transport.abort()


def tls_context(options):
    if not options.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    return context


async def end_of_input():
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("behaviour")
    parser.add_argument("folder")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--login", default="")
    options = parser.parse_args()
    server = Server(options)
    context = tls_context(options)
    more = {}
    if options.login:
        more = {"auth_required": True, "auth_require_tls": context is not None, "authenticator": server.authenticate}
        if options.tls:
            more["auth_require_tls"] = False  # aiosmtpd does not see that TLS is there from the start

    def connect():
        return Connection(server, tls_context=None if options.tls else context, **more)

    listener = await asyncio.get_running_loop().create_server(
        connect, "127.0.0.1", 0, ssl=context if options.tls else None
    )
    print(listener.sockets[0].getsockname()[1], flush=True)
    await end_of_input()


asyncio.run(main())
