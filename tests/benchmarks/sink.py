"""A mail server that takes every mail at once and keeps none: `python -m tests.benchmarks.sink PORT`."""

import asyncio
import sys

ANSWERS = {b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME", b"DATA": b"354 Go on", b"QUIT": b"221 Bye"}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    answer = b"220 sink ESMTP"
    while True:
        writer.write(answer + b"\r\n")
        command = (await reader.readline())[:4].upper()
        if not command:
            return
        answer = ANSWERS.get(command, b"250 OK")
        if command == b"DATA":
            writer.write(answer + b"\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            answer = b"250 OK"


async def _main(port: int) -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", port, limit=2**26)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
