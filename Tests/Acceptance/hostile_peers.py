"""Peers that misbehave, in a process of their own; prints what they did as one JSON object.

Usage: hostile_peers.py --port N --seconds S --seed N
"""

import argparse
import asyncio
import json
import random
import socket
import time

from jt808_terminal import Messages, Splitter, acknowledges, noise

RANDOM_STRINGS = 10_000
RANDOM_CONNECTIONS = 50
NOISY_TERMINALS = 5
HALF_OPEN = 200
SLOW = 5
NEVER_READING = 2
NEVER_READING_FRAMES = 20_000

counts = {
    "random_strings": 0, "random_connections": 0, "noisy_frames": 0, "noisy_acknowledged": 0, "half_open": 0,
    "slow_bytes": 0, "unread_frames": 0, "never_reading_closed": 0,
}


async def send_random_strings(port: int, source: random.Random, end: float):
    """Garbage alone; when the gateway has had enough of a connection, the next one follows."""
    writer = None
    strings = RANDOM_STRINGS // RANDOM_CONNECTIONS
    pause = max(0.0, (end - time.monotonic()) / strings * 0.9)
    for _ in range(strings):
        if writer is None or writer.is_closing():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            counts["random_connections"] += 1
        try:
            writer.write(noise(source))
            await writer.drain()
            counts["random_strings"] += 1
        except ConnectionError:
            writer = None
        await asyncio.sleep(pause * source.random() * 2)
    if writer:
        writer.close()


async def talk_through_noise(port: int, phone: str, source: random.Random, end: float):
    """A good terminal on a bad line: noise before and after each frame, and each frame must be answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    messages, splitter = Messages(phone), Splitter()
    try:
        while time.monotonic() < end:
            request = messages.heartbeat()
            writer.write(noise(source, 80) + request.encode() + noise(source, 20))
            counts["noisy_frames"] += 1
            answered = False
            while not answered:
                data = await asyncio.wait_for(reader.read(4096), 5)
                if not data:
                    return
                answered = any(acknowledges(frame, request) for frame in splitter.feed(data))
            counts["noisy_acknowledged"] += 1
            await asyncio.sleep(0.1)
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()


async def stay_half_open(port: int, phone: str, end: float):
    """Half a frame, then silence."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    wire = Messages(phone).sos().encode()
    writer.write(wire[: len(wire) // 2])
    counts["half_open"] += 1
    await asyncio.sleep(max(0.0, end - time.monotonic()))
    writer.close()


async def send_slowly(port: int, phone: str, end: float):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for byte in Messages(phone).location().encode():
            if time.monotonic() > end:
                break
            writer.write(bytes([byte]))
            await writer.drain()
            counts["slow_bytes"] += 1
            await asyncio.sleep(1)
    except ConnectionError:
        pass
    writer.close()


async def never_read(port: int, phone: str, end: float):
    """Asks without end and takes no answer: small buffers fill at once."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", port))
    messages = Messages(phone)
    try:
        for _ in range(NEVER_READING_FRAMES // 20):
            wire = b"".join(messages.heartbeat().encode() for _ in range(20))
            remaining = end - time.monotonic()
            if remaining <= 0:
                break
            await asyncio.wait_for(loop.sock_sendall(connection, wire), remaining)
            counts["unread_frames"] += 20
            await asyncio.sleep(0.004)
        await asyncio.sleep(max(0.0, end - time.monotonic()))
    except TimeoutError:
        pass
    except ConnectionError:
        counts["never_reading_closed"] += 1
    connection.close()


async def main(port: int, seconds: float, seed: int):
    end = time.monotonic() + seconds
    source = random.Random(seed)
    tasks = [send_random_strings(port, random.Random(source.random()), end) for _ in range(RANDOM_CONNECTIONS)]
    tasks += [
        talk_through_noise(port, f"01792{number:07d}", random.Random(source.random()), end)
        for number in range(NOISY_TERMINALS)]
    tasks += [stay_half_open(port, f"01793{number:07d}", end) for number in range(HALF_OPEN)]
    tasks += [send_slowly(port, f"01794{number:07d}", end) for number in range(SLOW)]
    tasks += [never_read(port, f"01795{number:07d}", end) for number in range(NEVER_READING)]
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.port, arguments.seconds, arguments.seed))
    print(json.dumps(counts))
