#!/usr/bin/env python3
"""Writes the seeds that are frames: corpus/{frames,first_bytes,peer_frames,session,command}. Field numbers:
proto/client.proto, proto/peer.proto. And those that are mail: corpus/{lmtp,incoming_mail,answer_text}, from the mails
that the tests have.

Ids of one byte stand for known ones (tests/fuzz/world.h).
"""
import pathlib

corpus = pathlib.Path(__file__).parent / "corpus"


def varint(n):
    out = b""
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(*pairs):
    return b"".join(field(number, value) for number, value in pairs)


def frame(payload):
    return len(payload).to_bytes(4, "big") + payload


ONE, TWO = b"\x00", b"\x01"  # known ids
PASSWORD = b"correct horse"

operations = {
    "hello": (10, fields((1, 1), (2, 1), (3, b"fuzz"))),
    "ping": (11, b""),
    "register": (20, fields((1, b"new"), (2, PASSWORD), (3, b"a@b"), (4, b"d"))),
    "log_in": (21, fields((1, b"ada"), (2, PASSWORD), (3, b"d"))),
    "resume": (22, fields((1, ONE), (2, 0))),
    "confirm_token": (23, fields((1, 1))),
    "log_out": (24, b""),
    "change_password": (25, fields((1, PASSWORD), (2, b"another one"))),
    "set_email": (26, fields((1, PASSWORD), (2, b"a@b"))),
    "list_devices": (27, b""),
    "revoke_device": (28, fields((1, ONE))),
    "delete_account": (29, fields((1, PASSWORD))),
    "get_user": (30, fields((1, b"bob"))),
    "get_user_by_id": (30, fields((2, TWO))),
    "get_account": (31, b""),
    "block_user": (32, fields((1, TWO), (2, 1))),
    "list_blocks": (33, b""),
    "set_mail_settings": (38, fields((1, 2), (2, 60), (3, b"de"))),
    "get_mail_settings": (39, b""),
    "open_direct": (40, fields((1, b"\x02"))),
    "create_group": (41, fields((1, b"title"), (2, TWO), (2, b"\x02"))),
    "rename_group": (42, fields((1, TWO), (2, b"title"))),
    "add_members": (43, fields((1, TWO), (2, b"\x02"))),
    "remove_member": (44, fields((1, TWO), (2, TWO))),
    "leave": (45, fields((1, TWO))),
    "set_role": (46, fields((1, TWO), (2, TWO), (3, 2))),
    "hand_over": (46, fields((1, TWO), (2, TWO), (3, 3))),
    "list_members": (47, fields((1, TWO), (3, 10))),
    "list_conversations": (48, fields((2, 10))),
    "set_conversation": (49, fields((1, ONE), (2, 1), (3, 1))),
    "post": (60, fields((1, ONE), (2, TWO), (3, b"text/plain"), (4, b"body"), (5, 2))),
    "edit": (61, fields((1, ONE), (2, 2), (4, b"edited"))),
    "delete": (62, fields((1, ONE), (2, 2))),
    "react": (63, fields((1, ONE), (2, 2), (3, b"+1"))),
    "get_history": (64, fields((1, ONE), (2, 1), (4, 10))),
    "get_history_backward": (64, fields((1, TWO), (3, 1), (4, 500))),
    "ack_inbox": (65, fields((1, 0))),
    "mark": (66, fields((1, ONE), (2, 2), (3, 2))),
    "get_positions": (67, fields((1, ONE), (3, 10))),
    "set_typing": (68, fields((1, ONE), (2, 1))),
    "watch_presence": (69, fields((1, TWO))),
    "operator_log_in": (80, fields((1, b"key"))),
    "provision_users": (81, fields((1, b"load1"), (1, b"load2"), (2, b"d"))),
    "set_account_status": (82, fields((1, b"bob"), (2, 1), (3, 60), (4, b"why"))),
    "rotate_token_key": (83, b""),
    "unknown": (127, b""),
}


def request(name, request_id, idempotency_id):
    number, content = operations[name]
    return fields((1, request_id), (2, bytes([idempotency_id])), (number, content))


def write(target, name, data):
    folder = corpus / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


hello = frame(request("hello", 1, 0))
resume = frame(request("resume", 2, 0))

for i, name in enumerate(operations):
    who = 3 if operations[name][0] >= 80 else 4 if operations[name][0] in (20, 21, 22) else 0
    payload = request(name, 7, i % 8)
    write("command", name, bytes([who]) + len(payload).to_bytes(2, "big") + payload)
    login = frame(request("operator_log_in", 2, 0)) if who == 3 else b"" if who == 4 else resume
    write("session", name, hello + login + frame(payload))
everything = [request(name, 10 + i, i % 8) for i, name in enumerate(operations) if operations[name][0] not in (24, 29)]
write("session", "a_whole_life", hello + resume + b"".join(map(frame, everything)))
write("session", "no_hello", resume)
write("session", "two_versions", frame(fields((1, 1), (10, fields((1, 2), (2, 9))))))
write("command", "a_day", b"".join(bytes([i % 3]) + len(p).to_bytes(2, "big") + p for i, p in enumerate(everything)))

write("frames", "one", b"\x00" + frame(b"payload"))
write("frames", "three_in_bytes", b"\x01" + frame(b"a") + frame(b"bc") + frame(b"def"))
write("frames", "cut_in_a_length", b"\x05" + frame(b"ab") + frame(b"cd"))
write("frames", "empty", b"\x00" + frame(b""))
write("frames", "at_the_bound", b"\x40" + frame(b"x" * 1000))
write("frames", "beyond_the_bound", b"\x40" + frame(b"x" * 1001))
write("frames", "huge", b"\x00" + b"\xff\xff\xff\xff")
write("frames", "unfinished", b"\x03" + frame(b"payload")[:-2])

write("first_bytes", "native", hello)
write("first_bytes", "largest", (128 * 1024).to_bytes(4, "big"))
write("first_bytes", "beyond", (128 * 1024 + 1).to_bytes(4, "big"))
write("first_bytes", "zero", b"\x00\x00\x00\x00")
write("first_bytes", "tls", b"\x16\x03\x01\x02\x00\x01\x00")
write("first_bytes", "ssl", b"\x16\x02")
write("first_bytes", "websocket", b"GET /v1 HTTP/1.1\r\n")
write("first_bytes", "post", b"POST / HTTP/1.1\r\n")
write("first_bytes", "ssh", b"SSH-2.0-x\r\n")


def peer_hello(*changed):
    known = {1: 1, 2: b"c", 3: 2, 4: b"s" * 16, 5: b"a" * 16, 6: b"0.1.0", 7: 1_000_000_000, 8: 64}
    return frame(fields((1, fields(*sorted({**known, **dict(changed)}.items())))))


beat = frame(fields((5, fields((1, 7), (2, 1_000_000_000), (3, b"\x02\x03"), (4, 1)))))
append = frame(fields((10, fields((1, 3), (2, 4), (3, b"s" * 16), (10, fields((1, 9), (2, b"c" * 32), (3, b"entry")))))))
write("peer_frames", "hello_and_beat", b"\x03" + peer_hello() + beat)
write("peer_frames", "append", b"\x00" + append + append)
write("peer_frames", "refused", b"\x00" + frame(fields((2, fields((1, b"why"))))))
write("peer_frames", "other_cluster", b"\x00" + peer_hello((2, b"d\"\n")))
write("peer_frames", "same_node", b"\x00" + peer_hello((3, 1)))
write("peer_frames", "other_partitions", b"\x00" + peer_hello((8, 128)))
write("peer_frames", "no_boot_id", b"\x00" + peer_hello((5, b"short")))
write("peer_frames", "clock_at_the_bound", b"\x00" + peer_hello((7, 1_000_010_000)))
write("peer_frames", "clock_beyond", b"\x00" + peer_hello((7, 1_000_010_001)))
write("peer_frames", "later_version", b"\x00" + frame(fields((99, b"new"))) + beat)
write("peer_frames", "no_message", b"\x00" + frame(b"\xff\xff"))

RECIPIENT = b"reply+" + b"mzxw6ytbojtg633cmfzgm33pmjqxe" + b"@reply.test"
opening = b"LHLO client\r\nMAIL FROM:<ada@example.org> SIZE=100 BODY=8BITMIME\r\n"
rcpt = b"RCPT TO:<" + RECIPIENT + b">\r\n"
data = b"DATA\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n..dot\r\n> quote\r\n.\r\n"
for answers in range(8):
    write("lmtp", f"answers_{answers}", bytes([answers * 9, answers]) + opening + rcpt + rcpt + data + b"QUIT\r\n")
write("lmtp", "bad_order", b"\x05\x03DATA\r\nRCPT TO:<a@b>\r\nMAIL FROM:<>\r\nLHLO c\r\nMAIL FROM:<>\r\nRSET\r\nVRFY\r\nEHLO\r\n")
write("lmtp", "too_large", b"\x40\x03" + opening + rcpt + b"DATA\r\n" + b"a" * 1500 + b"\r\n.\r\nNOOP\r\n")
write("lmtp", "too_long", b"\x40\x03" + b"a" * 500 + b"\r\nNOOP\nNOOP\r\n")
write("lmtp", "automatic", b"\x40\x03" + opening + rcpt + b"DATA\r\nAuto-Submitted: auto-replied\r\n\r\nx\r\n.\r\n")

for mail in sorted((corpus.parent.parent / "server/lmtp/mails").glob("*.eml")):
    content = mail.read_bytes()
    write("incoming_mail", mail.stem, content.replace(b"\n", b"\r\n"))
    write("answer_text", mail.stem, content.split(b"\n\n", 1)[1])
